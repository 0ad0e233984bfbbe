/*
 * routes.c - routes of programs: their options are checked and copied once. program.c answers their
 * requests.
 */
#include "bridge/program/programs.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/sized.h"
#include "bridge/program/program.h"
#include "server/server.h"

static void free_list(char **list)
{
    for (char **at = list; at && *at; at++)
        free(*at);
    free(list);
}

static bool copy_list(const char *const *list, char ***copy)
{
    size_t count = 0;
    char **out;

    while (list && list[count])
        count++;
    out = calloc(count + 1, sizeof(*out));
    for (size_t i = 0; out && i < count; i++) {
        out[i] = strdup(list[i]);
        if (!out[i]) {
            free_list(out);
            out = NULL;
        }
    }
    *copy = out;
    return out != NULL;
}

static void free_route(void *user)
{
    struct dx_program_route *route = user;

    dx_programs_unref(route->programs);
    free(route->path);
    free(route->directory);
    free_list(route->argv);
    dx_environment_release(&route->environment);
    free(route);
}

static const char *search_path(const struct dx_programs *programs)
{
    for (char *const *line = programs->options.inherited; line && *line; line++)
        if (strncmp(*line, "PATH=", 5) == 0)
            return *line + 5;
    return NULL;
}

static enum dx_err fill_route(struct dx_program_route *route,
                              const struct dx_program_options *options)
{
    char path[PATH_MAX];
    enum dx_err err =
        dx_program_find(options->argv[0], search_path(route->programs), path, sizeof(path));

    if (err != DX_OK)
        return err;
    route->options = *options;
    route->framing = dx_framing_ops(options->framing);
    route->path = strdup(path);
    route->directory = options->directory ? strdup(options->directory) : NULL;
    if (!copy_list(options->argv, &route->argv) || !route->path ||
        (options->directory && !route->directory))
        return DX_ERR_NOMEM;
    dx_environment_add_inherited(&route->environment, route->programs->options.inherited);
    dx_environment_add_lines(&route->environment, options->env);
    if (route->environment.err != DX_OK)
        return route->environment.err;
    route->route = (struct dx_route){.size = sizeof(struct dx_route),
                                     .on_request = dx_program_on_request,
                                     .on_abandoned = dx_program_on_abandoned,
                                     .user = route,
                                     .wants_upgrades = true,
                                     .wants_plain = options->page != NULL,
                                     .on_shutdown = dx_program_on_shutdown};
    return DX_OK;
}

enum dx_err dx_programs_route(struct dx_programs *programs, const char *path,
                              const struct dx_program_options *options)
{
    struct dx_program_options own = dx_program_options_init();
    struct dx_program_route *route;
    enum dx_err err = DX_SIZED_COPY(struct dx_program_options, page_header_count, &own, options);

    if (err != DX_OK)
        return err;
    if (!own.argv || !own.argv[0] || !dx_framing_ops(own.framing))
        return DX_ERR_USAGE;
    route = calloc(1, sizeof(*route));
    if (!route)
        return DX_ERR_NOMEM;
    route->programs = programs;
    programs->reference_count++;
    err = fill_route(route, &own);
    if (err == DX_OK)
        err = dx_server_add_route(programs->server, path, &route->route, free_route);
    if (err != DX_OK)
        free_route(route);
    return err;
}
