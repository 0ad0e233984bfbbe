/*
 * connection.h - the inside of <duplex/connection.h>: how client and server make a connection of a stream whose handshake is done.
 */
#ifndef DX_CONNECTION_CONNECTION_H
#define DX_CONNECTION_CONNECTION_H

#include <duplex/connection.h>

#include "base/output.h"
#include "net/stream.h"
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
    return (const void *)((const char *)config - offsetof(struct dx_connection_kind, endpoint));
}

/** Makes a kind. A client's owner also sets endpoint.random_context to the loop: its kind serves one loop. */
void dx_connection_kind_init(struct dx_connection_kind *kind, enum dx_role role,
                             const struct dx_connection_options *options);

struct dx_connection_start {
    const struct dx_connection_kind *kind;
    const struct dx_connection_handlers *handlers;
    void *user;
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

/** What it was made with. */
const struct dx_connection_kind *dx_connection_kind(const struct dx_connection *connection);

#endif
