/*
 * duplex/client_events.h - the events of a websocket: the standard's, and the details that browsers
 * hide from pages. Part of duplex/client.h.
 *
 * All callbacks come on the loop's thread. Texts and structs in them are valid during the callback.
 */
#ifndef DUPLEX_CLIENT_EVENTS_H
#define DUPLEX_CLIENT_EVENTS_H

#include <duplex/frame.h>
#include <duplex/handshake.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dx_websocket;

enum dx_ready_state {
    DX_READY_STATE_CONNECTING = 0,
    DX_READY_STATE_OPEN,
    DX_READY_STATE_CLOSING,
    DX_READY_STATE_CLOSED
};

/* The step at which a connection failed. */
enum dx_failure_step {
    DX_STEP_RESOLVE = 1, /* the name has no address */
    DX_STEP_CONNECT,     /* no address accepted the connection */
    DX_STEP_PROXY,       /* the proxy refused, or cannot be reached */
    DX_STEP_TLS,         /* the TLS handshake or the certificate */
    DX_STEP_UPGRADE,     /* an answer other than 101; see http_status */
    DX_STEP_HANDSHAKE,   /* a 101 that breaks the rules, or not HTTP */
    DX_STEP_PROTOCOL,    /* after the opening the peer broke the protocol or a limit */
    DX_STEP_HEARTBEAT,   /* the peer did not answer */
    DX_STEP_LOST,        /* the connection ended without a Close */
    DX_STEP_CLOSED,      /* closed by the program before it was open */
};

/* Why a connection failed. */
struct dx_error_event {
    enum dx_failure_step step;
    enum dx_err err;

    /* errno, or 0. */
    int system_error;

    /* Of UPGRADE and PROXY: the status of the answer; else 0. */
    uint16_t http_status;

    /* One English sentence: what, where, which rule. */
    const char *detail;

    /* Of UPGRADE: the headers of the answer. */
    const struct dx_header *headers;
    size_t header_count;

    /* Of UPGRADE: the first bytes of the answer's body, at most 4 KiB. */
    const uint8_t *body;
    size_t body_len;
};

struct dx_close_event {
    /* CloseEvent's code: the peer's, 1005 for none, or 1006 without a Close. */
    uint16_t code;

    /* UTF-8, not NUL-terminated. */
    const char *reason;
    size_t reason_len;

    /* Both Close frames were exchanged. */
    bool was_clean;

    /* Another attempt follows after delay_ms. The next event is open or error. */
    bool will_reconnect;
    uint32_t delay_ms;
};

/* A received message. It is valid during the callback; call dx_message_keep() to retain it. */
struct dx_message;

/** DX_OP_TEXT or DX_OP_BINARY. */
DX_API enum dx_opcode dx_message_opcode(const struct dx_message *message);

/** The payload, valid as long as the message. `*len` gets its bytes. */
DX_API const uint8_t *dx_message_data(const struct dx_message *message, size_t *len);

/**
 * Returns a reference to the message, which outlives the callback. The first call copies the
 * payload. NULL without memory. Thread-safe, except the first call.
 */
DX_API DX_MUST_CHECK struct dx_message *dx_message_keep(struct dx_message *message);

/** Gives a reference back. NULL is fine. Any thread. */
DX_API void dx_message_drop(struct dx_message *message);

/*
 * Callbacks for the events. Every member may be NULL. The struct is borrowed while it listens;
 * `user` is the one that was given with it.
 */
struct dx_websocket_listener {
    size_t size;

    void (*on_open)(struct dx_websocket *websocket, void *user);

    /* A whole message. */
    void (*on_message)(struct dx_websocket *websocket, struct dx_message *message, void *user);

    /*
     * A piece of a message, as it arrives, in constant memory. If any listener has this member when
     * the connection opens, messages come in pieces and on_message is not called.
     */
    void (*on_chunk)(struct dx_websocket *websocket, enum dx_opcode opcode, const uint8_t *data,
                     size_t len, bool is_first, bool is_last, void *user);

    void (*on_error)(struct dx_websocket *websocket, const struct dx_error_event *error,
                     void *user);
    void (*on_close)(struct dx_websocket *websocket, const struct dx_close_event *close,
                     void *user);

    /*
     * The queue has fallen below half of max_queue, after it had passed max_queue or a send had
     * failed with DX_ERR_QUEUE_FULL, also on another thread.
     */
    void (*on_drain)(struct dx_websocket *websocket, void *user);

    /* A ping or a pong came. Pings are answered already. */
    void (*on_pong)(struct dx_websocket *websocket, const uint8_t *data, size_t len, void *user);
    void (*on_ping)(struct dx_websocket *websocket, const uint8_t *data, size_t len, void *user);

    /*
     * The opening request is about to be sent; it may contain a password. Closing the websocket
     * here keeps it from being sent.
     */
    void (*on_request)(struct dx_websocket *websocket, const char *head, size_t len, void *user);
};

/** No callbacks. */
static inline struct dx_websocket_listener dx_websocket_listener_init(void)
{
    struct dx_websocket_listener listener = DX_ZEROED;

    listener.size = sizeof(listener);
    return listener;
}

#ifdef __cplusplus
}
#endif
#endif
