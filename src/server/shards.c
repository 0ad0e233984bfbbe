/*
 * shards.c - makes the shards of a server with their loops and threads; ends and frees them. Not
 * responsible for what happens on their streams.
 */
#include "server/server.h"

#include "base/container.h"
#include "server/connections/websocket.h"
#include "server/exchange/transport.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/* How many turns a loop may need for the last callbacks of connections that were cut. */
#define CUT_TURNS_MAX 1000

/* A drain has at most this many steps, and none is shorter than this. */
#define DRAIN_STEPS_MAX 256
#define DRAIN_STEP_MS 5

static void on_drain_step(struct dx_timer *timer);

static void *run_thread(void *data)
{
    struct dx_shard *shard = data;
    enum dx_err err = dx_loop_run(shard->loop);
    int turn = 0;

    dx_shard_cut(shard);
    do {
        err = dx_loop_dispatch(shard->loop);
    } while (err == DX_OK && atomic_load(&shard->stream_count) > 0 && ++turn < CUT_TURNS_MAX);
    return NULL;
}

/* The thread blocks all signals: they belong to the host's threads. */
static enum dx_err start_thread(struct dx_shard *shard)
{
    sigset_t all, old;
    int failed;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    shard->has_thread = true; /* before the thread runs: it reads this */
    failed = pthread_create(&shard->thread, NULL, run_thread, shard);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return failed == 0 ? DX_OK : DX_ERR_SYSTEM;
}

static enum dx_err start_loop(struct dx_shard *shard, size_t max_memory)
{
    enum dx_err err = dx_loop_new(&shard->loop);

    if (err != DX_OK)
        return err;
    dx_loop_set_max_memory(shard->loop, max_memory);
    dx_loop_hold(shard->loop);
    err = start_thread(shard);
    if (err == DX_OK)
        return DX_OK;
    dx_loop_let_go(shard->loop);
    dx_loop_free(shard->loop);
    return err;
}

enum dx_err dx_shard_new(struct dx_server *server, uint32_t index, struct dx_loop *loop,
                         size_t max_memory, struct dx_shard **shard)
{
    struct dx_shard *made = calloc(1, sizeof(*made));
    enum dx_err err = DX_OK;

    if (made == NULL)
        return DX_ERR_NOMEM;
    made->server = server;
    made->loop = loop;
    dx_timer_init(&made->drain_timer, on_drain_step);
    dx_registry_init(&made->registry, index);
    err = dx_calls_init(&made->calls);
    if (err != DX_OK) {
        free(made);
        return err;
    }
    if (loop == NULL)
        err = start_loop(made, max_memory);
    else
        dx_loop_set_max_memory(loop, max_memory);
    if (err != DX_OK) {
        dx_shard_free(made);
        return err;
    }
    *shard = made;
    return DX_OK;
}

void dx_shard_cut(struct dx_shard *shard)
{
    struct dx_transport *next;
    struct dx_connection *connection;
    uint32_t place = 0;

    atomic_store(&shard->state, DX_SHARD_CUT);
    dx_wheel_unset(dx_loop_wheel(shard->loop), &shard->drain_timer);
    for (struct dx_transport *transport = shard->transports; transport != NULL; transport = next) {
        next = transport->next;
        transport->operations->cut(transport);
    }
    while ((connection = dx_registry_next(&shard->registry, &place)) != NULL)
        dx_connection_abort(connection, DX_ERR_CLOSED, "the server is freed");
}

void dx_shard_stop(struct dx_shard *shard)
{
    if (shard->has_thread)
        dx_loop_stop(shard->loop);
}

void dx_shard_join(struct dx_shard *shard)
{
    if (shard->has_thread)
        (void)pthread_join(shard->thread, NULL);
}

void dx_shard_drop(struct dx_shard *shard)
{
    dx_calls_drop(shard);
    if (!shard->has_thread)
        return;
    dx_loop_let_go(shard->loop);
    dx_loop_free(shard->loop);
    shard->loop = NULL;
    shard->has_thread = false;
}

void dx_shard_free(struct dx_shard *shard)
{
    if (shard == NULL)
        return;
    dx_registry_release(&shard->registry);
    dx_calls_release(&shard->calls);
    free(shard);
}

static uint64_t next_random(struct dx_shard *shard)
{
    shard->random ^= shard->random << 13;
    shard->random ^= shard->random >> 7;
    shard->random ^= shard->random << 17;
    return shard->random;
}

static bool is_cut(const struct dx_shard *shard)
{
    return atomic_load(&shard->state) == DX_SHARD_CUT;
}

/*
 * Each WebSocket that is left is shut down in this step with a chance of one in the steps that are
 * left. So every moment of the drain is equally likely, and no connection carries a timer for it. A
 * handler that is called here may free the server, which cuts the shard.
 */
static void drain_one_step(struct dx_shard *shard)
{
    uint32_t steps = shard->drain_steps;
    struct dx_connection *connection;
    uint32_t place = 0;

    while (!is_cut(shard) && (connection = dx_registry_next(&shard->registry, &place)) != NULL)
        if (steps <= 1 || next_random(shard) % steps == 0)
            dx_server_websocket_shut_down(dx_connection_owner(connection));
    if (steps <= 1 || is_cut(shard))
        return;
    shard->drain_steps--;
    dx_wheel_set(dx_loop_wheel(shard->loop), &shard->drain_timer,
                 dx_loop_now_ms(shard->loop) + shard->drain_step_ms);
}

static void on_drain_step(struct dx_timer *timer)
{
    drain_one_step(dx_container_of(timer, struct dx_shard, drain_timer));
}

static void begin_drain(struct dx_shard *shard, uint32_t drain_ms)
{
    uint32_t steps = drain_ms / DRAIN_STEP_MS;

    steps = steps < 1 ? 1 : steps > DRAIN_STEPS_MAX ? DRAIN_STEPS_MAX : steps;
    shard->drain_steps = steps;
    shard->drain_step_ms = drain_ms / steps;
    if (!dx_loop_fill_random((uint8_t *)&shard->random, sizeof(shard->random), shard->loop))
        shard->random = dx_loop_now_ms(shard->loop);
    shard->random |= 1;
    drain_one_step(shard);
}

void dx_shard_close(struct dx_shard *shard, uint32_t drain_ms)
{
    struct dx_transport *next;

    if (is_cut(shard))
        return;
    if (atomic_load(&shard->state) == DX_SHARD_OPEN) {
        atomic_store(&shard->state, DX_SHARD_CLOSING);
        for (struct dx_transport *transport = shard->transports; transport != NULL;
             transport = next) {
            next = transport->next;
            transport->operations->shut_down(transport);
        }
    }
    begin_drain(shard, drain_ms);
    dx_shard_check_closed(shard);
}
