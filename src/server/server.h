/*
 * server.h - the inside of <duplex/server.h>: a server is settings, routes, listeners on its own loop, and one shard a loop.
 *
 * Freed inside a callback, the server lives on until its last connection on that loop has gone, at the turn's end.
 */
#ifndef DX_SERVER_SERVER_H
#define DX_SERVER_SERVER_H

#include <duplex/files.h>
#include <duplex/request.h>

#include "net/socket/listener.h"
#include "server/admission/half_open.h"
#include "server/routes/routes.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define DX_SERVER_THREADS_MAX 64
#define DX_SERVER_LISTENERS_MAX 64
#define DX_SERVER_SPARE_STREAMS                                                                    \
 32 /* above max_connections, kept to read a request and answer 503 */

/* The options, copied. */
struct dx_server_settings {
    struct dx_server_options options;
    char *text; /* what the lists' strings stand in */
    const char **lists;
};

/** Copies and checks. Returns DX_OK, DX_ERR_USAGE, DX_ERR_NOMEM. */
DX_MUST_CHECK enum dx_err dx_server_settings_init(struct dx_server_settings *settings,
                                                  const struct dx_server_options *options);
void dx_server_settings_release(struct dx_server_settings *settings);

/* One listening address, as its connections see it. Lives as long as the server. */
struct dx_server_listener {
    struct dx_server *server;
    struct dx_listener *listener; /* NULL: it listens no more */
    struct dx_tls *tls;           /* a reference of its own, or NULL */
    char *url;
    bool is_loopback; /* reached from this machine only */
    struct dx_server_listener *next;
};

struct dx_shard;

/* Embedded in what routes point to and somebody beside the server has made: its memory goes with the server's, when no loop can
 * bring a request any more. */
struct dx_server_tenant {
    struct dx_server_tenant *next;
    void (*free)(struct dx_server_tenant *tenant);
};

struct dx_server {
    struct dx_loop *loop;
    struct dx_server_settings settings;
    struct dx_routes routes;
    struct dx_server_listener *listeners;
    struct dx_shard *shards[DX_SERVER_THREADS_MAX];
    size_t shard_count;
    atomic_size_t websocket_count;
    atomic_size_t stream_count;    /* accepted and not yet closed, WebSockets included */
    struct dx_half_open half_open; /* of them, those whose first request is not complete */
    pthread_mutex_t each_lock;     /* while the parts of a dx_server_each_connection are added */
    atomic_bool is_freed;          /* being freed by its user: no more calls by id */
    atomic_bool is_silent;         /* freed by its user: nothing is logged any more */
    /* ending, on the server's own loop */
    bool is_closing;
    bool is_closed;
    bool is_orphan; /* freed by its user inside a callback */
    struct dx_turn_task free_task;
    struct dx_server_tenant *tenants;
    struct dx_loop_timer *close_timer; /* begins the ending, and looks whether all loops are done */
    uint32_t close_round;              /* counts calls of dx_server_close */
    _Atomic uint32_t drain_ms;
    void (*on_closed)(void *user);
    void *on_closed_user;
};

/** Whether that many streams are more than the server has places for, `spare` of them beside. */
bool dx_server_is_full(const struct dx_server *server, size_t stream_count, size_t spare);

/** The loops of the server: 0 is its own, the others run on threads of the server until dx_server_free. */
size_t dx_server_loop_count(const struct dx_server *server);
struct dx_loop *dx_server_loop_at(const struct dx_server *server, size_t index);

/** Calls tenant->free at the server's very end. On its own loop. */
void dx_server_keep(struct dx_server *server, struct dx_server_tenant *tenant);

/** Tells that the last stream of the shard on the server's own loop is gone. */
void dx_server_on_empty(struct dx_server *server);

/** The ending's timer, which also begins it. */
void dx_server_on_close_timer(void *server);

/** Frees what dx_server_stop_listening leaves. */
void dx_server_free_listeners(struct dx_server *server);

/** Closes the listening sockets. */
void dx_server_stop_listening(struct dx_server *server);

/** Frees the memory: nothing may be left on any loop. */
void dx_server_destroy(struct dx_server *server);

#endif
