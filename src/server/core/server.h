/*
 * server.h - what a server consists of: settings, routes, listeners on its own loop, and one shard
 * for each loop.
 *
 * Only the data that all of server/ needs. The functions that make, end and free it are in
 * server/server.h.
 */
#ifndef DX_SERVER_CORE_SERVER_H
#define DX_SERVER_CORE_SERVER_H

#include "net/loop/loop.h"
#include "net/socket/listener.h"
#include "server/admission/half_open.h"
#include "server/core/settings.h"
#include "server/routes/routes.h"

#include <pthread.h>
#include <stdatomic.h>

/* Streams taken above max_connections, whose request is read and answered with 503. */
#define DX_SERVER_SPARE_STREAMS 32

struct dx_shard;

/* A listening address, as its connections see it. Lives as long as the server. */
struct dx_server_listener {
    struct dx_server *server;
    struct dx_listener *listener; /* NULL after it has stopped listening */
    struct dx_tls *tls;           /* a reference of its own, or NULL */
    char *url;
    bool is_loopback; /* only this machine can reach it */
    struct dx_server_listener *next;
};

/* A server's life. It only moves down this list. */
enum dx_server_state {
    DX_SERVER_OPEN = 0,
    DX_SERVER_CLOSING, /* dx_server_close was called */
    DX_SERVER_CLOSED,  /* all loops are done with that */
    DX_SERVER_FREEING, /* inside dx_server_free: no more calls by id */
    DX_SERVER_FREED,   /* nothing is logged any more; the last stream, if one is left, frees it */
};

struct dx_server {
    struct dx_loop *loop;
    struct dx_server_settings settings;
    struct dx_routes routes;
    struct dx_server_listener *listeners;
    struct dx_shard *shards[DX_SERVER_THREADS_MAX];
    size_t shard_count;
    atomic_size_t websocket_count;
    atomic_size_t stream_count;         /* accepted and not yet closed, WebSockets included */
    struct dx_half_open half_open;      /* those of them whose first request is not complete */
    pthread_mutex_t each_lock;          /* held while dx_server_each_connection adds its parts */
    _Atomic enum dx_server_state state; /* set on the server's own loop, read by any thread */
    /* Ending. Only the server's own loop uses these. */
    struct dx_turn_task free_task;
    struct dx_loop_timer *close_timer; /* begins to end, then checks whether all loops are done */
    uint32_t close_round;              /* how often dx_server_close was called */
    _Atomic uint32_t drain_ms;
    void (*on_closed)(void *user);
    void *on_closed_user;
};

/** Whether dx_server_free has been called. Any thread. */
static inline bool dx_server_is_freed(const struct dx_server *server)
{
    return atomic_load(&server->state) >= DX_SERVER_FREEING;
}

/** Whether `stream_count` streams exceed max_connections by more than `spare`. */
static inline bool dx_server_is_full(const struct dx_server *server, size_t stream_count,
                                     size_t spare)
{
    return stream_count > (size_t)server->settings.options.max_connections + spare;
}

#endif
