/*
 * programs.c - all programs of a server: made with a spawner and a shard for each loop, closed,
 * freed.
 */
#include "bridge/program/programs.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/sized.h"
#include "bridge/program/program.h"
#include "server/server.h"

/* When a post has failed for want of memory, it is tried again after this time. */
#define RETRY_MS 20

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
            shard->loop = NULL; /* not open, so that it is not closed */
            return err;
        }
        programs->open_count++;
    }
    return DX_OK;
}

static bool ignores_sigpipe(void)
{
    struct sigaction action;

    return sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* ---- memory ---- */

static struct dx_programs *new_programs(void)
{
    struct dx_programs *programs = calloc(1, sizeof(*programs));

    if (!programs)
        return NULL;
    programs->reference_count = 1;
    if (pthread_mutex_init(&programs->lock, NULL) != 0) {
        free(programs);
        return NULL;
    }
    if (pthread_cond_init(&programs->all_closed, NULL) != 0) {
        pthread_mutex_destroy(&programs->lock);
        free(programs);
        return NULL;
    }
    return programs;
}

static void free_memory(struct dx_programs *programs)
{
    pthread_cond_destroy(&programs->all_closed);
    pthread_mutex_destroy(&programs->lock);
    free(programs->shards);
    free(programs);
}

void dx_programs_unref(struct dx_programs *programs)
{
    if (--programs->reference_count == 0)
        free_memory(programs);
}

static void on_close_timer(struct dx_timer *timer);
static void advance_closing(void *programs);

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
    programs = new_programs();
    if (!programs)
        return DX_ERR_NOMEM;
    programs->server = server;
    programs->loop = dx_server_loop_at(server, 0);
    programs->options = own;
    programs->ignores_sigpipe = ignores_sigpipe();
    dx_timer_init(&programs->close_timer, on_close_timer);
    programs->advance = advance_closing;
    programs->shards = calloc(spawner_options.channel_count, sizeof(*programs->shards));
    if (programs->shards) {
        programs->shard_count = spawner_options.channel_count;
        err = dx_spawner_start(&spawner_options, &programs->spawner);
    }
    if (err == DX_OK)
        err = open_shards(programs);
    if (err != DX_OK) {
        dx_programs_free(programs);
        return err;
    }
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

        if (shard->close_is_posted)
            continue; /* nothing is left there */
        if (shard->loop == programs->loop)
            kill_shard(shard);
        else
            (void)!dx_loop_post(shard->loop, kill_shard,
                                shard); /* without memory the ladder ends them */
    }
}

/* On the shard's thread. */
static void close_shard(void *data)
{
    struct dx_programs_shard *shard = data;

    shard->is_open = false;
    dx_watch_stop(shard->loop, &shard->watch);
    while (shard->first)
        dx_program_drop(shard->first);
    dx_wheel_unset(dx_loop_wheel(shard->loop), &shard->timer);
    dx_programs_shard_closed(shard);
}

/* Has each loop close its shard, once. False: there was no memory for a post. */
static bool post_closes(struct dx_programs *programs)
{
    bool all_are_posted = true;

    for (size_t i = 0; i < programs->shard_count; i++) {
        struct dx_programs_shard *shard = &programs->shards[i];

        if (shard->close_is_posted || !shard->loop)
            continue;
        shard->close_is_posted = true;
        if (shard->loop == programs->loop)
            close_shard(shard);
        else
            shard->close_is_posted = dx_loop_post(shard->loop, close_shard, shard) == DX_OK;
        all_are_posted = all_are_posted && shard->close_is_posted;
    }
    return all_are_posted;
}

static void advance_in(struct dx_programs *programs, uint64_t delay_ms)
{
    dx_wheel_set(dx_loop_wheel(programs->loop), &programs->close_timer,
                 dx_loop_now_ms(programs->loop) + delay_ms);
}

static bool are_all_closed(struct dx_programs *programs)
{
    bool are_closed;

    pthread_mutex_lock(&programs->lock);
    are_closed = programs->open_count == 0;
    pthread_mutex_unlock(&programs->lock);
    return are_closed;
}

/*
 * Closing: when no program is left the shards are closed; when they are closed, on_closed is
 * called. The end of the last program, and of the last shard, is reported by calling this again.
 */
static void advance_closing(void *data)
{
    struct dx_programs *programs = data;
    void (*on_closed)(void *user) = programs->on_closed;

    if (!on_closed || atomic_load(&programs->count) > 0)
        return;
    if (!post_closes(programs))
        advance_in(programs, RETRY_MS);
    if (!are_all_closed(programs))
        return;
    programs->on_closed = NULL;
    dx_wheel_unset(dx_loop_wheel(programs->loop), &programs->close_timer);
    dx_loop_let_go(programs->loop);
    on_closed(programs->user);
}

static void on_close_timer(struct dx_timer *timer)
{
    advance_closing(dx_container_of(timer, struct dx_programs, close_timer));
}

void dx_programs_close(struct dx_programs *programs, void (*on_closed)(void *user), void *user)
{
    if (!programs->on_closed)
        dx_loop_hold(programs->loop); /* maybe nothing else does */
    programs->on_closed = on_closed;
    programs->user = user;
    atomic_store(&programs->is_closing, true); /* before the count is read */
    advance_in(programs, 0);
}

/* Loops of other threads may be about to open their shard, or watch what is to be freed. */
static void wait_for_shards(struct dx_programs *programs)
{
    const struct timespec a_moment = {0, 1000000};

    pthread_mutex_lock(&programs->lock);
    programs->is_freeing = true;
    pthread_mutex_unlock(&programs->lock);
    while (!post_closes(programs))
        nanosleep(&a_moment, NULL); /* there is no memory for a post */
    pthread_mutex_lock(&programs->lock);
    while (programs->open_count > 0)
        pthread_cond_wait(&programs->all_closed, &programs->lock);
    pthread_mutex_unlock(&programs->lock);
}

void dx_programs_free(struct dx_programs *programs)
{
    if (!programs)
        return;
    wait_for_shards(programs);
    dx_wheel_unset(dx_loop_wheel(programs->loop), &programs->close_timer);
    dx_loop_post_cancel(programs->loop, programs); /* a report that has not been run */
    if (programs->on_closed)
        dx_loop_let_go(programs->loop);
    dx_spawner_stop(programs->spawner);
    programs->spawner = NULL;
    dx_programs_unref(programs);
}
