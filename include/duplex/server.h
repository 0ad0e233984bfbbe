/*
 * duplex/server.h - a WebSocket and HTTP/1.1 server: listeners, routes, limits, its connections, ending. What a route does
 * with a request is in duplex/request.h, files in duplex/files.h.
 *
 * A server belongs to the loop it is made on, which accepts. With `threads` above 1 it runs further loops on threads of its
 * own and hands each new connection to the least loaded; a request's and a connection's callbacks come on its own loop's thread.
 */
#ifndef DUPLEX_SERVER_H
#define DUPLEX_SERVER_H

#include <duplex/connection.h>
#include <duplex/log.h>
#include <duplex/tls.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dx_server;
struct dx_request; /* duplex/request.h */

struct dx_server_options {
    size_t size;
    /* Of every WebSocket; a route may have its own. NULL: what dx_connection_options_init says. */
    const struct dx_connection_options *connection;
    uint32_t
        handshake_timeout_ms; /* absolute, from accept to the end of the request's head, TLS included; also a kept-alive connection's wait */
    uint32_t
        max_connections; /* WebSockets and HTTP connections; 0: the descriptor limit less 64; above it: 503 */
    uint64_t
        max_memory; /* of all buffers, the same share for each loop; from 7/8 of it on new handshakes and bodies get 503; what waits in dx_server_send may be as much again */
    uint32_t threads; /* 1 to 64 */
    /* Which Origins may open a WebSocket, each "same", "any", "null", an origin with an optional
     * wildcard (https:, two slashes, *.example.org); NULL: "same", and any
     * loopback Origin on a loopback listener. A request without Origin is admitted. Else 403. */
    const char *const *origins;
    size_t origin_count;
    /* What Host may name besides loopback names and the listening address; checked when host_count is not 0 or the listener is
     * a loopback one. Else 421. */
    const char *const *hosts;
    size_t host_count;
    const char *const
        *subprotocols; /* in order of preference; none offered or none in common: none answered */
    size_t subprotocol_count;
    const struct dx_log_sink *log; /* NULL: nothing is logged */
};

static inline struct dx_server_options dx_server_options_init(void)
{
    struct dx_server_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.handshake_timeout_ms = 10000;
    options.max_memory = 268435456;
    options.threads = 1;
    return options;
}

/** Makes a server on `loop`; `options` may be NULL. The options are copied, with all that they point to. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_USAGE (an origin or host that is none), DX_ERR_SYSTEM, DX_ERR_DESCRIPTORS. */
DX_API DX_MUST_CHECK enum dx_err dx_server_new(struct dx_loop *loop,
                                               const struct dx_server_options *options,
                                               struct dx_server **server);

/**
 * Listens on `address`: "PORT" (both loopback addresses), "HOST:PORT", "[IPv6]:PORT", "*:PORT", "unix:PATH" (mode 0600 from its
 * first moment, removed at the end, a stale one replaced), "fd:N" (inherited). Port 0 picks one (the same for both loopbacks). With `tls`
 * it speaks TLS. `why` gets one line for people on failure. A unix socket counts as no loopback listener: who reaches it may be
 * a proxy for the whole world.
 *
 * Returns DX_OK, DX_ERR_USAGE (not an address), DX_ERR_ADDRESS_IN_USE, DX_ERR_ACCESS, DX_ERR_NOT_FOUND (the path's directory),
 * DX_ERR_RESOLVE, DX_ERR_DESCRIPTORS, DX_ERR_SYSTEM, DX_ERR_NOMEM, DX_ERR_STATE (the server ends), DX_ERR_TOO_MANY (64 addresses; "PORT" is two).
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_listen(struct dx_server *server, const char *address,
                                                  struct dx_tls *tls, char *why, size_t why_len);

/** The `index`th bound address as an http(s) URL that can be clicked ("http://127.0.0.1:8080/", "unix:/run/x"); NULL beyond the last. */
DX_API const char *dx_server_url(const struct dx_server *server, size_t index);

/* What a route does with a request. Copied; what it points to must outlive the server's last connection. */
struct dx_route {
    size_t size;
    /* Decides: one of the answers of duplex/request.h, now or later. A request that asks for a WebSocket has passed the
     * handshake's, the origin's and the host's rules already; one with a body has it whole. */
    void (*on_request)(struct dx_request *request, void *user);
    /* The peer has gone, or the server ends, before the answer (only for requests kept for later): the pointer is invalid
     * afterwards. A peer that ends its side while it waits has gone. */
    void (*on_abandoned)(struct dx_request *request, void *user);
    void *user;
    bool wants_upgrades; /* gets requests for a WebSocket */
    bool
        wants_plain; /* gets all others; a path with neither is 404, an upgrade-only path answers 426 to plain requests */
    bool is_exact; /* only its path, not what is below; a slash at the path's end does not count */
    const char *
        methods; /* of plain requests: "GET, POST", GET takes HEAD along; others get 405 with Allow; NULL: all */
    /* The longest body that is read, before on_request: longer ones get 413, less than 16 KiB of it (or the rest) within
     * message_timeout 408. It counts against max_memory as it comes: 503 when that is short. 0: none is read; a request that
     * has one is answered as if it had none, and its connection ends then. */
    size_t max_body;
    /* At dx_server_close, in place of dx_connection_close(connection, 1001, …): begin your own ending, which must lead to
     * on_close. Once for each connection of this route, however long that takes. NULL: Close 1001. */
    void (*on_shutdown)(struct dx_connection *connection, void *user);
    /* Of this route's WebSockets, copied; NULL: the server's. Its deadlines and max_queue count for plain answers, too. */
    const struct dx_connection_options *connection;
};

static inline struct dx_route dx_route_init(void)
{
    struct dx_route route = DX_ZEROED;

    route.size = sizeof(route);
    return route;
}

/**
 * Adds a route for `path` and all below it ("/a" is "/a" and "/a/b", not "/ab"), or, with is_exact, for it alone. A part
 * ":name" stands for any one part of a path (dx_request_param). Where several routes match, the one with more parts wins, then
 * the one whose first differing part is a text and not a ":name", then an exact one. One path may have several routes: for upgrades,
 * and for plain requests with different methods. The path is chosen first: a method that only another path takes is 405. Before the
 * first listen. Paths are compared decoded: %2F is a slash like any other.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_USAGE (no leading slash, no on_request, a ":name" without name or twice, taken, neither kind wanted, methods
 * that are none), DX_ERR_STATE (listening already), DX_ERR_TOO_MANY (1,024 routes).
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_route(struct dx_server *server, const char *path,
                                                 const struct dx_route *route);

/*
 * ---- its connections ----
 *
 * By id, from any thread, whichever loop they are on. An id that names no connection any more is harmless. Nothing is done inside
 * these functions, also not on the connection's own thread; for each loop calls are made in their order. Not once
 * dx_server_free has been called, but in callbacks of this server: there they return DX_ERR_CLOSED.
 */

/**
 * Sends a whole message to the connection with that id, as dx_connection_send does; copied. In the order of the calls of one
 * thread. What the connection itself refuses (closed, queue full) is not told.
 *
 * Returns DX_OK (it is on its way, if there is such a connection), DX_ERR_USAGE (neither text nor binary), DX_ERR_TOO_BIG (4 GiB),
 * DX_ERR_NOMEM, DX_ERR_QUEUE_FULL (65,536 calls wait for that loop, or with this one more bytes than its share of max_memory),
 * DX_ERR_NOT_FOUND (an id that this server cannot have given), DX_ERR_CLOSED (the server is being freed).
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_send(struct dx_server *server, uint64_t id,
                                                enum dx_opcode opcode, const void *data,
                                                size_t len);

/** Begins its closing handshake (dx_connection_close). Returns as dx_server_send; DX_ERR_USAGE for a code that must not be sent. */
DX_API DX_MUST_CHECK enum dx_err dx_server_close_connection(struct dx_server *server, uint64_t id,
                                                            uint16_t code, const char *reason,
                                                            size_t reason_len);

/**
 * Calls `call` once on that connection's loop, with NULL when it has gone (on the loop it was on). One that still waits when the server
 * is freed comes with NULL from inside dx_server_free.
 *
 * Returns DX_OK; DX_ERR_NOMEM, DX_ERR_QUEUE_FULL, DX_ERR_NOT_FOUND, DX_ERR_CLOSED as dx_server_send: it is not called.
 */
DX_API DX_MUST_CHECK enum dx_err
dx_server_call(struct dx_server *server, uint64_t id,
               void (*call)(struct dx_connection *connection, void *user), void *user);

/**
 * Calls `call` for each WebSocket whose on_close has not come, each on its own loop's thread, later, several threads at once; then
 * `done` (may be NULL) once, on the thread that was last. Closing, sending and aborting in `call` is fine. When the server is freed
 * before, `done` comes at latest from inside dx_server_free, and `call` for no more of them.
 *
 * Returns DX_OK; DX_ERR_USAGE (no `call`), DX_ERR_NOMEM, DX_ERR_QUEUE_FULL, DX_ERR_CLOSED as dx_server_send: nothing is called.
 */
DX_API DX_MUST_CHECK enum dx_err
dx_server_each_connection(struct dx_server *server,
                          void (*call)(struct dx_connection *connection, void *user),
                          void (*done)(void *user), void *user);

/** Begins the closing handshake of all WebSockets; the server goes on. Errors as dx_server_close_connection. */
DX_API DX_MUST_CHECK enum dx_err dx_server_close_all(struct dx_server *server, uint16_t code,
                                                     const char *reason, size_t reason_len);

/** Open WebSockets of all loops. Any thread. */
DX_API size_t dx_server_connection_count(const struct dx_server *server);

/* ---- ending ---- */

/**
 * Stops accepting; closes what is idle, answers 503 to what is undecided (on_abandoned), gives answers on their way
 * close_timeout; sends Close 1001 to each WebSocket at a random moment within `drain_ms` (or calls its route's on_shutdown), lets
 * them end (at most close_timeout each), and then calls `on_closed`, once, never from inside this call. Calling it again with 0
 * shortens the drain; `on_closed` is replaced when it is not NULL.
 */
DX_API void dx_server_close(struct dx_server *server, uint32_t drain_ms,
                            void (*on_closed)(void *user), void *user);

/**
 * Frees the server, aborting whatever is left, on every loop; joins its threads: on the thread of the server's own loop, never
 * inside a callback on one of the others. Its connections' on_close and its requests' on_abandoned come before it returns; inside a
 * callback of its own loop, or when that is one of duplex/uv.h, those of that loop come at the turn's end. Nothing is logged
 * afterwards. Before dx_loop_free. NULL is fine.
 */
DX_API void dx_server_free(struct dx_server *server);

#ifdef __cplusplus
}
#endif
#endif
