/*
 * duplex/server.h - a WebSocket and HTTP/1.1 server: listeners, routes, limits, its connections and
 * its end. What a route does with a request is in duplex/request.h, files are in duplex/files.h.
 *
 * A server belongs to the loop that it is made on, which accepts connections. With `threads` above
 * 1 it runs more loops, on threads of its own, and gives each new connection to the loop that has
 * the fewest. The callbacks of a request and of a connection come on the thread of its loop.
 *
 * Functions belong to the thread of the server's loop, unless their comment says "any thread".
 *
 * An echo server:
 *
 *     struct dx_connection_handlers handlers = dx_connection_handlers_init();
 *     struct dx_route route = dx_route_init_websocket(&handlers);
 *
 *     handlers.on_message = on_message; // which calls dx_connection_send
 *     err = dx_server_new(loop, NULL, &server);
 *     err = dx_server_route(server, "/", &route);
 *     err = dx_server_listen(server, "8080", NULL, why, sizeof(why));
 *     err = dx_loop_run(loop);
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

/*
 * Making a server
 */

struct dx_server_options {
    size_t size;

    /*
     * Limits and deadlines of every WebSocket; a route may have its own. Default NULL:
     * dx_connection_options_init.
     */
    const struct dx_connection_options *connection;

    /*
     * From accept to the end of the request's head, TLS handshake included. It also bounds how long
     * a kept-alive connection may be idle. Milliseconds; default 10,000; 0 is not allowed.
     */
    uint32_t handshake_timeout_ms;

    /* WebSockets and HTTP connections together; above it 503. Default 0: descriptor limit - 64. */
    uint32_t max_connections;

    /*
     * All buffers together; each loop has an equal share. When 7/8 of a share are used, new
     * handshakes and bodies get 503. The calls that wait in dx_server_send may need as much again.
     * Bytes; default 256 MiB.
     */
    uint64_t max_memory;

    /* Loops, each on a thread: 1 to 64; default 1. */
    uint32_t threads;

    /*
     * The Origins that may open a WebSocket; any other gets 403. Each is "same", "any", "null", or
     * an origin whose host may begin with "*.". Default NULL: "same", and on a loopback listener
     * every loopback Origin. A request without Origin is accepted.
     */
    const char *const *origins;
    size_t origin_count;

    /*
     * The hosts that the header Host may name besides loopback names and the listening address; any
     * other gets 421. It is checked if there is one here, or if the listener is a loopback one.
     * Default none.
     */
    const char *const *hosts;
    size_t host_count;

    /*
     * Subprotocols in order of preference: the first that a client offers is agreed. Default none.
     */
    const char *const *subprotocols;
    size_t subprotocol_count;

    /* Default NULL: nothing is logged. */
    const struct dx_log_sink *log;
};

/** One thread, 256 MiB, 10 s for a handshake, nothing logged. */
static inline struct dx_server_options dx_server_options_init(void)
{
    struct dx_server_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.handshake_timeout_ms = 10000;
    options.max_memory = 268435456;
    options.threads = 1;
    return options;
}

/**
 * Makes a server on a loop. With more than one thread, its other loops start to run.
 *
 * options   copied, with all that they point to; NULL: the defaults
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE         an origin or a host is invalid, threads are not 1 to 64, or
 *                        handshake_timeout_ms is 0
 *   DX_ERR_USAGE         a struct has no size, or a member that this version does not know
 *   DX_ERR_DESCRIPTORS   no descriptor is free for another loop
 *   DX_ERR_SYSTEM        the system refused, for instance a thread
 *   DX_ERR_NOMEM         out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_new(struct dx_loop *loop,
                                               const struct dx_server_options *options,
                                               struct dx_server **server);

/**
 * Listens on an address:
 *
 *     "8080"             that port on both loopback addresses, 127.0.0.1 and ::1
 *     "HOST:8080"        on a host's addresses
 *     "[::1]:8080"       on an IPv6 address
 *     "*:8080"           on all addresses
 *     "unix:/run/x"      on a Unix socket: mode 0600 from the start, a stale one is replaced, and
 *                        it is removed at the end
 *     "fd:3"             on a socket that was inherited
 *
 * Port 0 means a free one, the same on both loopback addresses. A Unix socket does not count as a
 * loopback listener: the client may be a proxy for anyone.
 *
 * tls       NULL: without TLS. The server holds a reference to it
 * why       gets one line of text on an error, at most why_len bytes; NULL with why_len 0
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE            it is not such an address, or not a listening socket
 *   DX_ERR_ADDRESS_IN_USE   something else listens there
 *   DX_ERR_ACCESS           it is not permitted
 *   DX_ERR_NOT_FOUND        the directory of the Unix socket does not exist
 *   DX_ERR_RESOLVE          the host has no address
 *   DX_ERR_TOO_MANY         the server listens on 64 addresses already; "8080" is two
 *   DX_ERR_STATE            the server is ending
 *   DX_ERR_DESCRIPTORS      no descriptor is free
 *   DX_ERR_SYSTEM           the system refused
 *   DX_ERR_NOMEM            out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_listen(struct dx_server *server, const char *address,
                                                  struct dx_tls *tls, char *why, size_t why_len);

/**
 * The URL of the address at `index` that the server listens on: "http://127.0.0.1:8080/",
 * "unix:/run/x". NULL if there are not so many. Valid as long as the server.
 */
DX_API const char *dx_server_url(const struct dx_server *server, size_t index);

/*
 * Routes
 *
 * A route answers the requests for a path. Paths are compared decoded, so that %2F is a slash like
 * any other. The path is chosen first: a method that only another path takes is 405.
 */

struct dx_route {
    size_t size;

    /*
     * Called with each request: answers it with a function of duplex/request.h, now or later. A
     * request for a WebSocket has passed the rules of the handshake, of Origin and of Host; a
     * request with a body has it whole. Must be set.
     */
    void (*on_request)(struct dx_request *request, void *user);

    /*
     * The peer has gone, or the server ends, while a request waits for its answer. Afterwards the
     * request is invalid. A peer that only ends its side counts as gone. May be NULL.
     */
    void (*on_abandoned)(struct dx_request *request, void *user);

    /* Given to the callbacks of this struct. */
    void *user;

    /* Take requests for a WebSocket. */
    bool wants_upgrades;

    /*
     * Take all other requests. If a path has only routes for upgrades, they get 426; if it has no
     * route at all, 404.
     */
    bool wants_plain;

    /* Only for the path itself, not for what is below it. A slash at its end does not count. */
    bool is_exact;

    /*
     * The methods of plain requests: "GET, POST"; GET includes HEAD. Others get 405 with the header
     * Allow. Default NULL: every method.
     */
    const char *methods;

    /*
     * The longest body that is read before on_request. A longer one gets 413, one that does not
     * progress by 16 KiB (or its rest) within message_timeout_ms gets 408, and one for which memory
     * is short gets 503. Bytes. Default 0: no body is read; a request that has one is answered as
     * if it had none, and then its connection ends.
     */
    size_t max_body;

    /*
     * Called by dx_server_close instead of closing the connection with 1001, once for each
     * connection of this route. It must begin an ending that leads to on_close, however long that
     * takes. Default NULL: Close 1001.
     */
    void (*on_shutdown)(struct dx_connection *connection, void *user);

    /*
     * Limits and deadlines of this route's WebSockets. message_timeout_ms, write_timeout_ms and
     * max_queue hold for its plain requests and answers, too. Default NULL: the server's.
     */
    const struct dx_connection_options *connection;
};

/** A route without callbacks; on_request and what it wants must be set. */
static inline struct dx_route dx_route_init(void)
{
    struct dx_route route = DX_ZEROED;

    route.size = sizeof(route);
    return route;
}

/**
 * Adds a route. Call it before the first listen.
 *
 * The route is for a path and everything below it: "/a" is "/a" and "/a/b", but not "/ab". A part
 * ":name" stands for any one part of a path (see dx_request_param). Of several routes that match,
 * the one with more parts wins; then the one whose first differing part is a text; then an exact
 * one. A path may have several routes: one for upgrades, and those for different methods.
 *
 * path    begins with a slash; copied
 * route   copied. What `user` points to must outlive the server's last connection
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE      the path has no leading slash, or a ":name" without a name or twice
 *   DX_ERR_USAGE      the route has no on_request, wants neither kind of request, or has methods
 *                     that are not a list of tokens
 *   DX_ERR_USAGE      the path has a route for these requests already
 *   DX_ERR_USAGE      a struct has no size, or a member that this version does not know
 *   DX_ERR_STATE      the server is listening already
 *   DX_ERR_TOO_MANY   the server has 1,024 routes already
 *   DX_ERR_NOMEM      out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_route(struct dx_server *server, const char *path,
                                                 const struct dx_route *route);

/*
 * Its connections
 *
 * These functions reach WebSockets from any thread, whichever loop they belong to. The id is that
 * of dx_connection_id; the id of a connection that has ended is harmless. Nothing happens inside a
 * call, not even on the connection's own thread: calls are queued, and each loop makes them in the
 * order in which a thread has made them. After dx_server_free they must not be called, except in
 * callbacks of the server; there they return DX_ERR_CLOSED.
 */

/**
 * Sends a whole message to the connection with that id, as dx_connection_send does. Any thread.
 *
 * If the connection has ended, or refuses the message because its queue is full, that is not
 * reported.
 *
 * opcode      DX_OP_TEXT (data must be valid UTF-8) or DX_OP_BINARY
 * data, len   the payload, in bytes; copied
 *
 * Returns DX_OK if the message is queued, or:
 *   DX_ERR_USAGE        the opcode is neither of the two
 *   DX_ERR_TOO_BIG      len is 4 GiB or more
 *   DX_ERR_QUEUE_FULL   65,536 calls wait for that loop, or with this one they would need more than
 *                       its share of max_memory
 *   DX_ERR_NOT_FOUND    this server has no connections with such ids
 *   DX_ERR_CLOSED       the server is being freed
 *   DX_ERR_NOMEM        out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_send(struct dx_server *server, uint64_t id,
                                                enum dx_opcode opcode, const void *data,
                                                size_t len);

/**
 * Begins the closing handshake of the connection with that id, as dx_connection_close does. Any
 * thread.
 *
 * Returns DX_OK if the call is queued, or:
 *   DX_ERR_USAGE        the code must not be sent, or the reason is not UTF-8
 *   DX_ERR_QUEUE_FULL   as dx_server_send
 *   DX_ERR_NOT_FOUND    this server has no connections with such ids
 *   DX_ERR_CLOSED       the server is being freed
 *   DX_ERR_NOMEM        out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_close_connection(struct dx_server *server, uint64_t id,
                                                            uint16_t code, const char *reason,
                                                            size_t reason_len);

/**
 * Calls `call` once, on the loop of the connection with that id. If the connection has ended, it
 * gets NULL. If the server is freed before, it gets NULL from inside dx_server_free. Any thread.
 *
 * Returns DX_OK if the call is queued, or:
 *   DX_ERR_QUEUE_FULL   as dx_server_send
 *   DX_ERR_NOT_FOUND    this server has no connections with such ids
 *   DX_ERR_CLOSED       the server is being freed
 *   DX_ERR_NOMEM        out of memory
 */
DX_API DX_MUST_CHECK enum dx_err
dx_server_call(struct dx_server *server, uint64_t id,
               void (*call)(struct dx_connection *connection, void *user), void *user);

/**
 * Calls `call` for each WebSocket of the server that has not ended, each on the thread of its own
 * loop, so that several threads may call it at once. Then it calls `done` once, on the thread that
 * was last. Any thread.
 *
 * `call` may send, close and abort. If the server is freed before, `done` comes from inside
 * dx_server_free at the latest, and `call` comes no more.
 *
 * done   NULL: not needed
 *
 * Returns DX_OK if the calls are queued, or, and nothing is called:
 *   DX_ERR_USAGE        `call` is NULL
 *   DX_ERR_QUEUE_FULL   65,536 calls wait for one of the loops, or they need its share of memory
 *   DX_ERR_CLOSED       the server is being freed
 *   DX_ERR_NOMEM        out of memory
 */
DX_API DX_MUST_CHECK enum dx_err
dx_server_each_connection(struct dx_server *server,
                          void (*call)(struct dx_connection *connection, void *user),
                          void (*done)(void *user), void *user);

/**
 * Begins the closing handshake of all WebSockets; the server runs on. Any thread.
 *
 * Returns DX_OK if the calls are queued, or, and nothing is closed:
 *   DX_ERR_USAGE        the code must not be sent, or the reason is not UTF-8
 *   DX_ERR_QUEUE_FULL   as dx_server_each_connection
 *   DX_ERR_CLOSED       the server is being freed
 *   DX_ERR_NOMEM        out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_close_all(struct dx_server *server, uint16_t code,
                                                     const char *reason, size_t reason_len);

/** The number of open WebSockets, on all loops. Any thread. */
DX_API size_t dx_server_connection_count(const struct dx_server *server);

/*
 * The end
 *
 *     dx_server_close(server, 10000, on_closed, NULL); // on SIGTERM
 *
 *     static void on_closed(void *user)
 *     {
 *         dx_server_free(server);
 *         server = NULL;
 *     }
 */

/**
 * Ends the server in order. It stops listening, and closes idle connections. A request that waits
 * for its answer gets 503 (and its route on_abandoned). An answer that is being sent has
 * close_timeout_ms to leave. Each WebSocket gets Close 1001, or its route's on_shutdown, at a
 * random moment within `drain_ms`, and then has close_timeout_ms.
 *
 * When all have ended, `on_closed` is called once, not from inside this call. A second call with
 * drain_ms 0 shortens the drain; it replaces `on_closed` unless it passes NULL.
 */
DX_API void dx_server_close(struct dx_server *server, uint32_t drain_ms,
                            void (*on_closed)(void *user), void *user);

/**
 * Frees a server. What is left is aborted, on every loop, and the server's threads are joined. Call
 * it before dx_loop_free, never inside a callback on one of the server's other loops. NULL is fine.
 *
 * The on_close of its connections and the on_abandoned of its requests come before this returns.
 * Those of the server's own loop come at the end of the turn, if this is called inside a callback
 * of that loop or if it is a loop of duplex/uv.h. Nothing is logged afterwards.
 */
DX_API void dx_server_free(struct dx_server *server);

#ifdef __cplusplus
}
#endif
#endif
