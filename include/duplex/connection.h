/*
 * duplex/connection.h - one open WebSocket connection, of a server or a client.
 *
 * A server makes a connection with dx_request_accept (duplex/request.h). Its pointer is valid from
 * the first callback until on_close returns; its id is never used again. All functions here belong
 * to the thread of the connection's loop, where all callbacks come. dx_server_send and the
 * functions next to it (duplex/server.h) reach a connection from other threads, by its id.
 *
 * A connection that echoes:
 *
 *     static void on_message(struct dx_connection *connection, enum dx_opcode opcode,
 *                            uint8_t *data, size_t len, void *user)
 *     {
 *         (void)!dx_connection_send(connection, opcode, data, len);
 *     }
 *
 *     static const struct dx_connection_handlers echo = {.size = sizeof(echo),
 *                                                        .on_message = on_message};
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

/*
 * Callbacks
 *
 * A callback may send, close, abort, pause or resume. None of these calls a callback from inside.
 */

/* How a connection ended. It is valid during on_close. */
struct dx_close_info {
    /* The peer's close code; 1005: its Close had no code; 1006: no Close came. */
    uint16_t code;

    /* The code of our own Close; 1005: it had no code; 0: none was sent. */
    uint16_t sent_code;

    /* Whether both Close frames were exchanged. */
    bool was_clean;

    /*
     * The reason in the peer's Close: UTF-8, not NUL-terminated, at most 123 bytes. Empty, too,
     * when there was no memory to keep it.
     */
    const char *reason;
    size_t reason_len;

    /* DX_OK after a closing handshake, otherwise why the connection ended. */
    enum dx_err err;

    /* One English sentence if err is not DX_OK, otherwise NULL. */
    const char *detail;
};

/*
 * The callbacks of a connection. Each may be NULL. `user` is what dx_connection_user returns.
 *
 * The struct is borrowed: it must outlive the connections that use it. A static one sets its size
 * itself.
 */
struct dx_connection_handlers {
    size_t size;

    /* A whole message. The data may be changed; it is valid during the call. */
    void (*on_message)(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user);

    /*
     * A piece of a message, as it arrives: a message of any length needs constant memory. If it is
     * set, on_message is not called.
     */
    void (*on_chunk)(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                     size_t len, bool is_first, bool is_last, void *user);

    /*
     * The peer's Close came. Messages can still be sent; answer with dx_connection_close within
     * close_timeout_ms. After that, or at once if this is NULL, the library answers with the same
     * code.
     */
    void (*on_peer_close)(struct dx_connection *connection, uint16_t code, const char *reason,
                          size_t reason_len, void *user);

    /* Pending output has fallen below half of max_queue after it was congested. */
    void (*on_drain)(struct dx_connection *connection, void *user);

    /* A pong came. */
    void (*on_pong)(struct dx_connection *connection, const uint8_t *data, size_t len, void *user);

    /*
     * The peer hung up (end of stream or reset) while reading was paused: it will probably not read
     * what is sent. Called at most once. What the peer sent before can still be read after
     * dx_connection_resume. During a pause with unread input, the library sends unsolicited pongs
     * to detect a peer whose end of stream cannot arrive (20 a second to a peer on this machine).
     */
    void (*on_hang_up)(struct dx_connection *connection, void *user);

    /* The last callback, exactly one for each connection. Afterwards the pointer is invalid. */
    void (*on_close)(struct dx_connection *connection, const struct dx_close_info *info,
                     void *user);

    /* A ping came; the library has answered it. */
    void (*on_ping)(struct dx_connection *connection, const uint8_t *data, size_t len, void *user);
};

/** All NULL. */
static inline struct dx_connection_handlers dx_connection_handlers_init(void)
{
    struct dx_connection_handlers handlers = DX_ZEROED;

    handlers.size = sizeof(handlers);
    return handlers;
}

/*
 * Options
 */

/*
 * Limits and deadlines. The defaults are a server's, from dx_connection_options_init; 0 means: no
 * limit. The struct is copied by what it is given to.
 */
struct dx_connection_options {
    size_t size;

    /*
     * The longest message that is accepted, all its fragments together; a longer one: Close 1009.
     * Bytes; default 1 MiB (a client's 16 MiB).
     */
    uint64_t max_message;

    /* Frames of one message; more: Close 1008. Default 131,072. */
    uint32_t max_fragments;

    /*
     * How long nothing may arrive inside a message; after that: Close 1008. Milliseconds; default
     * 60,000.
     */
    uint32_t message_timeout_ms;

    /*
     * While output is pending, 16 KiB of it must leave within this time; otherwise the connection
     * is aborted (DX_ERR_TIMEOUT). Milliseconds; default 30,000.
     */
    uint32_t write_timeout_ms;

    /*
     * How long to wait for the peer's Close after ours, for our answer to the peer's Close, and for
     * the peer's end of stream. Milliseconds; default 5,000.
     */
    uint32_t close_timeout_ms;

    /* Silence of the peer before a ping is sent; 0: no pings. Milliseconds; default 30,000. */
    uint32_t ping_interval_ms;

    /*
     * Silence after that ping before the connection is aborted (DX_ERR_TIMEOUT). The time starts
     * again as long as the peer's system acknowledges output from before the ping, so a peer that
     * reads slowly is not cut. Milliseconds; default 30,000.
     */
    uint32_t pong_timeout_ms;

    /*
     * The high-water mark of pending output: above it the connection is congested, and above four
     * times this it is aborted (DX_ERR_QUEUE_FULL). Bytes; default 1 MiB (a client's 16 MiB).
     */
    size_t max_queue;
};

/** A server's defaults: 1 MiB, 131,072 fragments, 60 s, 30 s, 5 s, 30 s, 30 s, 1 MiB. */
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

/** A client's defaults: as a server's, but with a max_message and a max_queue of 16 MiB. */
static inline struct dx_connection_options dx_connection_options_init_client(void)
{
    struct dx_connection_options options = dx_connection_options_init();

    options.max_message = 16777216;
    options.max_queue = 16777216;
    return options;
}

/*
 * Sending
 *
 * Pending output is what the library holds because the kernel has not accepted it yet.
 */

/**
 * Sends a whole message.
 *
 * The payload is copied or sent before the call returns. From 16 KiB up a server offers it to the
 * kernel at once, without a copy. Smaller messages leave together at the end of the loop's turn. A
 * message of any length is accepted while the connection is not congested. The caller makes sure
 * that a text is UTF-8. The loop's thread only.
 *
 * opcode      DX_OP_TEXT or DX_OP_BINARY
 * data, len   the payload, in bytes
 *
 * Returns DX_OK, also when the message has to wait, or:
 *   DX_ERR_USAGE        another opcode
 *   DX_ERR_STATE        a fragmented message is being sent
 *   DX_ERR_CLOSED       our Close was sent, or the connection has failed or ended
 *   DX_ERR_QUEUE_FULL   more than max_queue bytes are pending, and with this message they would be
 *                       more than four times max_queue; the connection is aborted
 *   DX_ERR_NOMEM        no memory for the message; if a part has left, the connection is aborted
 *   DX_ERR_TOO_MANY     the limit of dx_loop_set_max_memory is reached; as for DX_ERR_NOMEM
 *   DX_ERR_SYSTEM       a client: no randomness for the masking key
 */
DX_API DX_MUST_CHECK enum dx_err dx_connection_send(struct dx_connection *connection,
                                                    enum dx_opcode opcode, const void *data,
                                                    size_t len);

/**
 * Sends a whole message, and calls `on_sent` when it has left.
 *
 * on_sent is called once for each call that returned DX_OK, in their order, before on_close and
 * never from inside this call. DX_OK means that the kernel has accepted all of the message, not
 * that the peer has read it; another `err` is why the connection ended before that. The loop's
 * thread only.
 *
 * opcode          DX_OP_TEXT or DX_OP_BINARY
 * data, len       the payload, in bytes
 * on_sent, user   NULL: as dx_connection_send
 *
 * Returns as dx_connection_send.
 */
DX_API DX_MUST_CHECK enum dx_err dx_connection_send_with(
    struct dx_connection *connection, enum dx_opcode opcode, const void *data, size_t len,
    void (*on_sent)(struct dx_connection *connection, enum dx_err err, void *user), void *user);

/**
 * Sends one fragment of a message of unknown length (RFC 6455 section 5.4).
 *
 * Until the last fragment no other message can be sent; pings and a Close can. The caller makes
 * sure that a text is UTF-8. The loop's thread only.
 *
 * opcode      the message's, DX_OP_TEXT or DX_OP_BINARY; read at its first fragment only
 * data, len   the fragment's payload, in bytes
 * is_last     this fragment ends the message
 *
 * Returns DX_OK, also when the fragment has to wait, or:
 *   DX_ERR_USAGE        a first fragment with another opcode
 *   DX_ERR_CLOSED       our Close was sent, or the connection has failed or ended
 *   DX_ERR_QUEUE_FULL   more than max_queue bytes are pending, and with this fragment they would be
 *                       more than four times max_queue; the connection is aborted
 *   DX_ERR_NOMEM        no memory for the fragment; from 16 KiB up the connection may be aborted
 *   DX_ERR_TOO_MANY     the limit of dx_loop_set_max_memory is reached; as for DX_ERR_NOMEM
 *   DX_ERR_SYSTEM       a client: no randomness for the masking key
 */
DX_API DX_MUST_CHECK enum dx_err dx_connection_send_fragment(struct dx_connection *connection,
                                                             enum dx_opcode opcode,
                                                             const void *data, size_t len,
                                                             bool is_last);

/**
 * Sends a ping. The loop's thread only.
 *
 * data, len   its payload, at most DX_CONTROL_MAX bytes
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE        more than DX_CONTROL_MAX bytes
 *   DX_ERR_CLOSED       our Close was sent, or the connection has failed or ended
 *   DX_ERR_QUEUE_FULL   four times max_queue bytes are pending; the connection is aborted
 *   DX_ERR_NOMEM        no memory for the ping
 *   DX_ERR_TOO_MANY     the limit of dx_loop_set_max_memory is reached
 *   DX_ERR_SYSTEM       a client: no randomness for the masking key
 */
DX_API DX_MUST_CHECK enum dx_err dx_connection_ping(struct dx_connection *connection,
                                                    const void *data, size_t len);

/** Bytes of pending output, frame headers included. In on_close: what was pending at the end. */
DX_API size_t dx_connection_buffered_amount(const struct dx_connection *connection);

/** True while more than max_queue bytes are pending: stop sending until on_drain. */
DX_API bool dx_connection_is_congested(const struct dx_connection *connection);

/*
 * Backpressure
 */

/**
 * Stops reading.
 *
 * No message is delivered until dx_connection_resume. At most one read (64 KiB) of input is kept.
 * The peer's Close is not seen, and pings are neither sent nor answered. on_hang_up reports a peer
 * that hangs up meanwhile. The loop's thread only.
 */
DX_API void dx_connection_pause(struct dx_connection *connection);

/**
 * Continues reading after dx_connection_pause. Messages that wait are delivered in this turn of the
 * loop, after the call has returned. The loop's thread only.
 */
DX_API void dx_connection_resume(struct dx_connection *connection);

/*
 * Closing
 */

/**
 * Starts the closing handshake, or answers the peer's Close.
 *
 * Pending output is sent first, then the Close. on_close follows, at the latest close_timeout_ms
 * after the Close has left. Until the peer's Close its messages are still delivered. If more than
 * four times max_message (at least 1 MiB, at most 4 GiB) comes after our Close, the connection is
 * cut with DX_ERR_TOO_BIG. A paused connection stays paused. Without memory for the Close the
 * connection is aborted. The call does nothing if a Close was sent already. The loop's thread only.
 *
 * code                 see dx_close_code_is_valid; DX_CLOSE_NO_STATUS: a Close without a code
 * reason, reason_len   UTF-8; cut at a code point to DX_CLOSE_REASON_MAX bytes
 *
 * Returns DX_OK, also when a Close was sent already, or:
 *   DX_ERR_USAGE   a code that must not be sent, a reason that is not UTF-8, or a reason without a
 *                  code
 */
DX_API enum dx_err dx_connection_close(struct dx_connection *connection, uint16_t code,
                                       const char *reason, size_t reason_len);

/**
 * Cuts the connection without a Close frame. on_close follows in this turn of the loop. The loop's
 * thread only.
 *
 * err, detail   what on_close reports, unless the connection has failed already; the text is static
 */
DX_API void dx_connection_abort(struct dx_connection *connection, enum dx_err err,
                                const char *detail);

/*
 * Attributes
 */

/** Sets the pointer that callbacks get as `user`, in place of that of dx_request_accept. */
DX_API void dx_connection_set_user(struct dx_connection *connection, void *user);

/** The pointer that callbacks get as `user`. */
DX_API void *dx_connection_user(const struct dx_connection *connection);

/**
 * The connection's id among the connections of its server, as dx_server_send takes it. It is never
 * 0 and never used again. 0 for a client's connection.
 */
DX_API uint64_t dx_connection_id(const struct dx_connection *connection);

/** The loop that the connection belongs to. */
DX_API struct dx_loop *dx_connection_loop(const struct dx_connection *connection);

/** The subprotocol that was agreed on, or NULL. Valid as long as the connection. */
DX_API const char *dx_connection_subprotocol(const struct dx_connection *connection);

/** Room for any address as text: an IPv6 address with its zone, and a NUL. */
#define DX_HOST_ROOM 64

/**
 * Gets the peer's address as text, such as "127.0.0.1". For a Unix socket it is "unix", with port
 * 0. The loop's thread only.
 *
 * Returns DX_OK, or:
 *   DX_ERR_CLOSED   the connection has ended, or the peer is gone
 *   DX_ERR_SYSTEM   the system refused
 */
DX_API DX_MUST_CHECK enum dx_err dx_connection_peer(const struct dx_connection *connection,
                                                    char host[DX_HOST_ROOM], uint16_t *port);

/**
 * Fills in what TLS agreed on. `facts` starts from dx_tls_facts_init. False, and `facts` unchanged,
 * without TLS.
 */
DX_API bool dx_connection_tls(const struct dx_connection *connection, struct dx_tls_facts *facts);

/* Counts since the connection was made. */
struct dx_connection_metrics {
    size_t size;

    /* Whole messages, and bytes of payload. */
    uint64_t messages_in, bytes_in, messages_out, bytes_out;
};

/** All 0, for dx_connection_metrics. */
static inline struct dx_connection_metrics dx_connection_metrics_init(void)
{
    struct dx_connection_metrics metrics = DX_ZEROED;

    metrics.size = sizeof(metrics);
    return metrics;
}

/** Fills in the counts. `counts` starts from dx_connection_metrics_init. */
DX_API void dx_connection_metrics(const struct dx_connection *connection,
                                  struct dx_connection_metrics *counts);

#ifdef __cplusplus
}
#endif
#endif
