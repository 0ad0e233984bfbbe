/*
 * connection.h - the inside of <duplex/connection.h>: how client and server make a connection of a stream whose handshake is done.
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

/* What is the same for all connections of one server route or client; borrowed, must outlive them. */
struct dx_connection_kind {
    struct dx_endpoint_config endpoint; /* made from options by dx_connection_kind_init */
    struct dx_connection_options options;
    /* The owner's list: called right before the handlers' on_close, so that the owner forgets the connection. May be NULL. */
    void (*on_gone)(struct dx_connection *connection, const struct dx_close_info *info);
};

/** The kind that has this config in it: what an endpoint refers to, so that its connection need not. */
static inline const struct dx_connection_kind *
dx_connection_kind_of(const struct dx_endpoint_config *config)
{
    return dx_container_of(config, const struct dx_connection_kind, endpoint);
}

/** Makes a kind. A client's owner also sets endpoint.random_user to the loop: its kind serves one loop. */
void dx_connection_kind_init(struct dx_connection_kind *kind, enum dx_role role,
                             const struct dx_connection_options *options);

/* Sums over all connections that one owner has on a loop, those that have gone included. Read by any thread. */
struct dx_traffic {
    struct dx_counter messages_in, bytes_in, messages_out, bytes_out;
};

struct dx_connection_start {
    const struct dx_connection_kind *kind;
    const struct dx_connection_handlers *handlers;
    void *user;
    struct dx_traffic *traffic; /* counts along; must outlive the connection; or NULL */
    uint64_t id; /* what dx_connection_id says: the owner gives them out; 0: it has none */
    size_t
        owner_len; /* of what the owner remembers of it: so many zeroed bytes come with the connection */
    const char *subprotocol; /* borrowed for the connection's life, or NULL */
    const void *head;        /* bytes to send before anything else (the 101), copied */
    size_t head_len;
    const void *
        early; /* bytes that came behind the handshake, copied; handled in this turn, after the caller has returned */
    size_t early_len;
};

/**
 * Makes an open connection of `stream` (moved into it: the caller's struct is dead afterwards; its watch must be stopped).
 *
 * Returns DX_OK; DX_ERR_NOMEM, DX_ERR_TOO_MANY, DX_ERR_SYSTEM: the stream is still the caller's and nothing was sent.
 */
DX_MUST_CHECK enum dx_err dx_connection_new(struct dx_loop *loop, struct dx_stream *stream,
                                            const struct dx_connection_start *start,
                                            struct dx_connection **connection);

/** Space for the turn's small frames: a sender that frames by itself (the bridge: many lines in one run) queues here, then calls dx_connection_flush. */
struct dx_output *dx_connection_output(struct dx_connection *connection);
struct dx_endpoint *dx_connection_endpoint(struct dx_connection *connection);

/** Counts what such a sender has queued: finished messages and payload bytes. */
void dx_connection_count_sent(struct dx_connection *connection, size_t message_count,
                              size_t payload_len);

/**
 * Sends what is queued now (one sendmsg), arms write readiness for the rest, and judges max_queue: above four times that
 * the connection is aborted. For callers outside the connection's own read callback. Never calls back.
 */
void dx_connection_flush(struct dx_connection *connection);

/** The owner's bytes, aligned for pointers; they live as long as the connection. And back: whose bytes they are. */
void *dx_connection_owner(struct dx_connection *connection);
struct dx_connection *dx_connection_of_owner(void *owner);

/** For an owner that keeps the agreed subprotocol in its own bytes: borrowed for the connection's life. */
void dx_connection_set_subprotocol(struct dx_connection *connection, const char *subprotocol);

/** What it was made with. */
const struct dx_connection_kind *dx_connection_kind(const struct dx_connection *connection);
struct dx_traffic *dx_connection_traffic(const struct dx_connection *connection);

/** Ends it at once as dx_connection_abort does, but leaves what the system has on its way to the peer. */
void dx_connection_leave(struct dx_connection *connection, enum dx_err err, const char *detail);

/** True when nothing more can be sent: our Close was, it has failed, the peer takes nothing more, or on_close is due. */
bool dx_connection_is_closing(const struct dx_connection *connection);

/*
 * A guest: somebody beside the owner who has something at a connection (its subscriptions, say) and must learn of two things.
 * Embedded in what the guest remembers; the guest's memory.
 */
struct dx_attachment {
    struct dx_attachment *next; /* the connection's */
    const void *owner;          /* what it is found by; not NULL */
    /* Exactly once, and detached by then: right before the owner's on_gone and the handlers' on_close. The connection can be asked
     * everything still, but takes nothing more. Memory may go. */
    void (*on_gone)(struct dx_attachment *attachment, struct dx_connection *connection);
    /* There is room again after dx_connection_has_room said no, or dx_connection_send_shared DX_ERR_STATE. It may send, attach,
     * detach itself or others, close and abort. At the end of a turn; when on_drain is due, too, in turns with it. May be NULL. */
    void (*on_writable)(struct dx_attachment *attachment, struct dx_connection *connection);
};

/** Adds a guest (owner, on_gone and on_writable set). Returns DX_OK; DX_ERR_CLOSED when the connection is closing. */
DX_MUST_CHECK enum dx_err dx_connection_attach(struct dx_connection *connection,
                                               struct dx_attachment *attachment);

/** Takes a guest off: it hears nothing more. Fine when it is not attached. */
void dx_connection_detach(struct dx_connection *connection, struct dx_attachment *attachment);

/** The guest with that owner; NULL when there is none. */
struct dx_attachment *dx_connection_find_attachment(const struct dx_connection *connection,
                                                    const void *owner);

/**
 * Whether a guest may send now: less than half of max_queue waits, and no fragmented message of ours is begun. If not,
 * all guests' on_writable comes when that is so again. (True for one that is closing: sending says DX_ERR_CLOSED then.)
 */
bool dx_connection_has_room(struct dx_connection *connection);

/**
 * Queues a frame that is encoded already: one whole data message, unmasked, `payload_len` bytes of it payload. A short one is copied behind
 * what waits already, else it is referred to; it leaves at the turn's end with everything else. The caller's reference stays the caller's.
 *
 * Returns DX_OK; DX_ERR_USAGE for a client's connection (its frames are masked, each with a key of its own); DX_ERR_STATE inside a
 * fragmented message of ours (on_writable will come); DX_ERR_CLOSED, DX_ERR_NOMEM, DX_ERR_TOO_MANY, DX_ERR_QUEUE_FULL as
 * dx_connection_send.
 */
DX_MUST_CHECK enum dx_err dx_connection_send_shared(struct dx_connection *connection,
                                                    struct dx_shared *frame, size_t payload_len);

#endif
