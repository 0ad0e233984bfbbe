/*
 * check.c - see check.h.
 */
#include "cli/serve/check.h"

#include <stdio.h>
#include <string.h>

#include "cli/options/check.h"
#include "cli/serve/program.h"
#include "cli/text/escape.h"

/* ---- options that exclude or need each other ---- */

static bool check_something_to_serve(const struct cli_serve_config *config,
                                     struct cli_complaint *complaint)
{
    if (config->program || config->routes.count > 0)
        return true;
    return cli_complain(complaint, CLI_EXIT_USAGE,
                        "no program given (write duplex serve COMMAND, or --route=PATH=COMMAND)");
}

static bool check_routes(const struct cli_serve_config *config, struct cli_complaint *complaint)
{
    const struct cli_route *routes = config->routes.items;

    for (size_t i = 0; i < config->routes.count; i++) {
        if (config->program && strcmp(routes[i].path, "/") == 0)
            return cli_complain_of(complaint, "route", routes[i].text,
                                   "%s is already at / (leave out one of the two)",
                                   cli_shown(config->program[0]).text);
        for (size_t j = 0; j < i; j++)
            if (strcmp(routes[i].path, routes[j].path) == 0)
                return cli_complain_of(complaint, "route", routes[i].text,
                                       "%s already has a program (give each path once)",
                                       cli_shown(routes[i].path).text);
    }
    return true;
}

static bool check_statics(const struct cli_serve_config *config, struct cli_complaint *complaint)
{
    const struct cli_static *statics = config->statics.items;

    for (size_t i = 0; i < config->statics.count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(statics[i].path, statics[j].path) == 0)
                return cli_complain_of(complaint, "static", statics[i].text,
                                       "%s already has a directory (give each path once)",
                                       cli_shown(statics[i].path).text);
    return true;
}

/* ---- programs and directories ---- */

static bool check_directories(const struct cli_serve_config *config,
                              struct cli_complaint *complaint)
{
    const struct cli_static *statics = config->statics.items;

    if (config->directory &&
        !cli_check_directory("chdir", config->directory, config->directory, complaint))
        return false;
    for (size_t i = 0; i < config->statics.count; i++)
        if (!cli_check_directory("static", statics[i].text, statics[i].directory, complaint))
            return false;
    return true;
}

/* `route` is the value of --route that names the program; NULL for COMMAND. */
static bool check_program(const char *name, const char *route, struct cli_complaint *complaint)
{
    struct cli_shown shown = cli_shown(name);
    char where[sizeof(shown.text) + 16] = "";

    if (route)
        snprintf(where, sizeof(where), "--route=%s: ", cli_shown(route).text);

    switch (cli_program_look_up(name)) {
    case CLI_PROGRAM_FOUND:
        return true;
    case CLI_PROGRAM_DIRECTORY:
        return cli_complain(complaint, CLI_EXIT_USAGE, "%s%s is a directory (name a program in it)",
                            where, shown.text);
    case CLI_PROGRAM_FORBIDDEN:
        return cli_complain(complaint, CLI_EXIT_RESOURCE, "%s%s is not executable (chmod +x %s)",
                            where, shown.text, shown.text);
    case CLI_PROGRAM_NOT_IN_PATH:
        if (!route && strchr(name, ' '))
            return cli_complain(complaint, CLI_EXIT_USAGE,
                                "no program %s in PATH (leave out the quotes around its words)",
                                shown.text);
        return cli_complain(complaint, CLI_EXIT_USAGE,
                            "%sno program %s in PATH (write ./%s for one in this directory)", where,
                            shown.text, shown.text);
    case CLI_PROGRAM_MISSING:
        break;
    }
    return cli_complain(complaint, CLI_EXIT_USAGE, "%sno program %s (check the path)", where,
                        shown.text);
}

static bool check_programs(const struct cli_serve_config *config, struct cli_complaint *complaint)
{
    const struct cli_route *routes = config->routes.items;

    if (config->program && !check_program(config->program[0], NULL, complaint))
        return false;
    for (size_t i = 0; i < config->routes.count; i++)
        if (!check_program(routes[i].argv[0], routes[i].text, complaint))
            return false;
    return true;
}

bool cli_serve_check(const struct cli_serve_config *config, struct cli_complaint *complaint)
{
    return check_something_to_serve(config, complaint) && check_routes(config, complaint) &&
           check_statics(config, complaint) && cli_server_check(&config->server, complaint) &&
           check_directories(config, complaint) && check_programs(config, complaint);
}
