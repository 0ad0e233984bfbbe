/*
 * check.c - the checks that need more than one word of the command line, or the file system. The
 * first complaint counts.
 *
 * What lies in the file system and cannot be used is a resource that failed (exit 1), except a
 * COMMAND that is not there.
 */
#include "cli/options/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/options/address.h"
#include "cli/connect/check_connect.h"
#include "cli/text/escape.h"
#include "cli/options/program.h"

#define SHOWN_MAX 256

/* A value as it may be shown. */
struct shown {
    char text[SHOWN_MAX];
};

static struct shown show(const char *text)
{
    struct shown shown;

    cli_escape(text, strlen(text), shown.text, sizeof(shown.text));
    return shown;
}

/* ---- words that do not go together ---- */

static bool check_something_to_serve(const struct cli_config *config,
                                     struct cli_complaint *complaint)
{
    if (!config->command->takes_program || config->program || config->routes.count > 0)
        return true;
    return cli_complain(complaint, CLI_EXIT_USAGE,
                        "no program given (write duplex serve COMMAND, or --route=PATH=COMMAND)");
}

static bool check_routes(const struct cli_config *config, struct cli_complaint *complaint)
{
    const struct cli_route *routes = config->routes.items;

    for (size_t i = 0; i < config->routes.count; i++) {
        if (config->program && strcmp(routes[i].path, "/") == 0)
            return cli_complain(complaint, CLI_EXIT_USAGE,
                                "--route=%s: %s is at / already (leave out one of the two)",
                                show(routes[i].text).text, show(config->program[0]).text);
        for (size_t j = 0; j < i; j++)
            if (strcmp(routes[i].path, routes[j].path) == 0)
                return cli_complain(complaint, CLI_EXIT_USAGE,
                                    "--route=%s: %s has a program already (give each path once)",
                                    show(routes[i].text).text, show(routes[i].path).text);
    }
    return true;
}

static bool check_statics(const struct cli_config *config, struct cli_complaint *complaint)
{
    const struct cli_static *statics = config->statics.items;

    for (size_t i = 0; i < config->statics.count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(statics[i].path, statics[j].path) == 0)
                return cli_complain(complaint, CLI_EXIT_USAGE,
                                    "--static=%s: %s has a directory already (give each path once)",
                                    show(statics[i].text).text, show(statics[i].path).text);
    return true;
}

static bool check_tls_pair(const struct cli_config *config, struct cli_complaint *complaint)
{
    if (config->tls_cert && !config->tls_key)
        return cli_complain(complaint, CLI_EXIT_USAGE,
                            "--tls-cert=%s: its key is missing (add --tls-key=FILE)",
                            show(config->tls_cert).text);
    if (config->tls_key && !config->tls_cert)
        return cli_complain(complaint, CLI_EXIT_USAGE,
                            "--tls-key=%s: its certificate is missing (add --tls-cert=FILE)",
                            show(config->tls_key).text);
    if (config->tls_self_signed && config->tls_cert)
        return cli_complain(complaint, CLI_EXIT_USAGE,
                            "--tls-self-signed: there is --tls-cert=%s (leave out one of the two)",
                            show(config->tls_cert).text);
    if (config->tls_client_ca && !config->tls_cert)
        return cli_complain(complaint, CLI_EXIT_USAGE,
                            "--tls-client-ca=%s: it needs a certificate (add --tls-cert=FILE)",
                            show(config->tls_client_ca).text);
    return true;
}

static bool check_addresses(const struct cli_list *addresses, struct cli_complaint *complaint)
{
    const char *const *texts = addresses->items;

    for (size_t i = 0; i < addresses->count; i++) {
        struct cli_address address;
        const char *problem = cli_address_parse(texts[i], &address);
        bool may_repeat = !problem && address.kind <= CLI_ADDRESS_ANY && address.port == 0;

        for (size_t j = 0; j < i && !may_repeat; j++)
            if (strcmp(texts[i], texts[j]) == 0)
                return cli_complain(complaint, CLI_EXIT_USAGE,
                                    "--listen=%s: given twice (give each address once)",
                                    show(texts[i]).text);
        if (!problem && address.kind == CLI_ADDRESS_FD && fcntl(address.fd, F_GETFD) < 0)
            return cli_complain(complaint, CLI_EXIT_RESOURCE,
                                "--listen=%s: no such descriptor (open it in the parent process)",
                                show(texts[i]).text);
    }
    return true;
}

/* ---- what has to be there ---- */

static bool complain_of_file(struct cli_complaint *complaint, const char *option, const char *text)
{
    int error = errno;
    const char *remedy = error == ENOENT || error == ENOTDIR ? "check the path"
                         : error == EACCES                   ? "check its permissions"
                                                             : "name another one";

    return cli_complain(complaint, CLI_EXIT_RESOURCE, "--%s=%s: %s (%s)", option, show(text).text,
                        strerror(error), remedy);
}

static bool check_directory(const char *option, const char *text, const char *directory,
                            struct cli_complaint *complaint)
{
    struct stat status;

    if (stat(directory, &status) == 0) {
        if (S_ISDIR(status.st_mode) && faccessat(AT_FDCWD, directory, X_OK, AT_EACCESS) == 0)
            return true;
        if (!S_ISDIR(status.st_mode))
            errno = ENOTDIR;
    }
    return complain_of_file(complaint, option, text);
}

bool cli_check_file(const char *option, const char *path, struct cli_complaint *complaint)
{
    struct stat status;

    if (!path)
        return true;
    if (stat(path, &status) == 0) {
        if (!S_ISDIR(status.st_mode) && faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0)
            return true;
        if (S_ISDIR(status.st_mode))
            errno = EISDIR;
    }
    return complain_of_file(complaint, option, path);
}

static bool check_directories(const struct cli_config *config, struct cli_complaint *complaint)
{
    const struct cli_static *statics = config->statics.items;

    if (config->chdir && !check_directory("chdir", config->chdir, config->chdir, complaint))
        return false;
    for (size_t i = 0; i < config->statics.count; i++)
        if (!check_directory("static", statics[i].text, statics[i].directory, complaint))
            return false;
    return true;
}

/* `route` is the value that names the program; NULL for COMMAND. */
static bool check_program(const char *name, const char *route, struct cli_complaint *complaint)
{
    struct shown shown = show(name);
    char where[SHOWN_MAX + 16] = "";

    if (route)
        snprintf(where, sizeof(where), "--route=%s: ", show(route).text);

    switch (cli_program_look_up(name)) {
    case CLI_PROGRAM_FOUND:
        return true;
    case CLI_PROGRAM_DIRECTORY:
        return cli_complain(complaint, CLI_EXIT_USAGE, "%s%s is a directory (name a program in it)",
                            where, shown.text);
    case CLI_PROGRAM_FORBIDDEN:
        return cli_complain(complaint, CLI_EXIT_RESOURCE, "%s%s may not be executed (chmod +x %s)",
                            where, shown.text, shown.text);
    case CLI_PROGRAM_NOT_IN_PATH:
        if (!route && strchr(name, ' '))
            return cli_complain(complaint, CLI_EXIT_USAGE,
                                "no program %s in PATH (leave out the quotes around its words)",
                                shown.text);
        return cli_complain(complaint, CLI_EXIT_USAGE,
                            "%sno program %s in PATH (write ./%s for one that lies here)", where,
                            shown.text, shown.text);
    case CLI_PROGRAM_MISSING:
        break;
    }
    return cli_complain(complaint, CLI_EXIT_USAGE, "%sno program %s (check the path)", where,
                        shown.text);
}

static bool check_programs(const struct cli_config *config, struct cli_complaint *complaint)
{
    const struct cli_route *routes = config->routes.items;

    if (config->program && !check_program(config->program[0], NULL, complaint))
        return false;
    for (size_t i = 0; i < config->routes.count; i++)
        if (!check_program(routes[i].argv[0], routes[i].text, complaint))
            return false;
    return true;
}

bool cli_check(const struct cli_config *config, struct cli_complaint *complaint)
{
    if (config->command->takes_url)
        return check_addresses(&config->connect.listen, complaint) &&
               cli_check_connect(&config->connect, complaint);
    return check_something_to_serve(config, complaint) && check_routes(config, complaint) &&
           check_statics(config, complaint) && check_tls_pair(config, complaint) &&
           check_addresses(&config->listen, complaint) && check_directories(config, complaint) &&
           check_programs(config, complaint) &&
           cli_check_file("tls-cert", config->tls_cert, complaint) &&
           cli_check_file("tls-key", config->tls_key, complaint) &&
           cli_check_file("tls-client-ca", config->tls_client_ca, complaint);
}
