/*
 * shard.c - what a shard counts: its streams, answers and refusals, and what follows when the last
 * stream is gone. Not responsible for making and ending shards (server/shards.c).
 */
#include "server/core/shard.h"

void dx_shard_check_closed(struct dx_shard *shard)
{
    if (atomic_load(&shard->state) != DX_SHARD_CLOSING || atomic_load(&shard->stream_count) > 0)
        return;
    dx_wheel_unset(dx_loop_wheel(shard->loop), &shard->drain_timer);
    atomic_store(&shard->state, DX_SHARD_CLOSED);
}

/* The last stream on the server's own loop is gone. */
static void on_server_empty(struct dx_server *server)
{
    enum dx_server_state state = atomic_load(&server->state);

    if (state == DX_SERVER_FREED)
        dx_loop_free_later(server->loop, &server->free_task);
    else if (state == DX_SERVER_CLOSING)
        dx_loop_timer_set(server->close_timer, 0);
}

void dx_shard_add_stream(struct dx_shard *shard)
{
    atomic_fetch_add(&shard->stream_count, 1);
    atomic_fetch_add(&shard->server->stream_count, 1);
}

void dx_shard_forget_stream(struct dx_shard *shard)
{
    atomic_fetch_sub(&shard->server->stream_count, 1);
    if (atomic_fetch_sub(&shard->stream_count, 1) > 1)
        return;
    dx_shard_check_closed(shard);
    if (!shard->has_thread)
        on_server_empty(shard->server);
}

void dx_shard_count_refusal(struct dx_shard *shard, bool is_new)
{
    if (is_new)
        dx_counter_add(&shard->counters.streams_accepted, 1);
    dx_counter_add(&shard->counters.streams_refused, 1);
}

void dx_shard_count_response(struct dx_shard *shard, unsigned status)
{
    if (status >= 100 && status < 600)
        dx_counter_add(&shard->counters.responses[status / 100 - 1], 1);
}

bool dx_shard_is_short_of_memory(const struct dx_shard *shard)
{
    const struct dx_pool *pool = dx_loop_pool(shard->loop);

    return dx_pool_used(pool) > pool->limit_len - pool->limit_len / 8;
}
