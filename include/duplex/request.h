/*
 * duplex/request.h - an HTTP request that came to a route, and its answer: a WebSocket, a whole
 * response, or a response in pieces.
 *
 * A request belongs to its loop's thread. It is answered once, in the route's on_request or later.
 * Until then it is valid, and so are the texts that its functions return. While a request waits for
 * its answer, up to 64 KiB that the peer sends after it are kept; then the peer must wait.
 *
 * A route that checks a token and opens WebSockets:
 *
 *     static void on_request(struct dx_request *request, void *user)
 *     {
 *         static const struct dx_header challenge = {"WWW-Authenticate", "Bearer"};
 *         struct dx_connection *connection;
 *
 *         if (!is_token(dx_request_query_value(request, "token")))
 *             dx_request_refuse(request, 401, "a token is needed", &challenge, 1);
 *         else if (dx_request_accept(request, &echo, user, &connection) != DX_OK)
 *             return; // the request is answered all the same
 *     }
 */
#ifndef DUPLEX_REQUEST_H
#define DUPLEX_REQUEST_H

#include <duplex/header.h>
#include <duplex/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What is asked
 */

/** Whether the request asks for a WebSocket. */
DX_API bool dx_request_is_upgrade(const struct dx_request *request);

/** The method, as sent: "GET". */
DX_API const char *dx_request_method(const struct dx_request *request);

/** The request target, as sent: "/chat?room=1". */
DX_API const char *dx_request_target(const struct dx_request *request);

/** The path, decoded: valid UTF-8 without control characters. */
DX_API const char *dx_request_path(const struct dx_request *request);

/** The query, as sent, without the question mark; "" if there is none. */
DX_API const char *dx_request_query(const struct dx_request *request);

/**
 * The first value of that name in the query, decoded; '+' is a space. NULL if there is none, if it
 * is not UTF-8 or contains a NUL, or if out of memory.
 */
DX_API const char *dx_request_query_value(struct dx_request *request, const char *name);

/** The path of the route that matched, as it was given to dx_server_route. */
DX_API const char *dx_request_route_path(const struct dx_request *request);

/**
 * The part of the path at the place where the route's path has ":name", decoded. NULL if the route
 * has no such part.
 */
DX_API const char *dx_request_param(const struct dx_request *request, const char *name);

/**
 * A header's value. The values of several headers of that name are joined by ", ". NULL if there is
 * none, or if there is no memory to join them.
 */
DX_API const char *dx_request_header(struct dx_request *request, const char *name);

/**
 * The header at `index`, in the order in which they were sent. The texts are not NUL-terminated.
 * False if there are not so many.
 */
DX_API bool dx_request_header_at(const struct dx_request *request, size_t index, const char **name,
                                 size_t *name_len, const char **value, size_t *value_len);

/**
 * The first cookie of that name, as sent (RFC 6265 section 4.2). NULL if there is none, or if out
 * of memory.
 */
DX_API const char *dx_request_cookie(struct dx_request *request, const char *name);

/** The whole body, followed by a NUL; "" and length 0 if there is none. See dx_route.max_body. */
DX_API const void *dx_request_body(const struct dx_request *request, size_t *len);

/*
 * Where it comes from
 */

/** The peer's address: "127.0.0.1"; "unix" for a Unix socket. */
DX_API const char *dx_request_peer_host(const struct dx_request *request);

/** The peer's port; 0 for a Unix socket. */
DX_API uint16_t dx_request_peer_port(const struct dx_request *request);

/** The host that the request names, in Host or in its target. */
DX_API const char *dx_request_server_host(const struct dx_request *request);

/** The port that the request names; without one 80, or 443 on a listener with TLS. */
DX_API uint16_t dx_request_server_port(const struct dx_request *request);

/** Whether the request came through TLS. */
DX_API bool dx_request_is_tls(const struct dx_request *request);

/** Fills in what TLS has negotiated. False without TLS; then `facts` is unchanged. */
DX_API bool dx_request_tls(const struct dx_request *request, struct dx_tls_facts *facts);

/** The loop that the request belongs to. */
DX_API struct dx_loop *dx_request_loop(const struct dx_request *request);

/** The server that received the request. */
DX_API struct dx_server *dx_request_server(const struct dx_request *request);

/**
 * Sets a pointer of the caller's for this request; at first it is NULL. It is for requests that are
 * answered later: the route's own `user` is the same for all its requests.
 */
DX_API void dx_request_set_user(struct dx_request *request, void *user);

/** The pointer that dx_request_set_user has set. */
DX_API void *dx_request_user(const struct dx_request *request);

/*
 * Before the answer
 */

/**
 * The subprotocol at `index` among those that the client offers. It is not NUL-terminated. False if
 * there are not so many.
 */
DX_API bool dx_request_offered_subprotocol(const struct dx_request *request, size_t index,
                                           const char **name, size_t *len);

/**
 * The subprotocol that dx_request_accept will agree to, or NULL: the first of the server's that the
 * client offers, unless dx_request_set_subprotocol has chosen another.
 */
DX_API const char *dx_request_subprotocol(const struct dx_request *request);

/**
 * Chooses the subprotocol that dx_request_accept agrees to.
 *
 * name   copied; it lives as long as the connection. NULL: no subprotocol
 *
 * Returns DX_OK, or:
 *   DX_ERR_STATE   the request does not ask for a WebSocket
 *   DX_ERR_USAGE   the client has not offered it (RFC 6455 section 4.2.2)
 *   DX_ERR_NOMEM   out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_request_set_subprotocol(struct dx_request *request,
                                                            const char *name);

/**
 * Adds a header to the answer, whatever that will be; the answer to an opening handshake has it,
 * too. Headers of one name become several lines. The texts are copied.
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE     the name is not a token, or the value contains a control character
 *   DX_ERR_USAGE     the library writes this header: Connection, Upgrade, Content-Length,
 *                    Transfer-Encoding, Date, Sec-WebSocket-…
 *   DX_ERR_TOO_BIG   all headers that were added would have more than 8 KiB
 *   DX_ERR_NOMEM     out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_request_add_header(struct dx_request *request, const char *name,
                                                       const char *value);

/*
 * A WebSocket
 */

/**
 * Accepts a request for a WebSocket: the answer 101 is sent, and the connection is open when this
 * returns. The request is invalid afterwards, whatever is returned.
 *
 * On an error the request was answered (500, 503) or its connection was cut. No callback of
 * `handlers` comes, and `user` is still the caller's to free.
 *
 * handlers   borrowed: it must outlive the connection. NULL: the connection calls nothing back
 * user       given to all callbacks of the connection
 *
 * Returns DX_OK and the connection, or:
 *   DX_ERR_STATE      the request does not ask for a WebSocket
 *   DX_ERR_USAGE      the handlers have no size, or a member that this version does not know
 *   DX_ERR_CLOSED     the peer has gone, or the request was answered before
 *   DX_ERR_NOMEM      out of memory
 *   DX_ERR_TOO_MANY   the loop's buffers have reached max_memory, or it has too many connections
 *   DX_ERR_SYSTEM     the system refused
 */
DX_API DX_MUST_CHECK enum dx_err dx_request_accept(struct dx_request *request,
                                                   const struct dx_connection_handlers *handlers,
                                                   void *user, struct dx_connection **connection);

/**
 * An on_request for routes that accept every WebSocket. `handlers`, the route's user, are a struct
 * dx_connection_handlers; the connections' user is NULL.
 */
DX_API void dx_request_accept_all(struct dx_request *request, void *handlers);

/** A route that accepts every WebSocket. The handlers are borrowed, and may be NULL. */
static inline struct dx_route dx_route_init_websocket(struct dx_connection_handlers *handlers)
{
    struct dx_route route = dx_route_init();

    route.on_request = dx_request_accept_all;
    route.user = handlers;
    route.wants_upgrades = true;
    return route;
}

/*
 * A whole answer
 *
 * An answer is sent at once and what the peer does not take waits; there is nothing to free. To a
 * HEAD request the body is only announced. The library adds Date, Content-Length, Connection and
 * headers that keep browsers from guessing types and from framing the page.
 */

/**
 * Answers with a status and a whole body. The request is invalid afterwards. If the peer has gone,
 * nothing happens.
 *
 * The answer becomes a 500 if the status is below 200 or above 999, if the content type contains a
 * control character or is longer than about 700 bytes, or if there is a header that
 * dx_request_add_header would refuse.
 *
 * content_type   "text/plain; charset=utf-8"; NULL: no Content-Type
 * headers        more headers, header_count of them, at most 64
 * body, len      the body, in bytes; copied
 */
DX_API void dx_request_respond(struct dx_request *request, uint16_t status,
                               const char *content_type, const struct dx_header *headers,
                               size_t header_count, const void *body, size_t len);

/**
 * Answers with a status and one line of text, "STATUS REASON: why", and logs the refusal. The
 * request is invalid afterwards. If the peer has gone, nothing happens.
 *
 * why       a few words: "a token is needed"; the line is cut to 511 bytes
 * headers   more headers, header_count of them, as dx_request_respond's
 */
DX_API void dx_request_refuse(struct dx_request *request, uint16_t status, const char *why,
                              const struct dx_header *headers, size_t header_count);

/*
 * An answer in pieces
 *
 * The body is written as it comes. Small pieces leave together at the end of the loop's turn; from
 * 16 KiB up a piece goes to the kernel at once. The route's write_timeout_ms and max_queue hold.
 *
 *     options.content_type = "text/csv";
 *     options.handlers = &handlers;
 *     err = dx_request_respond_in_pieces(request, &options, &response);
 *     …
 *     err = dx_response_write(response, line, strlen(line)); // until dx_response_is_congested
 *     …
 *     dx_response_end(response);
 */

/* Valid until its on_close returns. */
struct dx_response;

/* The length of a body that is not known yet. */
#define DX_LEN_UNKNOWN UINT64_MAX

/*
 * The callbacks of an answer in pieces. Each may be NULL. The struct is borrowed: it must outlive
 * the response.
 */
struct dx_response_handlers {
    size_t size;

    /* Pending output has fallen below half of max_queue after it was congested. */
    void (*on_drain)(struct dx_response *response, void *user);

    /*
     * The last callback, exactly one. DX_OK: the kernel has the whole body. Otherwise the
     * connection ended before, for the reason in `err`.
     */
    void (*on_close)(struct dx_response *response, enum dx_err err, void *user);
};

/** All NULL. */
static inline struct dx_response_handlers dx_response_handlers_init(void)
{
    struct dx_response_handlers handlers = DX_ZEROED;

    handlers.size = sizeof(handlers);
    return handlers;
}

struct dx_response_options {
    size_t size;

    /* 200 to 999; default 200. */
    uint16_t status;

    /* The header Content-Type; default NULL: none. */
    const char *content_type;

    /* More headers, at most 64, as dx_request_respond's; default none. */
    const struct dx_header *headers;
    size_t header_count;

    /*
     * The length of the body, in bytes. Default DX_LEN_UNKNOWN: it is sent in chunks; to HTTP/1.0
     * it ends with the connection.
     */
    uint64_t len;

    /* Default NULL: nothing is called back. */
    const struct dx_response_handlers *handlers;

    /* Given to the callbacks. */
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
 * Begins an answer whose body follows. The request is invalid afterwards, whatever is returned.
 *
 * To a HEAD request, and with the statuses 204 and 304, what is written is dropped. A peer that
 * ends its side before dx_response_end counts as gone. On an error on_close does not come.
 *
 * options    copied; NULL: the defaults
 * response   the response, to write to
 *
 * Returns DX_OK, or:
 *   DX_ERR_CLOSED     the peer has gone, or the request was answered before
 *   DX_ERR_USAGE      the status, the content type or a header is invalid, or a struct has no size:
 *                     a 500 was sent
 *   DX_ERR_NOMEM      out of memory: the connection was cut
 *   DX_ERR_TOO_MANY   the loop's buffers have reached max_memory: the connection was cut
 */
DX_API DX_MUST_CHECK enum dx_err
dx_request_respond_in_pieces(struct dx_request *request, const struct dx_response_options *options,
                             struct dx_response **response);

/**
 * Writes a piece of the body. Bytes that have to wait are copied.
 *
 * Returns DX_OK, also if the piece has to wait, or:
 *   DX_ERR_CLOSED       the peer has gone, or dx_response_end was called
 *   DX_ERR_USAGE        it is more than was announced; nothing of it is sent
 *   DX_ERR_QUEUE_FULL   more than four times max_queue would wait: the connection is cut
 *   DX_ERR_NOMEM        out of memory; nothing of it is sent, or the connection is cut
 *   DX_ERR_TOO_MANY     the loop's buffers have reached max_memory; as DX_ERR_NOMEM
 */
DX_API DX_MUST_CHECK enum dx_err dx_response_write(struct dx_response *response, const void *data,
                                                   size_t len);

/** Whether more than max_queue bytes wait. If so, stop writing until on_drain. */
DX_API bool dx_response_is_congested(const struct dx_response *response);

/**
 * Ends the body. If less was written than was announced, the connection is cut. on_close follows,
 * not from inside this call.
 */
DX_API void dx_response_end(struct dx_response *response);

/**
 * Cuts the connection, so that the peer sees that the body is not complete. on_close follows, not
 * from inside this call.
 */
DX_API void dx_response_abort(struct dx_response *response);

#ifdef __cplusplus
}
#endif
#endif
