/*
 * transport.h - an accepted connection that speaks some version of HTTP, and what exchanges may ask
 * of it.
 *
 * It carries exchanges (exchange.h), one after the other or several at once. Requests and answers
 * act on it through its operations and never name its type: http1/ is one implementation.
 */
#ifndef DX_SERVER_TRANSPORT_H
#define DX_SERVER_TRANSPORT_H

#include "net/socket/address.h"
#include "net/socket/stream.h"
#include "server/core/shard.h"

struct dx_exchange;
struct dx_reply;

/*
 * Only flush, shut_down and cut call handlers of the application. Any of these may find that the
 * connection has to be closed. Then the exchange has neither a request nor a response any more, and
 * its memory lasts until the turn's end.
 */
struct dx_transport_operations {
    /*
     * Sends a whole answer, or as much as the peer takes now, and the rest later. Counts the
     * response. The exchange has no request any more.
     *
     * Returns DX_OK, with reply->file taken over; DX_ERR_USAGE, when the head cannot be written:
     * nothing was sent.
     */
    enum dx_err (*send)(struct dx_exchange *exchange, const struct dx_reply *reply);

    /*
     * Begins an answer in pieces: queues its head and counts the response. The exchange has its
     * request still.
     *
     * Returns DX_OK; DX_ERR_USAGE as `send`; DX_ERR_NOMEM, DX_ERR_TOO_MANY: part of the head may be
     * queued, so the caller has to abort.
     */
    enum dx_err (*begin)(struct dx_exchange *exchange, const struct dx_reply *reply);

    /*
     * Sends some of the body (not empty), or queues it until `flush`.
     *
     * Returns DX_OK; DX_ERR_CLOSED, when the connection was closed; DX_ERR_NOMEM, DX_ERR_TOO_MANY:
     * nothing is queued, or the connection was closed.
     */
    enum dx_err (*write)(struct dx_exchange *exchange, struct dx_slice data);

    /* Queues the end of the body. The rest leaves with `flush` and later. Errors as `write`. */
    enum dx_err (*end)(struct dx_exchange *exchange);

    /*
     * Sends what is queued, as far as the peer takes it. After `end`, calls dx_response_finish at
     * the end.
     */
    void (*flush)(struct dx_exchange *exchange);

    /*
     * Accepts the exchange's request as a WebSocket: sends the handshake's answer and makes a
     * connection. Fills in the head and early bytes of `start`.
     *
     * Returns DX_OK: the exchange is over, and its request is the caller's. Otherwise an error of
     * dx_connection_new or of the head: the request can still be refused, if the exchange has it
     * still.
     */
    enum dx_err (*upgrade)(struct dx_exchange *exchange, struct dx_connection_start *start,
                           const char *subprotocol, struct dx_connection **connection);

    /*
     * Closes at once, so that the peer sees that an answer is not whole. `err` is what on_close
     * gets.
     */
    void (*abort)(struct dx_exchange *exchange, enum dx_err err);

    /*
     * The server ends: closes what is idle, refuses what is undecided, lets answers on their way
     * finish.
     */
    void (*shut_down)(struct dx_transport *transport);

    /* Closes everything at once. Abandons requests; this calls handlers of the application. */
    void (*cut)(struct dx_transport *transport);
};

/* Embedded in a connection. */
struct dx_transport {
    const struct dx_transport_operations *operations;
    struct dx_transport *next; /* of the same shard */
    struct dx_transport **previous_next;
    struct dx_shard *shard;
    struct dx_server_listener *listener;
    struct dx_stream stream;
    struct dx_address peer;
    bool is_half_open;  /* counted as such: no request is complete yet */
    bool is_over_limit; /* accepted above max_connections: its request gets 503 */
};

/** Adds it to its shard's list. */
void dx_transport_insert(struct dx_transport *transport);
void dx_transport_remove(struct dx_transport *transport);

/** Counts the connection as half-open. False: there are too many already. */
DX_MUST_CHECK bool dx_transport_begin_half_open(struct dx_transport *transport);

/** A request is complete, or the connection ends. Fine when it is not counted. */
void dx_transport_end_half_open(struct dx_transport *transport);

#endif
