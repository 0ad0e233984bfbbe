/*
 * shard.h - the part of a server that lives on one loop: its HTTP connections and its WebSockets.
 */
#ifndef DX_SERVER_SHARD_H
#define DX_SERVER_SHARD_H

#include "connection/connection.h"
#include "server/connections/calls.h"
#include "server/connections/registry.h"
#include "server/server.h"

struct dx_http_connection;

/* What duplex/metrics.h tells of one shard; each is changed on its loop alone. */
struct dx_shard_counters {
    struct dx_counter streams_accepted, streams_refused;
    struct dx_counter websockets_opened, websockets_closed_clean, websockets_closed_broken;
    struct dx_counter requests;
    struct dx_counter responses[5];
};

struct dx_shard {
    struct dx_server *server;
    struct dx_loop *loop;
    pthread_t thread;
    bool has_thread; /* the loop is ours and runs on it */
    bool is_closing;
    bool is_cut;                /* its server is being freed */
    atomic_size_t stream_count; /* of this shard, those under way to it included */
    atomic_bool is_closed;      /* the ending has begun here, and nothing is left */
    uint32_t
        told_round; /* the last dx_server_close that was posted to it; the server's own loop's */
    struct dx_http_connection *http_connections;
    struct dx_registry registry; /* its WebSockets */
    struct dx_calls calls;       /* by id, from any thread */
    struct dx_traffic traffic;
    struct dx_shard_counters counters;
    struct dx_timer drain_timer;
    uint32_t drain_steps; /* how many are left */
    uint32_t drain_step_ms;
    uint64_t random;
};

/** Makes the `index`th shard on `loop`, or, when that is NULL, on a loop and thread of its own, whose buffers have `max_memory` bytes. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_SYSTEM, DX_ERR_DESCRIPTORS. */
DX_MUST_CHECK enum dx_err dx_shard_new(struct dx_server *server, uint32_t index,
                                       struct dx_loop *loop, size_t max_memory,
                                       struct dx_shard **shard);

/** Cuts everything on the shard: on_abandoned and on_close follow in this turn or the next. On the shard's loop. */
void dx_shard_cut(struct dx_shard *shard);

/** Tells the shard's thread, if it has one, to end with everything on its loop; and waits until it has. */
void dx_shard_stop(struct dx_shard *shard);
void dx_shard_join(struct dx_shard *shard);

/** Drops the calls that wait; frees the loop, if it is the shard's own, when all threads are joined. */
void dx_shard_drop(struct dx_shard *shard);

/** Frees the shard, on which nothing is left. NULL is fine. */
void dx_shard_free(struct dx_shard *shard);

/** Hands an accepted descriptor to the shard, which owns it from now on, whatever happens. On the server's loop. */
void dx_shard_give(struct dx_shard *shard, int fd, const struct dx_address *peer,
                   struct dx_server_listener *listener);

/** A stream of the shard is gone: an HTTP connection that did not become a WebSocket, or a WebSocket. */
void dx_shard_forget_stream(struct dx_shard *shard);

/** Begins to end, or shortens a drain. On the shard's loop. */
void dx_shard_close(struct dx_shard *shard, uint32_t drain_ms);

/** Counts a stream that was refused for want of something; `is_new`: that it was accepted is not counted yet. On the shard's loop. */
void dx_shard_count_refusal(struct dx_shard *shard, bool is_new);

/** Counts an answer of that status. On the shard's loop. */
void dx_shard_count_response(struct dx_shard *shard, unsigned status);

/** Whether new handshakes are to be refused because the buffers are nearly at their limit. */
bool dx_shard_is_short_of_memory(const struct dx_shard *shard);

#endif
