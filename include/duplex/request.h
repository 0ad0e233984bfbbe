/*
 * duplex/request.h - an HTTP request that a route got, and its answer: a WebSocket, a whole response, or one in pieces.
 *
 * A request belongs to its loop's thread. It is answered once, in on_request or later; until then it is valid, and so are its
 * texts. Requests for a WebSocket that are refused end their connection. While a request is undecided up to 64 KiB that come
 * behind it are kept; then the peer has to wait.
 */
#ifndef DUPLEX_REQUEST_H
#define DUPLEX_REQUEST_H

#include <duplex/header.h>
#include <duplex/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what it says ---- */

/** Whether it asks for a WebSocket. */
DX_API bool dx_request_is_upgrade(const struct dx_request *request);
/** The method and the request target, as sent. */
DX_API const char *dx_request_method(const struct dx_request *request);
DX_API const char *dx_request_target(const struct dx_request *request);
/** The path, decoded: valid UTF-8 without controls. */
DX_API const char *dx_request_path(const struct dx_request *request);
/** As sent, without '?'; "" when absent. */
DX_API const char *dx_request_query(const struct dx_request *request);
/** The path of the route that matched, as it was given to dx_server_route. */
DX_API const char *dx_request_route_path(const struct dx_request *request);

/** The part of the path that stands where the route's has ":name", decoded; NULL when the route has no such part. */
DX_API const char *dx_request_param(const struct dx_request *request, const char *name);

/** The first value of that name in the query, decoded ('+' is a space), NULL when absent, not UTF-8, with a NUL, or without memory. */
DX_API const char *dx_request_query_value(struct dx_request *request, const char *name);

/** A header's value (several lines joined by ", "), or NULL; also NULL when there is no memory to join them. */
DX_API const char *dx_request_header(struct dx_request *request, const char *name);

/** The `index`th header line; false beyond the last. Not NUL-terminated. */
DX_API bool dx_request_header_at(const struct dx_request *request, size_t index, const char **name,
                                 size_t *name_len, const char **value, size_t *value_len);

/** The first cookie of that name, as sent (RFC 6265 4.2), or NULL; also NULL without memory. */
DX_API const char *dx_request_cookie(struct dx_request *request, const char *name);

/** The body, whole; `*len` is 0 and the result "" without one. NUL-terminated beyond its length. */
DX_API const void *dx_request_body(const struct dx_request *request, size_t *len);

/** Peer's address as text ("127.0.0.1"; "unix" and port 0 for unix sockets), and what Host names. */
DX_API const char *dx_request_peer_host(const struct dx_request *request);
DX_API uint16_t dx_request_peer_port(const struct dx_request *request);
DX_API const char *dx_request_server_host(const struct dx_request *request);
DX_API uint16_t dx_request_server_port(const struct dx_request *request);
/** Whether it came by TLS. */
DX_API bool dx_request_is_tls(const struct dx_request *request);
/** What was agreed by TLS; false, and `facts` untouched, without TLS. */
DX_API bool dx_request_tls(const struct dx_request *request, struct dx_tls_facts *facts);

/** The `index`th subprotocol that is offered; false beyond the last. Not NUL-terminated. */
DX_API bool dx_request_offered_subprotocol(const struct dx_request *request, size_t index,
                                           const char **name, size_t *len);
/** What will be agreed, or NULL: the first of the server's that is offered, or what dx_request_set_subprotocol has said. */
DX_API const char *dx_request_subprotocol(const struct dx_request *request);

/** The loop that it belongs to, and the server. */
DX_API struct dx_loop *dx_request_loop(const struct dx_request *request);
DX_API struct dx_server *dx_request_server(const struct dx_request *request);
/** A pointer of yours, for requests decided later; the route's own is on_request's. NULL at first. */
DX_API void dx_request_set_user(struct dx_request *request, void *user);
DX_API void *dx_request_user(const struct dx_request *request);

/* ---- the answer ---- */

/**
 * Chooses the subprotocol that dx_request_accept agrees to; NULL: none. The name is copied and lives as long as the connection.
 *
 * Returns DX_OK, DX_ERR_STATE (not an upgrade), DX_ERR_USAGE (not offered: RFC 6455 4.2.2), DX_ERR_NOMEM.
 */
DX_API DX_MUST_CHECK enum dx_err dx_request_set_subprotocol(struct dx_request *request,
                                                            const char *name);

/**
 * Adds a header to the answer, whichever it will be, the 101 too; copied. Several of one name become several lines.
 *
 * Returns DX_OK, DX_ERR_USAGE (a name that is no token, a value with a control character, or one that the library writes:
 * Connection, Upgrade, Content-Length, Transfer-Encoding, Date, Sec-WebSocket-…), DX_ERR_TOO_BIG (8 KiB in all), DX_ERR_NOMEM.
 */
DX_API DX_MUST_CHECK enum dx_err dx_request_add_header(struct dx_request *request, const char *name,
                                                       const char *value);

/**
 * Accepts the upgrade: the 101 is sent and the connection open when this returns. The request is gone, whatever is returned: on
 * failure it was answered or cut, no callback of `handlers` comes, and what `user` points to is yours to free. `handlers` NULL: nothing is heard of it.
 *
 * Returns DX_OK and the connection; DX_ERR_STATE (not an upgrade), DX_ERR_USAGE (handlers without their size), DX_ERR_CLOSED (the peer has gone), DX_ERR_NOMEM,
 * DX_ERR_TOO_MANY, DX_ERR_SYSTEM.
 */
DX_API DX_MUST_CHECK enum dx_err dx_request_accept(struct dx_request *request,
                                                   const struct dx_connection_handlers *handlers,
                                                   void *user, struct dx_connection **connection);

/** An on_request for those who have nothing to decide: accepts with the handlers that are the route's user, and no user. */
DX_API void dx_request_accept_all(struct dx_request *request, void *handlers);

/** A route of WebSockets that are all accepted: handlers, as dx_request_accept_all has them. */
static inline struct dx_route dx_route_init_websocket(struct dx_connection_handlers *handlers)
{
    struct dx_route route = dx_route_init();

    route.on_request = dx_request_accept_all;
    route.user = handlers;
    route.wants_upgrades = true;
    return route;
}

/**
 * Answers with a status and a whole body (copied). The answer becomes a 500 when a header is none, or one that dx_request_add_header
 * refuses, with more than 64 of them, for a content type that is none, or a status below 200 or above 999. Date, Content-Length,
 * Connection and what keeps browsers from guessing are added. To HEAD the body is only announced. The request is gone.
 */
DX_API void dx_request_respond(struct dx_request *request, uint16_t status,
                               const char *content_type, const struct dx_header *headers,
                               size_t header_count, const void *body, size_t len);

/** Answers with a status and its one-line standard body. Headers as dx_request_respond's. One log line. The request is gone. */
DX_API void dx_request_refuse(struct dx_request *request, uint16_t status, const char *why,
                              const struct dx_header *headers, size_t header_count);

/* ---- in pieces ---- */

/* A response whose body is written as it comes. Valid until its on_close has returned. */
struct dx_response;

#define DX_LEN_UNKNOWN UINT64_MAX

/* Every member may be NULL. Borrowed: must outlive the response. */
struct dx_response_handlers {
    size_t size;
    void (*on_drain)(struct dx_response *response, void *user); /* as a connection's */
    /* The last callback, exactly one: DX_OK, the whole body has been given to the kernel; else why it was not. */
    void (*on_close)(struct dx_response *response, enum dx_err err, void *user);
};

static inline struct dx_response_handlers dx_response_handlers_init(void)
{
    struct dx_response_handlers handlers = DX_ZEROED;

    handlers.size = sizeof(handlers);
    return handlers;
}

/* What is known of an answer before its body. */
struct dx_response_options {
    size_t size;
    uint16_t status;
    const char *content_type;        /* or NULL */
    const struct dx_header *headers; /* as dx_request_respond's */
    size_t header_count;
    uint64_t len;                                /* of the body, or DX_LEN_UNKNOWN */
    const struct dx_response_handlers *handlers; /* NULL: nobody wants to know */
    void *user;
};

/** 200, a body of unknown length. */
static inline struct dx_response_options dx_response_options_init(void)
{
    struct dx_response_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.status = 200;
    options.len = DX_LEN_UNKNOWN;
    return options;
}

/**
 * Begins the answer; the request is gone, whatever is returned. With `len` the body has to have exactly that many bytes; without
 * (DX_LEN_UNKNOWN) it is chunked, for HTTP/1.0 ended by the connection's end. To HEAD and with 204 and 304 the body is dropped.
 * A peer that ends its side before dx_response_end has gone.
 *
 * Returns DX_OK and the response; DX_ERR_CLOSED (the peer has gone); DX_ERR_USAGE (a status below 200 or above 999, headers that are none, options or handlers without
 * their size: a 500 was sent); DX_ERR_NOMEM, DX_ERR_TOO_MANY (the connection was cut). Then on_close does not come.
 */
DX_API DX_MUST_CHECK enum dx_err
dx_request_respond_in_pieces(struct dx_request *request, const struct dx_response_options *options,
                             struct dx_response **response);

/**
 * Writes some of the body, copied where it has to wait: small pieces leave together at the turn's end, from 16 KiB up they go to the
 * kernel at once. write_timeout and max_queue are those of the route's connections.
 *
 * Returns DX_OK (also when it waits); DX_ERR_CLOSED (the peer has gone, or it was ended); DX_ERR_USAGE (more than was announced: not sent);
 * DX_ERR_QUEUE_FULL (more than four times max_queue: the connection is cut); DX_ERR_NOMEM, DX_ERR_TOO_MANY (not sent; where some of
 * a piece has left already the connection is cut).
 */
DX_API DX_MUST_CHECK enum dx_err dx_response_write(struct dx_response *response, const void *data,
                                                   size_t len);

/** True when more than max_queue bytes wait: stop writing until on_drain. */
DX_API bool dx_response_is_congested(const struct dx_response *response);

/** Ends the body; less than was announced cuts the connection. on_close follows, never from inside. */
DX_API void dx_response_end(struct dx_response *response);

/** Cuts the connection, so that the peer can see that the body is not whole. on_close follows, never from inside. */
DX_API void dx_response_abort(struct dx_response *response);

#ifdef __cplusplus
}
#endif
#endif
