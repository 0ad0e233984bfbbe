/*
 * programs.c - what the programs of a server have in common: the spawner, a shard for each loop, and their end.
 */
#include "bridge/program/programs.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/sized.h"
#include "bridge/program/program.h"
#include "server/server.h"

/* While everything is being closed: how often to look whether it is. Loops do not report, so that no report can come
 * when all of this is freed. */
#define CLOSE_LOOK_MS 5

static enum dx_err open_shards(struct dx_programs *programs)
{
    for (size_t i = 0; i < programs->shard_count; i++) {
        struct dx_programs_shard *shard = &programs->shards[i];
        enum dx_err err = DX_OK;

        dx_programs_shard_init(programs, i);
        if (shard->loop == programs->loop)
            dx_programs_shard_open(shard);
        else
            err = dx_loop_post(shard->loop, dx_programs_shard_open, shard);
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
    struct dx_programs_options own = dx_programs_options_init();
    struct dx_spawner_options spawner_options;
    struct dx_programs *programs;
    enum dx_err err = DX_SIZED_COPY(struct dx_programs_options, descriptor_limit, &own, options);

    if (err != DX_OK)
        return err;
    spawner_options =
        (struct dx_spawner_options){own.spawner_path, (uint32_t)dx_server_loop_count(server),
                                    own.descriptor_limit, own.owns_children};
    err = DX_ERR_NOMEM;
    programs = calloc(1, sizeof(*programs));
    if (!programs)
        return DX_ERR_NOMEM;
    programs->server = server;
    programs->loop = dx_server_loop_at(server, 0);
    programs->options = own;
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

size_t dx_programs_count(const struct dx_programs *programs)
{
    return atomic_load(&programs->count);
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
    dx_programs_free_routes(programs);
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
