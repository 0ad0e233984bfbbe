/*
 * close.c - how a server ends, on all its loops: it begins in a turn of its own, is posted to each
 * loop, and is done when all of them are empty. What ending means for one loop is in shards.c.
 */
#include "server/server.h"

/*
 * How often the server's loop checks whether the others are done. They do not report, so that no
 * report can be lost.
 */
#define CHECK_MS 10

static void on_posted(void *data)
{
    struct dx_shard *shard = data;

    dx_shard_close(shard, atomic_load(&shard->server->drain_ms));
}

/* A full queue of posts leaves no loop out: the next check posts again. */
static void post_close(struct dx_server *server, struct dx_shard *shard)
{
    if (shard->posted_round == server->close_round)
        return;
    if (!shard->has_thread)
        on_posted(shard);
    else if (dx_loop_post(shard->loop, on_posted, shard) != DX_OK)
        return;
    shard->posted_round = server->close_round;
}

static bool is_done(const struct dx_server *server)
{
    for (size_t index = 0; index < server->shard_count; index++)
        if (atomic_load(&server->shards[index]->state) < DX_SHARD_CLOSED)
            return false;
    return true;
}

void dx_server_on_close_timer(void *user)
{
    struct dx_server *server = user;

    for (size_t index = 0; index < server->shard_count; index++) {
        post_close(server, server->shards[index]);
        if (dx_server_is_freed(server)) /* by a handler that was called just now */
            return;
    }
    if (!is_done(server)) {
        dx_loop_timer_set(server->close_timer, CHECK_MS);
        return;
    }
    atomic_store(&server->state, DX_SERVER_CLOSED);
    /* The last stream of this loop may have set it again just now. */
    dx_loop_timer_unset(server->close_timer);
    if (server->on_closed != NULL)
        server->on_closed(server->on_closed_user);
}

void dx_server_close(struct dx_server *server, uint32_t drain_ms, void (*on_closed)(void *user),
                     void *user)
{
    if (atomic_load(&server->state) >= DX_SERVER_CLOSED)
        return;
    atomic_store(&server->state, DX_SERVER_CLOSING);
    if (on_closed != NULL) {
        server->on_closed = on_closed;
        server->on_closed_user = user;
    }
    atomic_store(&server->drain_ms, drain_ms);
    server->close_round++;
    dx_server_stop_listening(server);
    dx_loop_timer_set(server->close_timer, 0);
}
