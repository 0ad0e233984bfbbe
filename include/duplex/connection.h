/*
 * duplex/connection.h - one open WebSocket connection, of a server or a client.
 *
 * A connection's pointer is good from its first callback until its on_close has returned; its id stays harmless for
 * ever. All functions are called on its loop's thread. close and abort are idempotent and never call back from inside.
 */
#ifndef DUPLEX_CONNECTION_H
#define DUPLEX_CONNECTION_H

#include <duplex/endpoint.h>
#include <duplex/loop.h>
#include <duplex/tls.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dx_connection;

/* How a connection ended. Slices are valid during the callback. */
struct dx_close_info {
    uint16_t code;      /* the peer's close code; 1005: its Close had none; 1006: no Close came */
    uint16_t sent_code; /* the code of our own Close; 0 when none was sent */
    bool was_clean;     /* both Close frames were exchanged */
    const char *
        reason; /* the peer's, UTF-8, not NUL-terminated; empty also when no memory was left to keep it */
    size_t reason_len;
    enum dx_err err;    /* DX_OK after a closing handshake, else why it ended */
    const char *detail; /* one English sentence when err is not DX_OK, else NULL */
};

/* What to be told. Every member may be NULL. Borrowed: must outlive the connections that use it. */
struct dx_connection_handlers {
    size_t size; /* of this struct, set by init; a static one says it itself */
    /* A whole message. `data` may be changed; it is valid during the call. `user` is here, as in all that
     * follow, what dx_connection_user returns. */
    void (*on_message)(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user);
    /* When set, messages come in pieces as they arrive, in constant memory, and on_message is not used. */
    void (*on_chunk)(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                     size_t len, bool is_first, bool is_last, void *user);
    /* The peer's Close came. When set, it is for you to answer with dx_connection_close, at latest after close_timeout;
     * when NULL it is answered at once with the same code. Sending is possible until then. */
    void (*on_peer_close)(struct dx_connection *connection, uint16_t code, const char *reason,
                          size_t reason_len, void *user);
    /* What waited has fallen below half of max_queue, after dx_connection_is_congested had become true. */
    void (*on_drain)(struct dx_connection *connection, void *user);
    void (*on_pong)(struct dx_connection *connection, const uint8_t *data, size_t len, void *user);
    /* The peer has hung up (end of stream or reset) while reading is paused: most likely nobody will read what is sent. Comes
     * at most once; what the peer sent before can still be read by resuming. So that a peer is noticed that cannot deliver its
     * end because nothing is read, unsolicited pongs go out during a pause (20 a second to a peer on this machine). */
    void (*on_hang_up)(struct dx_connection *connection, void *user);
    /* The last callback, exactly one for each connection. The pointer is invalid when it has returned. */
    void (*on_close)(struct dx_connection *connection, const struct dx_close_info *info,
                     void *user);
    /* A ping came, and is answered. Like all but the last callback, before on_close. */
    void (*on_ping)(struct dx_connection *connection, const uint8_t *data, size_t len, void *user);
};

/** All NULL. */
static inline struct dx_connection_handlers dx_connection_handlers_init(void)
{
    struct dx_connection_handlers handlers = DX_ZEROED;

    handlers.size = sizeof(handlers);
    return handlers;
}

/* Limits and deadlines; what is left at 0 by dx_connection_options_init's caller means none. Borrowed, shared by many. */
struct dx_connection_options {
    size_t size; /* of this struct, set by init */
    uint64_t max_message;
    uint32_t max_fragments;
    uint32_t message_timeout_ms; /* no progress inside a message: Close 1008 */
    uint32_t write_timeout_ms; /* less than 16 KiB leaves in this time while output waits: abort */
    uint32_t close_timeout_ms; /* for the peer's Close after ours, and for its end of stream */
    uint32_t ping_interval_ms; /* silence before a ping; 0: no pings */
    /* Silence after that ping before the peer counts as gone (abort, DX_ERR_TIMEOUT). It begins anew as long as the peer's system
     * goes on taking what the ping stands behind: who reads slowly is not gone. */
    uint32_t pong_timeout_ms;
    size_t
        max_queue; /* high-water mark of what waits to be sent; at four times that the connection is aborted */
};

/** Fills in the defaults of a server: 1 MiB, 131072, 60 s, 30 s, 5 s, 30 s, 30 s, 1 MiB. */
static inline struct dx_connection_options dx_connection_options_init(void)
{
    struct dx_connection_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.max_message = 1048576;
    options.max_fragments = 131072;
    options.message_timeout_ms = 60000;
    options.write_timeout_ms = 30000;
    options.close_timeout_ms = 5000;
    options.ping_interval_ms = 30000;
    options.pong_timeout_ms = 30000;
    options.max_queue = 1048576;
    return options;
}

/** Fills in the defaults of a client: as a server's, but messages of 16 MiB and a max_queue of 16 MiB. */
static inline struct dx_connection_options dx_connection_options_init_client(void)
{
    struct dx_connection_options options = dx_connection_options_init();

    options.max_message = 16777216;
    options.max_queue = 16777216;
    return options;
}

/**
 * Sends a whole message; the bytes are copied or gone when it returns. From 16 KiB up they go to the kernel at once, from
 * your memory. Text must be UTF-8: that is the caller's duty.
 *
 * Returns DX_OK (also when it has to wait); DX_ERR_USAGE; DX_ERR_STATE inside a fragmented message; DX_ERR_CLOSED;
 * DX_ERR_NOMEM, DX_ERR_TOO_MANY, DX_ERR_SYSTEM (a client without randomness): not sent. DX_ERR_QUEUE_FULL: more than max_queue
 * waits already, and with this more than four times that would: the connection is being aborted. (So a message of any length
 * can be sent while the connection is not congested.)
 */
DX_API DX_MUST_CHECK enum dx_err dx_connection_send(struct dx_connection *connection,
                                                    enum dx_opcode opcode, const void *data,
                                                    size_t len);

/**
 * As dx_connection_send, and calls `on_sent` when the message has left: DX_OK, the kernel has all of it (not: the peer has read it);
 * else why the connection ended before. Once for each call that returned DX_OK, in their order, never from inside this call, before
 * on_close. Errors as dx_connection_send.
 */
DX_API DX_MUST_CHECK enum dx_err dx_connection_send_with(
    struct dx_connection *connection, enum dx_opcode opcode, const void *data, size_t len,
    void (*on_sent)(struct dx_connection *connection, enum dx_err err, void *user), void *user);

/** Sends one fragment of a message, as it comes; `opcode` counts for the first. Errors as dx_connection_send. */
DX_API DX_MUST_CHECK enum dx_err dx_connection_send_fragment(struct dx_connection *connection,
                                                             enum dx_opcode opcode,
                                                             const void *data, size_t len,
                                                             bool is_last);

/** Sends a ping (at most 125 bytes). Errors as dx_connection_send. */
DX_API DX_MUST_CHECK enum dx_err dx_connection_ping(struct dx_connection *connection,
                                                    const void *data, size_t len);

/** Bytes that wait in the library (not in the kernel), headers included; in on_close: that waited when it ended. */
DX_API size_t dx_connection_buffered_amount(const struct dx_connection *connection);

/** True when more than max_queue bytes wait: stop producing until on_drain. */
DX_API bool dx_connection_is_congested(const struct dx_connection *connection);

/**
 * Stops and goes on with reading: backpressure. At most one read of input (64 KiB) is kept meanwhile; the peer's Close is
 * not seen and pings are neither sent nor answered. Messages that wait come in this turn, after the call has returned.
 */
DX_API void dx_connection_pause(struct dx_connection *connection);
DX_API void dx_connection_resume(struct dx_connection *connection);

/**
 * Begins the closing handshake, or answers the peer's Close: what waits is sent first, then Close with `code` and `reason`
 * (cut to 123 bytes at a code point). on_close follows, at latest close_timeout after the Close has left. Messages are still
 * told until the peer's Close, or until four times max_message (at least 1 MiB, at most 4 GiB) have come behind ours: then the
 * connection is cut (DX_ERR_TOO_BIG). A pause stays one. Code 1005: an empty Close.
 *
 * Returns DX_OK, also when it is closing already; DX_ERR_USAGE for a code that must not be sent.
 */
DX_API enum dx_err dx_connection_close(struct dx_connection *connection, uint16_t code,
                                       const char *reason, size_t reason_len);

/** Cuts the connection without a Close frame; on_close follows in this turn, with `err` and the static text `detail`. */
DX_API void dx_connection_abort(struct dx_connection *connection, enum dx_err err,
                                const char *detail);

/** A pointer of yours; at first the one that it was accepted with. */
DX_API void dx_connection_set_user(struct dx_connection *connection, void *user);
DX_API void *dx_connection_user(const struct dx_connection *connection);
/** Names the connection for ever, among those of its server (dx_server_send …); never 0 for a server's, 0 for others. */
DX_API uint64_t dx_connection_id(const struct dx_connection *connection);
/** The loop that it belongs to. */
DX_API struct dx_loop *dx_connection_loop(const struct dx_connection *connection);

/** The subprotocol that was agreed, or NULL. Valid as long as the connection. */
DX_API const char *dx_connection_subprotocol(const struct dx_connection *connection);

/** Room for any address as text: an IPv6 one with its zone, and a NUL. */
#define DX_HOST_ROOM 64

/** The peer's address ("127.0.0.1"; "unix" and port 0 for a unix socket). Returns DX_OK, DX_ERR_CLOSED (it has gone already), DX_ERR_SYSTEM. */
DX_API DX_MUST_CHECK enum dx_err dx_connection_peer(const struct dx_connection *connection,
                                                    char host[DX_HOST_ROOM], uint16_t *port);

/** What was agreed by TLS; false, and `facts` untouched, without TLS. */
DX_API bool dx_connection_tls(const struct dx_connection *connection, struct dx_tls_facts *facts);

/* Messages and payload bytes so far. */
struct dx_connection_metrics {
    size_t size;
    uint64_t messages_in, bytes_in, messages_out, bytes_out;
};

/** Room for what a library of this version fills in. */
static inline struct dx_connection_metrics dx_connection_metrics_init(void)
{
    struct dx_connection_metrics metrics = DX_ZEROED;

    metrics.size = sizeof(metrics);
    return metrics;
}
DX_API void dx_connection_metrics(const struct dx_connection *connection,
                                  struct dx_connection_metrics *counts);

#ifdef __cplusplus
}
#endif
#endif
