/*
 * duplex/server.h - a WebSocket and HTTP/1.1 server: listeners, routes, requests decided now or later, limits, ending.
 *
 * A server belongs to the loop it is made on, which accepts. With `threads` above 1 it runs further loops on threads of its
 * own and hands each new connection to the least loaded; a request's and a connection's callbacks come on its own loop's thread.
 */
#ifndef DUPLEX_SERVER_H
#define DUPLEX_SERVER_H

#include <duplex/connection.h>
#include <duplex/tls.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dx_server;
struct dx_request;

enum dx_log_level { DX_LOG_ERROR = 0, DX_LOG_WARN, DX_LOG_INFO, DX_LOG_DEBUG };

/* One `name=value` of a log line; the value is raw bytes: the sink escapes. */
struct dx_log_field {
    const char *name;
    const char *value;
    size_t len;
};

/* Called from any of the server's threads. */
struct dx_log_sink {
    void (*write)(void *user, enum dx_log_level level, const char *message,
                  const struct dx_log_field *fields, size_t field_count);
    void *user;
    enum dx_log_level level; /* lines above it are not made */
};

struct dx_server_options {
    size_t size;
    struct dx_connection_options connection; /* of every WebSocket; a route may have its own */
    uint32_t
        handshake_timeout_ms; /* absolute, from accept to the end of the request's head, TLS included; also a kept-alive connection's wait */
    uint32_t
        max_connections; /* WebSockets and HTTP connections; 0: the descriptor limit less 64; above it: 503 */
    uint64_t
        max_memory; /* of all buffers, the same share for each loop; from 7/8 of it on new handshakes get 503 */
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
    struct dx_log_sink log;
};

static inline struct dx_server_options dx_server_options_init(void)
{
    struct dx_server_options options = {sizeof(options),
                                        dx_connection_options_init(),
                                        10000,
                                        0,
                                        268435456,
                                        1,
                                        NULL,
                                        0,
                                        NULL,
                                        0,
                                        NULL,
                                        0,
                                        {NULL, NULL, DX_LOG_INFO}};

    return options;
}

/** Makes a server on `loop`. Strings and lists of the options are copied. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_USAGE (an origin or host that is none), DX_ERR_SYSTEM. */
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
 * DX_ERR_RESOLVE, DX_ERR_DESCRIPTORS, DX_ERR_SYSTEM, DX_ERR_NOMEM, DX_ERR_STATE (the server ends), DX_ERR_TOO_MANY (64 calls).
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_listen(struct dx_server *server, const char *address,
                                                  struct dx_tls *tls, char *why, size_t why_len);

/** The `index`th bound address as an http(s) URL that can be clicked ("http://127.0.0.1:8080/", "unix:/run/x"); NULL beyond the last. */
DX_API const char *dx_server_url(const struct dx_server *server, size_t index);

/* What a route does with a request. Borrowed; must outlive the server's last connection. Zero what you do not use. */
struct dx_route {
    /* Decides: one of the dx_request_… answers, now or later. A request that asks for a WebSocket has passed the handshake's,
     * the origin's and the host's rules already. */
    void (*on_request)(struct dx_request *request, void *user);
    /* The peer has gone, or the server ends, before the answer (only for requests kept for later): the pointer is invalid
     * afterwards. A peer that ends its side while it waits has gone. */
    void (*on_abandoned)(struct dx_request *request, void *user);
    void *user;
    bool wants_upgrades; /* gets requests for a WebSocket */
    bool
        wants_plain; /* gets all others; a path with neither is 404, an upgrade-only path answers 426 to plain requests */
    /* At dx_server_close, in place of dx_connection_close(connection, 1001, …): begin your own ending, which must lead to
     * on_close. Once for each connection of this route. NULL: Close 1001. */
    void (*on_shutdown)(struct dx_connection *connection);
    const struct dx_connection_options
        *connection; /* of this route's WebSockets, copied; NULL: the server's */
};

/**
 * Adds a route for `path` and all below it ("/a" is "/a" and "/a/b", not "/ab"); the longest wins. One path may have two
 * routes, one for upgrades and one for plain requests. Before the first listen.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_USAGE (no leading slash, taken, or neither kind wanted), DX_ERR_STATE (listening
 * already), DX_ERR_TOO_MANY (1,024 routes).
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_route(struct dx_server *server, const char *path,
                                                 const struct dx_route *route);

/**
 * Serves the files beneath `directory` at `path`: GET and HEAD, index.html, Last-Modified and ETag; no dotfiles, no listings, no
 * symbolic links, no ranges. The directory is opened here, so moving it later changes nothing.
 *
 * Errors as dx_server_route, and DX_ERR_NOT_FOUND (also: not a directory), DX_ERR_ACCESS, DX_ERR_DESCRIPTORS, DX_ERR_SYSTEM.
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_route_files(struct dx_server *server, const char *path,
                                                       const char *directory);

/*
 * ---- requests ----
 *
 * Texts are valid until the request is answered or abandoned. The body of a request is never read: a request that has one
 * is answered as if it had none, and its connection ends then. Requests for a WebSocket that are refused end theirs, too.
 * While a request is undecided up to 64 KiB that come behind it are kept; then the peer has to wait.
 */

/* For a page of one's own that has its script and style inside and opens WebSockets: see dx_request_respond. */
#define DX_PAGE_HEADERS                                                                            \
 "Content-Security-Policy: default-src 'none'; script-src 'unsafe-inline'; "                       \
 "style-src 'unsafe-inline'; connect-src 'self' ws: wss:; img-src data:\r\n"                       \
 "Cache-Control: no-cache\r\n"

DX_API bool dx_request_is_upgrade(const struct dx_request *request);
DX_API const char *dx_request_method(const struct dx_request *request);
DX_API const char *dx_request_target(const struct dx_request *request); /* as sent */
DX_API const char *
dx_request_path(const struct dx_request *request); /* decoded, valid UTF-8 without controls */
DX_API const char *
dx_request_query(const struct dx_request *request); /* as sent, without '?'; "" when absent */
DX_API const char *
dx_request_route_path(const struct dx_request *request); /* of the route that matched */
/** A header's value (several lines joined by ", "), or NULL; also NULL when there is no memory to join them. */
DX_API const char *dx_request_header(struct dx_request *request, const char *name);
/** The `index`th header line; false beyond the last. */
DX_API bool dx_request_header_at(const struct dx_request *request, size_t index, const char **name,
                                 size_t *name_len, const char **value, size_t *value_len);
/** Peer's and own address as text ("127.0.0.1", port 0 for unix sockets, whose address is "unix"). */
DX_API const char *dx_request_peer_host(const struct dx_request *request);
DX_API uint16_t dx_request_peer_port(const struct dx_request *request);
DX_API const char *dx_request_server_host(const struct dx_request *request); /* from Host */
DX_API uint16_t dx_request_server_port(const struct dx_request *request);
DX_API bool dx_request_is_tls(const struct dx_request *request);
DX_API const char *
dx_request_subprotocol(const struct dx_request *request); /* what will be agreed, or NULL */
DX_API struct dx_loop *dx_request_loop(const struct dx_request *request);
DX_API struct dx_server *dx_request_server(const struct dx_request *request);

/**
 * Accepts the upgrade: the 101 is sent and the connection open when this returns. The request is gone.
 *
 * Returns DX_OK and the connection; DX_ERR_STATE (not an upgrade), DX_ERR_CLOSED (the peer has gone), DX_ERR_NOMEM: the request is gone all the same.
 */
DX_API DX_MUST_CHECK enum dx_err dx_request_accept(struct dx_request *request,
                                                   const struct dx_connection_handlers *handlers,
                                                   void *user, struct dx_connection **connection);

/**
 * Answers with a status and a whole body (copied). `headers` is NULL or "Name: value\r\n" lines; the answer becomes a 500
 * when they are not. Date, Content-Length, Connection and what keeps browsers from guessing are added. To HEAD the body is
 * only announced. The request is gone.
 */
DX_API void dx_request_respond(struct dx_request *request, uint16_t status,
                               const char *content_type, const char *headers, const void *body,
                               size_t len);

/** Answers with a status and its one-line standard body: dx_request_refuse(r, 503, "no place is free", "Retry-After: 1\r\n"). One log line. The request is gone. */
DX_API void dx_request_refuse(struct dx_request *request, uint16_t status, const char *why,
                              const char *headers);

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
 * Frees the server, aborting whatever is left, on every loop; joins its threads. Its connections' on_close and its requests'
 * on_abandoned come before it returns; inside a callback of the loop, those of that loop come at the turn's end. Nothing is
 * logged afterwards. Before dx_loop_free. NULL is fine.
 */
DX_API void dx_server_free(struct dx_server *server);

/** Open WebSockets of all loops. Any thread. */
DX_API size_t dx_server_connection_count(const struct dx_server *server);

#ifdef __cplusplus
}
#endif
#endif
