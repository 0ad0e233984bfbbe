/*
 * shard.c - what the programs of one loop share: their list, and the channel to the spawner. Also
 * counts the programs of all loops.
 *
 * The life of a program is in program.c; closing all shards is in programs.c.
 */
#include "bridge/program/programs.h"

#include "bridge/program/program.h"
#include "server/core/log.h"

/* What has failed for want of memory or of a spawner is tried again after this time. */
#define RETRY_MS 20

static void retry_soon(struct dx_programs_shard *shard)
{
    dx_wheel_set(dx_loop_wheel(shard->loop), &shard->timer, dx_loop_now_ms(shard->loop) + RETRY_MS);
}

/* ---- what dx_programs_close waits for ---- */

/* Has the server's own loop continue the closing. False: there is no memory for the post. */
static bool report(struct dx_programs_shard *shard)
{
    struct dx_programs *programs = shard->programs;

    if (!atomic_load(&programs->is_closing))
        return true;
    if (shard->loop != programs->loop)
        return dx_loop_post(programs->loop, programs->advance, programs) == DX_OK;
    dx_wheel_set(dx_loop_wheel(programs->loop), &programs->close_timer,
                 dx_loop_now_ms(programs->loop));
    return true;
}

/* The last shard reports before it is counted: dx_programs_free waits for the count only. */
void dx_programs_shard_closed(struct dx_programs_shard *shard)
{
    struct dx_programs *programs = shard->programs;
    bool is_reported;

    pthread_mutex_lock(&programs->lock);
    is_reported = programs->open_count > 1 || programs->is_freeing || report(shard);
    if (is_reported && --programs->open_count == 0)
        pthread_cond_signal(&programs->all_closed);
    pthread_mutex_unlock(&programs->lock);
    if (!is_reported)
        retry_soon(shard);
}

/* ---- the programs ---- */

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

void dx_programs_leave(struct dx_programs_shard *shard)
{
    if (atomic_fetch_sub(&shard->programs->count, 1) == 1 && !report(shard))
        retry_soon(shard);
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

/* ---- the channel of a loop ---- */

static void channel_ready(struct dx_watch *watch, unsigned events)
{
    struct dx_programs_shard *shard = dx_container_of(watch, struct dx_programs_shard, watch);

    (void)events;
    dx_spawner_channel_ready(shard->channel);
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
        retry_soon(shard);
}

static void reopen(struct dx_programs_shard *shard)
{
    enum dx_err err = DX_OK;

    if (dx_spawner_channel_fd(shard->channel) < 0)
        err = dx_spawner_channel_reopen(shard->channel);
    if (err == DX_OK)
        err = watch_channel(shard);
    if (err == DX_OK) {
        shard->failure_is_logged = false;
        return;
    }
    if (err != DX_ERR_AGAIN && !shard->failure_is_logged) {
        struct dx_log_line line;

        shard->failure_is_logged = true;
        dx_log_line_init(&line);
        dx_log_line_text(&line, "error", dx_err_text(err));
        dx_server_log(shard->programs->server, DX_LOG_ERROR,
                      "the spawner cannot be started; trying again", &line);
    }
    retry_soon(shard);
}

static void on_lost(void *owner)
{
    struct dx_programs_shard *shard = owner;
    struct dx_log_line line;

    dx_log_line_init(&line);
    dx_watch_stop(shard->loop, &shard->watch);
    shard->wants_write = false;
    dx_server_log(shard->programs->server, DX_LOG_ERROR,
                  "the spawner has died: its programs were killed, and another one is started",
                  &line);
    retry_soon(shard);
}

static void on_timer(struct dx_timer *timer)
{
    struct dx_programs_shard *shard = dx_container_of(timer, struct dx_programs_shard, timer);

    if (!shard->is_open) {
        dx_programs_shard_closed(shard);
        return;
    }
    reopen(shard);
    if (atomic_load(&shard->programs->count) == 0 && !report(shard))
        retry_soon(shard);
}

static const struct dx_spawner_channel_callbacks channel_callbacks = {on_lost, on_want_write};

void dx_programs_shard_open(void *data)
{
    struct dx_programs_shard *shard = data;

    shard->is_open = true;
    if (watch_channel(shard) != DX_OK) /* out of memory */
        retry_soon(shard);
}

void dx_programs_shard_init(struct dx_programs *programs, size_t index)
{
    struct dx_programs_shard *shard = &programs->shards[index];

    shard->programs = programs;
    shard->loop = dx_server_loop_at(programs->server, index);
    shard->channel = dx_spawner_channel(programs->spawner, (uint32_t)index);
    shard->watch.fd = -1;
    dx_timer_init(&shard->timer, on_timer);
    dx_spawner_channel_attach(shard->channel, &channel_callbacks, shard);
}
