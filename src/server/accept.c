/*
 * accept.c - gives an accepted descriptor to its shard, which may be on another thread, and makes a
 * connection of it there.
 */
#include "server/server.h"

#include "server/core/log.h"
#include "server/http1/http_transport.h"

#include <stdlib.h>
#include <unistd.h>

/* An accepted descriptor on its way to another loop. */
struct handoff {
    struct dx_shard *shard;
    struct dx_server_listener *listener;
    struct dx_address peer;
    int fd;
};

static void take(struct dx_shard *shard, int fd, const struct dx_address *peer,
                 struct dx_server_listener *listener)
{
    struct dx_log_line line;
    enum dx_err err;

    if (dx_shard_is_closing(shard)) {
        (void)close(fd);
        dx_shard_forget_stream(shard);
        return;
    }
    err = dx_http_transport_new(shard, fd, peer, listener);
    if (err == DX_OK)
        return;
    dx_shard_count_refusal(shard, false);
    dx_log_line_init(&line);
    dx_log_line_text(&line, "err", dx_err_name(err));
    dx_server_log(shard->server, DX_LOG_WARN, "a connection could not be taken", &line);
    dx_shard_forget_stream(shard);
}

static void on_handoff(void *data)
{
    struct handoff handoff = *(struct handoff *)data;

    free(data);
    take(handoff.shard, handoff.fd, &handoff.peer, handoff.listener);
}

void dx_shard_give(struct dx_shard *shard, int fd, const struct dx_address *peer,
                   struct dx_server_listener *listener)
{
    struct dx_shard *own = shard->server->shards[0];
    struct handoff *handoff;

    dx_counter_add(&own->counters.streams_accepted, 1);
    dx_shard_add_stream(shard);
    if (!shard->has_thread) {
        take(shard, fd, peer, listener);
        return;
    }
    handoff = malloc(sizeof(*handoff));
    if (handoff != NULL) {
        *handoff = (struct handoff){shard, listener, *peer, fd};
        if (dx_loop_post(shard->loop, on_handoff, handoff) == DX_OK)
            return;
    }
    free(handoff);
    (void)close(fd);
    dx_shard_count_refusal(own, false);
    atomic_fetch_sub(&shard->stream_count, 1);
    atomic_fetch_sub(&shard->server->stream_count, 1);
}
