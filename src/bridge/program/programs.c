/*
 * programs.c - what the programs of a server have in common: the spawner, one channel a loop, their number, their routes.
 */
#include "bridge/program/programs.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bridge/program/program.h"
#include "server/log.h"
#include "server/server.h"

/* How long to wait before a lost spawner is asked for again. */
#define REOPEN_MS 20

/* While everything is being closed: how often to look whether it is. Loops do not report, so that no report can come
 * when all of this is freed. */
#define CLOSE_LOOK_MS 5

/* ---- places ---- */

struct dx_programs_shard *dx_programs_shard_of(struct dx_programs *programs, struct dx_loop *loop)
{
    for (size_t i = 0; i < programs->shard_count; i++)
        if (programs->shards[i].loop == loop)
            return &programs->shards[i];
    return NULL;
}

bool dx_programs_enter(struct dx_programs *programs)
{
    if (atomic_fetch_add(&programs->count, 1) < programs->options.max_programs)
        return true;
    atomic_fetch_sub(&programs->count, 1);
    return false;
}

void dx_programs_leave(struct dx_programs *programs)
{
    atomic_fetch_sub(&programs->count, 1);
}

void dx_programs_list(struct dx_program *program)
{
    struct dx_programs_shard *shard = program->shard;

    program->next = shard->first;
    program->previous_next = &shard->first;
    if (shard->first)
        shard->first->previous_next = &program->next;
    shard->first = program;
}

void dx_programs_unlist(struct dx_program *program)
{
    if (!program->previous_next)
        return;
    *program->previous_next = program->next;
    if (program->next)
        program->next->previous_next = program->previous_next;
    program->previous_next = NULL;
}

size_t dx_programs_count(const struct dx_programs *programs)
{
    return atomic_load(&programs->count);
}

/* ---- the channel of a loop ---- */

static void channel_ready(struct dx_watch *watch, unsigned events)
{
    struct dx_programs_shard *shard = dx_container_of(watch, struct dx_programs_shard, watch);

    (void)events;
    dx_spawner_channel_ready(shard->channel);
}

static void look_again(struct dx_programs_shard *shard)
{
    dx_wheel_set(dx_loop_wheel(shard->loop), &shard->timer,
                 dx_loop_now_ms(shard->loop) + REOPEN_MS);
}

static enum dx_err watch_channel(struct dx_programs_shard *shard)
{
    unsigned events = DX_WATCH_READ | (shard->wants_write ? DX_WATCH_WRITE : 0);

    if (dx_watch_is_started(&shard->watch))
        return dx_watch_set(shard->loop, &shard->watch, events);
    return dx_watch_start(shard->loop, &shard->watch, dx_spawner_channel_fd(shard->channel), events,
                          channel_ready);
}

static void on_want_write(void *owner, bool wanted)
{
    struct dx_programs_shard *shard = owner;

    shard->wants_write = wanted;
    if (watch_channel(shard) != DX_OK)
        look_again(shard);
}

static void reopen(struct dx_timer *timer)
{
    struct dx_programs_shard *shard = dx_container_of(timer, struct dx_programs_shard, timer);
    enum dx_err err = DX_OK;

    if (dx_spawner_channel_fd(shard->channel) < 0)
        err = dx_spawner_channel_reopen(shard->channel);
    if (err == DX_OK)
        err = watch_channel(shard);
    if (err == DX_OK) {
        shard->failure_is_told = false;
        return;
    }
    if (err != DX_ERR_AGAIN && !shard->failure_is_told) {
        struct dx_log_line line;

        shard->failure_is_told = true;
        dx_log_line_init(&line);
        dx_log_line_text(&line, "error", dx_err_text(err));
        dx_server_log(shard->programs->server, DX_LOG_ERROR,
                      "the spawner cannot be started; it is tried again until it can", &line);
    }
    look_again(shard);
}

static void on_lost(void *owner)
{
    struct dx_programs_shard *shard = owner;
    struct dx_log_line line;

    dx_log_line_init(&line);
    dx_watch_stop(shard->loop, &shard->watch);
    shard->wants_write = false;
    dx_server_log(shard->programs->server, DX_LOG_ERROR,
                  "the spawner has died; its programs are ended and it is started anew", &line);
    look_again(shard);
}

static const struct dx_spawner_channel_callbacks channel_callbacks = {on_lost, on_want_write};

/* On the shard's thread. */
static void open_shard(void *data)
{
    struct dx_programs_shard *shard = data;

    shard->is_open = true;
    if (watch_channel(shard) != DX_OK) /* no memory for a moment */
        look_again(shard);
}

static void init_shard(struct dx_programs *programs, size_t index)
{
    struct dx_programs_shard *shard = &programs->shards[index];

    shard->programs = programs;
    shard->loop = dx_server_loop_at(programs->server, index);
    shard->channel = dx_spawner_channel(programs->spawner, (uint32_t)index);
    shard->watch.fd = -1;
    dx_timer_init(&shard->timer, reopen);
    dx_spawner_channel_attach(shard->channel, &channel_callbacks, shard);
}

static enum dx_err open_shards(struct dx_programs *programs)
{
    for (size_t i = 0; i < programs->shard_count; i++) {
        struct dx_programs_shard *shard = &programs->shards[i];
        enum dx_err err = DX_OK;

        init_shard(programs, i);
        if (shard->loop == programs->loop)
            open_shard(shard);
        else
            err = dx_loop_post(shard->loop, open_shard, shard);
        if (err != DX_OK) {
            shard->loop = NULL; /* never told to open, so not to be told to close */
            return err;
        }
        atomic_fetch_add(&programs->open_count, 1);
    }
    return DX_OK;
}

static bool ignores_sigpipe(void)
{
    struct sigaction action;

    return sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void judge_again(struct dx_timer *timer);
static void on_server_gone(struct dx_server_tenant *tenant);

enum dx_err dx_programs_new(struct dx_server *server, const struct dx_programs_options *options,
                            struct dx_programs **out)
{
    struct dx_programs *programs = calloc(1, sizeof(*programs));
    struct dx_spawner_options spawner_options = {options->spawner_path,
                                                 (uint32_t)dx_server_loop_count(server),
                                                 options->descriptor_limit, options->owns_children};
    enum dx_err err = DX_ERR_NOMEM;

    if (!programs)
        return DX_ERR_NOMEM;
    programs->server = server;
    programs->loop = dx_server_loop_at(server, 0);
    programs->options = *options;
    programs->shard_count = spawner_options.channel_count;
    programs->ignores_sigpipe = ignores_sigpipe();
    dx_timer_init(&programs->close_timer, judge_again);
    programs->shards = calloc(programs->shard_count, sizeof(*programs->shards));
    if (programs->shards)
        err = dx_spawner_start(&spawner_options, &programs->spawner);
    if (err == DX_OK)
        err = open_shards(programs);
    if (err != DX_OK) {
        dx_programs_free(programs);
        return err;
    }
    programs->tenant.free = on_server_gone;
    dx_server_keep(server, &programs->tenant);
    *out = programs;
    return DX_OK;
}

/* ---- routes ---- */

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

static void free_route(struct dx_program_route *route)
{
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
    route->path = strdup(path);
    route->directory = options->directory ? strdup(options->directory) : NULL;
    if (!copy_list(options->argv, &route->argv) || !route->path ||
        (options->directory && !route->directory))
        return DX_ERR_NOMEM;
    dx_environment_add_inherited(&route->environment, route->programs->options.inherited);
    dx_environment_add_lines(&route->environment, options->env);
    if (route->environment.err != DX_OK)
        return route->environment.err;
    route->route = (struct dx_route){.on_request = dx_program_on_request,
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
    struct dx_program_route *route;
    enum dx_err err;

    if (!options->argv || !options->argv[0])
        return DX_ERR_USAGE;
    route = calloc(1, sizeof(*route));
    if (!route)
        return DX_ERR_NOMEM;
    route->programs = programs;
    err = fill_route(route, options);
    if (err == DX_OK)
        err = dx_server_route(programs->server, path, &route->route);
    if (err != DX_OK) {
        free_route(route);
        return err;
    }
    route->next = programs->routes;
    programs->routes = route;
    return DX_OK;
}

/* ---- ending ---- */

static void kill_shard(void *data)
{
    struct dx_programs_shard *shard = data;

    for (struct dx_program *program = shard->first; program; program = program->next)
        dx_child_kill(&program->child, SIGKILL);
}

void dx_programs_kill(struct dx_programs *programs)
{
    for (size_t i = 0; i < programs->shard_count; i++) {
        struct dx_programs_shard *shard = &programs->shards[i];

        if (shard->is_told)
            continue; /* nothing is left there, and all of this may be gone when a post comes */
        if (shard->loop == programs->loop)
            kill_shard(shard);
        else
            (void)!dx_loop_post(shard->loop, kill_shard, shard); /* no memory: the ladder does it */
    }
}

/* On the shard's thread, which does not touch anything of this any more afterwards. */
static void close_shard(void *data)
{
    struct dx_programs_shard *shard = data;

    if (!shard->is_open)
        return;
    shard->is_open = false;
    dx_watch_stop(shard->loop, &shard->watch);
    dx_wheel_unset(dx_loop_wheel(shard->loop), &shard->timer);
    while (shard->first)
        dx_program_drop(shard->first);
    atomic_fetch_sub(&shard->programs->open_count, 1);
}

/* Tells each loop once; one that has no place for the post is told at the next look. */
static void tell_shards(struct dx_programs *programs)
{
    for (size_t i = 0; i < programs->shard_count; i++) {
        struct dx_programs_shard *shard = &programs->shards[i];

        if (shard->is_told || !shard->loop)
            continue;
        if (shard->loop == programs->loop)
            close_shard(shard);
        else if (dx_loop_post(shard->loop, close_shard, shard) != DX_OK)
            continue;
        shard->is_told = true;
    }
}

/* Loops of other threads may be about to open, or watch what is to be freed: the only place that waits for them. */
static void wait_for_shards(struct dx_programs *programs)
{
    const struct timespec a_moment = {0, 1000000};

    while (tell_shards(programs), atomic_load(&programs->open_count) > 0)
        nanosleep(&a_moment, NULL);
}

/* No program left → close the shards → tell. */
static void judge_again(struct dx_timer *timer)
{
    struct dx_programs *programs = dx_container_of(timer, struct dx_programs, close_timer);
    void (*on_closed)(void *user) = programs->on_closed;

    if (atomic_load(&programs->count) == 0)
        tell_shards(programs);
    if (atomic_load(&programs->open_count) > 0) {
        dx_wheel_set(dx_loop_wheel(programs->loop), timer,
                     dx_loop_now_ms(programs->loop) + CLOSE_LOOK_MS);
        return;
    }
    programs->on_closed = NULL;
    dx_loop_let_go(programs->loop);
    on_closed(programs->user);
}

void dx_programs_close(struct dx_programs *programs, void (*on_closed)(void *user), void *user)
{
    if (!programs->on_closed)
        dx_loop_hold(programs->loop); /* nothing else may be left that does */
    programs->on_closed = on_closed;
    programs->user = user;
    dx_wheel_set(dx_loop_wheel(programs->loop), &programs->close_timer,
                 dx_loop_now_ms(programs->loop));
}

static void free_memory(struct dx_programs *programs)
{
    while (programs->routes) {
        struct dx_program_route *route = programs->routes;

        programs->routes = route->next;
        free_route(route);
    }
    free(programs->shards);
    free(programs);
}

static void on_server_gone(struct dx_server_tenant *tenant)
{
    free_memory(dx_container_of(tenant, struct dx_programs, tenant));
}

void dx_programs_free(struct dx_programs *programs)
{
    if (!programs)
        return;
    if (programs->shards)
        wait_for_shards(programs);
    dx_wheel_unset(dx_loop_wheel(programs->loop), &programs->close_timer);
    if (programs->on_closed)
        dx_loop_let_go(programs->loop);
    dx_spawner_stop(programs->spawner);
    if (!programs->tenant.free) /* it was not made whole */
        free_memory(programs);
}
