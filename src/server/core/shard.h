/*
 * shard.h - the part of a server that lives on one loop: its HTTP connections and its WebSockets.
 *
 * Here are the data and what any file of server/ may do with it. Making and ending shards is in
 * server/server.h. Everything is called on the shard's loop, unless it says otherwise.
 */
#ifndef DX_SERVER_CORE_SHARD_H
#define DX_SERVER_CORE_SHARD_H

#include "base/counter.h"
#include "connection/connection.h"
#include "server/core/calls.h"
#include "server/core/registry.h"
#include "server/core/server.h"

struct dx_transport;

/* What <duplex/metrics.h> reports of one shard. Only the shard's loop changes them. */
struct dx_shard_counters {
    struct dx_counter streams_accepted, streams_refused;
    struct dx_counter websockets_opened, websockets_closed_clean, websockets_closed_broken;
    struct dx_counter requests;
    struct dx_counter responses[5]; /* by class of status: 1xx to 5xx */
};

/* A shard's life. It only moves down this list. */
enum dx_shard_state {
    DX_SHARD_OPEN = 0,
    DX_SHARD_CLOSING, /* the server ends: no new streams, no new requests */
    DX_SHARD_CLOSED,  /* it was closing, and nothing is left */
    DX_SHARD_CUT,     /* its server is being freed: every connection was cut */
};

struct dx_shard {
    struct dx_server *server;
    struct dx_loop *loop;
    pthread_t thread;
    bool has_thread;                   /* the loop is ours and runs on `thread` */
    _Atomic enum dx_shard_state state; /* set on its loop; the server's loop reads it, too */
    atomic_size_t stream_count;        /* of this shard, those on their way to it included */
    uint32_t posted_round; /* the last dx_server_close it was sent; the server's loop uses it */
    struct dx_transport *transports; /* its HTTP connections */
    struct dx_registry registry;     /* its WebSockets */
    struct dx_calls calls;           /* by id, from any thread */
    struct dx_traffic traffic;
    struct dx_shard_counters counters;
    struct dx_timer drain_timer;
    uint32_t drain_steps; /* how many are left */
    uint32_t drain_step_ms;
    uint64_t random;
};

/** Counts a stream more, on its way to the shard or held until a last callback has returned. */
void dx_shard_add_stream(struct dx_shard *shard);

/**
 * Counts a stream less: an HTTP connection that did not become a WebSocket, or a WebSocket. The
 * last one may end the shard, or free a server that was freed inside a callback.
 */
void dx_shard_forget_stream(struct dx_shard *shard);

/** A closing shard without streams is closed from here on. */
void dx_shard_check_closed(struct dx_shard *shard);

/** Whether the shard takes no more streams and requests. */
static inline bool dx_shard_is_closing(const struct dx_shard *shard)
{
    return atomic_load(&shard->state) >= DX_SHARD_CLOSING;
}

/** Counts a refused stream. `is_new`: that it was accepted is not counted yet. */
void dx_shard_count_refusal(struct dx_shard *shard, bool is_new);

/** Counts an answer by its status. */
void dx_shard_count_response(struct dx_shard *shard, unsigned status);

/** Whether buffers are so near their limit that new handshakes and bodies are refused. */
bool dx_shard_is_short_of_memory(const struct dx_shard *shard);

#endif
