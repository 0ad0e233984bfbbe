/*
 * serve.c - the command `duplex serve`: programs and files behind paths.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/commands.h"
#include "cli/server/page.h"
#include "cli/options/parse.h"
#include "cli/server/service.h"

static struct dx_program_options program_options(const struct cli_config *config)
{
    struct dx_program_options options = dx_program_options_init();

    options.env = config->env.items;
    options.directory = config->chdir;
    options.framing = config->framing;
    options.newlines = config->newlines;
    options.stderr_to = config->stderr_to;
    options.invalid_utf8 = config->invalid_utf8;
    options.flush_after_ms = config->flush_after_ms;
    for (size_t i = 0; i < sizeof(options.ladder_ms) / sizeof(options.ladder_ms[0]); i++)
        options.ladder_ms[i] = config->ladder.step_ms[i];
    options.answers_text_ping = config->text_pong;
    options.page = cli_program_page;
    options.page_len = cli_program_page_len;
    options.page_headers = cli_program_page_headers;
    return options;
}

static bool has_files(const struct cli_config *config, const char *path)
{
    const struct cli_static *statics = config->statics.items;

    for (size_t i = 0; i < config->statics.count; i++)
        if (strcmp(statics[i].path, path) == 0)
            return true;
    return false;
}

static int add_program(struct cli_service *service, const char *path, char **argv)
{
    struct dx_program_options options = program_options(service->config);
    enum dx_err err;

    options.argv = (const char *const *)argv;
    if (has_files(service->config, path))
        options.page = NULL; /* a plain GET gets the files */
    err = dx_programs_route(service->programs, path, &options);
    if (err == DX_OK)
        return 0;
    (void)cli_service_fail(service, argv[0], dx_err_text(err));
    return err == DX_ERR_NOT_FOUND || err == DX_ERR_ACCESS ? CLI_EXIT_USAGE : CLI_EXIT_RESOURCE;
}

static int add_programs(struct cli_service *service)
{
    const struct cli_config *config = service->config;
    const struct cli_route *routes = config->routes.items;
    struct dx_programs_options options = dx_programs_options_init();
    int exit_status = 0;
    enum dx_err err;

    options.max_programs = config->max_programs;
    options.owns_children = true;
    options.inherited = environ;
    options.descriptor_limit = service->descriptor_limit;
    err = dx_programs_new(service->server, &options, &service->programs);
    if (err != DX_OK)
        return cli_service_fail(
            service, "duplex-spawner",
            err == DX_ERR_NOT_FOUND
                ? "not beside duplex nor in ../libexec/duplex (install both, or keep them together)"
                : dx_err_text(err));
    if (config->program)
        exit_status = add_program(service, "/", config->program);
    for (size_t i = 0; i < config->routes.count && exit_status == 0; i++)
        exit_status = add_program(service, routes[i].path, routes[i].argv);
    return exit_status;
}

/* ---- files ---- */

static size_t count_words(char **words)
{
    size_t count = 0;

    while (words != NULL && words[count] != NULL)
        count++;
    return count;
}

/* Whatever a program's command names, here or where it runs: a word that is no path hides nothing. */
static bool hide_words(const struct cli_config *config, char **words, char **paths, size_t *count)
{
    for (; words != NULL && *words != NULL; words++) {
        paths[*count] = strdup(*words);
        if (paths[*count] == NULL)
            return false;
        ++*count;
        if (config->chdir == NULL || **words == '/')
            continue;
        if (asprintf(&paths[*count], "%s/%s", config->chdir, *words) < 0) {
            paths[*count] = NULL;
            return false;
        }
        ++*count;
    }
    return true;
}

static void free_paths(char **paths)
{
    for (size_t i = 0; paths[i] != NULL; i++)
        free(paths[i]);
    free(paths);
}

/* What files may not show, should it lie among them: programs and the TLS key. Ends with NULL; NULL: no memory. */
static char **hidden_paths(const struct cli_config *config)
{
    const struct cli_route *routes = config->routes.items;
    size_t room = 2 + 2 * count_words(config->program), count = 0;
    bool is_whole;
    char **paths;

    for (size_t i = 0; i < config->routes.count; i++)
        room += 2 * count_words(routes[i].argv);
    paths = calloc(room, sizeof(*paths));
    if (paths == NULL)
        return NULL;
    is_whole = hide_words(config, config->program, paths, &count);
    for (size_t i = 0; i < config->routes.count && is_whole; i++)
        is_whole = hide_words(config, routes[i].argv, paths, &count);
    if (is_whole && config->tls_key != NULL) {
        paths[count] = strdup(config->tls_key);
        is_whole = paths[count] != NULL;
    }
    if (is_whole)
        return paths;
    free_paths(paths);
    return NULL;
}

static int add_directories(struct cli_service *service, const char *const *hidden)
{
    const struct cli_static *statics = service->config->statics.items;
    struct dx_files_options options = dx_files_options_init();

    options.not_found = "404.html";
    options.hidden = hidden;
    for (size_t i = 0; i < service->config->statics.count; i++) {
        enum dx_err err =
            dx_server_route_files(service->server, statics[i].path, statics[i].directory, &options);

        if (err != DX_OK)
            return cli_service_fail(service, statics[i].directory, dx_err_text(err));
    }
    return 0;
}

static int add_routes(struct cli_service *service)
{
    char **hidden = hidden_paths(service->config);
    int exit_status;

    if (hidden == NULL)
        return cli_service_fail(service, "--static", dx_err_text(DX_ERR_NOMEM));
    exit_status = add_directories(service, (const char *const *)hidden);
    free_paths(hidden);
    return exit_status != 0 ? exit_status : add_programs(service);
}

int cli_serve(const struct cli_config *config)
{
    return cli_service_run(config, add_routes);
}
