/*
 * close.c - the ending of a server, over all its loops: begun in a turn of its own, told to each loop, done when all are
 * empty. What ending means for one loop is shard.c's.
 */
#include "server/server.h"

/* How often the server's loop looks whether the others are done: they do not report, so that no report can be lost. */
#define LOOK_MS 10

static void on_told(void *data)
{
    struct dx_shard *shard = data;

    dx_shard_close(shard, atomic_load(&shard->server->drain_ms));
}

/* A full queue of posts is no reason to leave a loop out: it is told at the next look. */
static void tell(struct dx_server *server, struct dx_shard *shard)
{
    if (shard->told_round == server->close_round)
        return;
    if (!shard->has_thread)
        on_told(shard);
    else if (dx_loop_post(shard->loop, on_told, shard) != DX_OK)
        return;
    shard->told_round = server->close_round;
}

static bool is_done(const struct dx_server *server)
{
    for (size_t index = 0; index < server->shard_count; index++)
        if (!atomic_load(&server->shards[index]->is_closed))
            return false;
    return true;
}

void dx_server_on_close_timer(void *user)
{
    struct dx_server *server = user;

    for (size_t index = 0; index < server->shard_count; index++) {
        tell(server, server->shards[index]);
        if (atomic_load(&server->is_freed)) /* by who was told */
            return;
    }
    if (!is_done(server)) {
        dx_loop_timer_set(server->close_timer, LOOK_MS);
        return;
    }
    server->is_closed = true;
    /* Whoever was the last in this very look has set it again. */
    dx_loop_timer_unset(server->close_timer);
    if (server->on_closed != NULL)
        server->on_closed(server->on_closed_user);
}

void dx_server_close(struct dx_server *server, uint32_t drain_ms, void (*on_closed)(void *user),
                     void *user)
{
    if (server->is_closed || atomic_load(&server->is_freed))
        return;
    server->is_closing = true;
    if (on_closed != NULL) {
        server->on_closed = on_closed;
        server->on_closed_user = user;
    }
    atomic_store(&server->drain_ms, drain_ms);
    server->close_round++;
    dx_server_stop_listening(server);
    dx_loop_timer_set(server->close_timer, 0);
}
