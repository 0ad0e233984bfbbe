/*
 * connection.h - the internal side of <duplex/connection.h>, for client, server, bridge and topics.
 *
 * A connection starts on a stream whose opening handshake is complete (RFC 6455 section 4); that
 * handshake is not done here. All functions are for the loop's thread.
 */
#ifndef DX_CONNECTION_CONNECTION_H
#define DX_CONNECTION_CONNECTION_H

#include <duplex/connection.h>

#include "base/container.h"
#include "base/counter.h"
#include "base/output.h"
#include "net/socket/stream.h"
#include "ws/endpoint.h"

#include <stddef.h>

/* What all connections of one server route or client share; borrowed, must outlive them. */
struct dx_connection_kind {
    struct dx_endpoint_config endpoint; /* made from options by dx_connection_kind_init */
    struct dx_connection_options options;

    /*
     * Called right before the handlers' on_close, so that the owner can remove the connection from
     * its list. May be NULL.
     */
    void (*on_gone)(struct dx_connection *connection, const struct dx_close_info *info);
};

/** The kind that contains this config. An endpoint refers to it, so its connection need not. */
static inline const struct dx_connection_kind *
dx_connection_kind_of(const struct dx_endpoint_config *config)
{
    return dx_container_of(config, const struct dx_connection_kind, endpoint);
}

/**
 * Makes a kind; copies the options. A client's kind serves one loop: its owner also sets
 * endpoint.random_user to that loop.
 */
void dx_connection_kind_init(struct dx_connection_kind *kind, enum dx_role role,
                             const struct dx_connection_options *options);

/* Sums over all connections that an owner has had on a loop. Any thread may read them. */
struct dx_traffic {
    struct dx_counter messages_in, bytes_in, messages_out, bytes_out;
};

struct dx_connection_start {
    const struct dx_connection_kind *kind;
    const struct dx_connection_handlers *handlers;
    void *user;
    struct dx_traffic *traffic; /* incremented too; must outlive the connection; or NULL */
    uint64_t id;                /* for dx_connection_id; chosen by the owner; 0: none */
    size_t owner_len;           /* zeroed bytes to allocate for dx_connection_owner */
    const char *subprotocol;    /* borrowed for the connection's life, or NULL */

    /* Bytes to send before anything else (the 101 response); copied. */
    const void *head;
    size_t head_len;

    /* Bytes received after the handshake; copied. Handled later in this turn. */
    const void *early;
    size_t early_len;
};

/**
 * Makes an open connection on a stream. The connection is freed by itself after on_close.
 *
 * stream   moved into the connection on DX_OK: do not use the struct afterwards; its watch must be
 *          stopped. On failure it is still the caller's and nothing has been sent.
 *
 * Returns DX_OK, or:
 *   DX_ERR_NOMEM      out of memory
 *   DX_ERR_TOO_MANY   the loop's memory limit is reached
 *   DX_ERR_SYSTEM     the descriptor cannot be watched
 */
DX_MUST_CHECK enum dx_err dx_connection_new(struct dx_loop *loop, struct dx_stream *stream,
                                            const struct dx_connection_start *start,
                                            struct dx_connection **connection);

/**
 * The queue of frames to send. A sender that encodes frames itself (the bridge, for many lines at
 * once) appends here, calls dx_connection_count_sent and then dx_connection_flush.
 */
struct dx_output *dx_connection_output(struct dx_connection *connection);

/** The protocol state of a connection. */
struct dx_endpoint *dx_connection_endpoint(struct dx_connection *connection);

/** Adds what such a sender has queued to the counters: complete messages and payload bytes. */
void dx_connection_count_sent(struct dx_connection *connection, size_t message_count,
                              size_t payload_len);

/**
 * Sends what is queued, in one sendmsg; the rest waits until the descriptor is writable. Aborts the
 * connection when more than four times max_queue remains. Never calls back. Not from the
 * connection's own read callbacks.
 */
void dx_connection_flush(struct dx_connection *connection);

/** The owner's bytes (owner_len), aligned for pointers; they live as long as the connection. */
void *dx_connection_owner(struct dx_connection *connection);

/** The connection to which these bytes belong. */
struct dx_connection *dx_connection_of_owner(void *owner);

/**
 * Sets the negotiated subprotocol, for an owner that stores it in its own bytes; borrowed for the
 * connection's life.
 */
void dx_connection_set_subprotocol(struct dx_connection *connection, const char *subprotocol);

/** The kind and the traffic that the connection was made with. */
const struct dx_connection_kind *dx_connection_kind(const struct dx_connection *connection);
struct dx_traffic *dx_connection_traffic(const struct dx_connection *connection);

/**
 * Ends the connection at once, as dx_connection_abort does, but lets the kernel deliver what it has
 * accepted.
 */
void dx_connection_leave(struct dx_connection *connection, enum dx_err err, const char *detail);

/**
 * True when nothing more can be sent: our Close is queued, the connection has failed, the peer
 * accepts no more bytes, or on_close is due.
 */
bool dx_connection_is_closing(const struct dx_connection *connection);

/*
 * A guest: an object besides the owner that depends on a connection (its subscriptions, for
 * example). Embedded in the guest's own struct and memory.
 */
struct dx_attachment {
    struct dx_attachment *next; /* the connection's */
    const void *owner;          /* key for dx_connection_find_attachment; not NULL */

    /*
     * The connection ends. Called exactly once, right before the owner's on_gone and the handlers'
     * on_close; the guest is detached already and may free itself. The connection's getters still
     * work; sending does not.
     */
    void (*on_gone)(struct dx_attachment *attachment, struct dx_connection *connection);

    /*
     * There is room again after dx_connection_has_room returned false or dx_connection_send_shared
     * returned DX_ERR_STATE. Called at the end of a turn; when on_drain is due as well, the two
     * alternate in order. It may send, attach, detach itself or others, close and abort. May be
     * NULL.
     */
    void (*on_writable)(struct dx_attachment *attachment, struct dx_connection *connection);
};

/**
 * Adds a guest whose owner, on_gone and on_writable are set.
 *
 * Returns DX_OK, or DX_ERR_CLOSED when the connection is closing.
 */
DX_MUST_CHECK enum dx_err dx_connection_attach(struct dx_connection *connection,
                                               struct dx_attachment *attachment);

/** Removes a guest: none of its callbacks is called any more. Fine when it is not attached. */
void dx_connection_detach(struct dx_connection *connection, struct dx_attachment *attachment);

/** The guest with that owner; NULL when there is none. */
struct dx_attachment *dx_connection_find_attachment(const struct dx_connection *connection,
                                                    const void *owner);

/**
 * True when a guest may send: less than half of max_queue is queued, and no fragmented message is
 * being sent. If false, on_writable of all guests is called when it becomes true. A connection that
 * is closing may return true; sending then returns DX_ERR_CLOSED.
 */
bool dx_connection_has_room(struct dx_connection *connection);

/**
 * Queues an encoded frame that many connections share. It leaves at the end of the turn.
 *
 * frame         one whole data message, unmasked. A short one may be copied, else the connection
 *               takes a reference; the caller keeps its own.
 * payload_len   bytes of payload in the frame, for the counters
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE   a client's connection: each of its frames needs a masking key of its own
 *   DX_ERR_STATE   a fragmented message is being sent; on_writable will be called
 *   DX_ERR_CLOSED, DX_ERR_NOMEM, DX_ERR_TOO_MANY, DX_ERR_QUEUE_FULL   as dx_connection_send
 */
DX_MUST_CHECK enum dx_err dx_connection_send_shared(struct dx_connection *connection,
                                                    struct dx_shared *frame, size_t payload_len);

#endif
