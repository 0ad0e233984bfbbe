/*
 * duplex/client_events.h - what a websocket tells its listeners: the standard's events, and the reasons that a browser hides.
 *
 * All on the loop's thread. Part of duplex/client.h.
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

/* Where a connection failed. */
enum dx_failure_step {
    DX_STEP_RESOLVE = 1, /* the name has no address */
    DX_STEP_CONNECT,     /* nobody accepts there */
    DX_STEP_PROXY,       /* the proxy refuses, or cannot be reached */
    DX_STEP_TLS,         /* handshake or certificate */
    DX_STEP_UPGRADE,     /* an answer, but not 101: http_status */
    DX_STEP_HANDSHAKE,   /* a 101 that breaks the rules, or no HTTP */
    DX_STEP_PROTOCOL,    /* the peer broke the protocol or a limit, after the opening */
    DX_STEP_HEARTBEAT,   /* no sign of life */
    DX_STEP_LOST,        /* the connection ended without a Close */
    DX_STEP_CLOSED,      /* closed by ourselves before it was open */
};

/* What a browser has to hide. Valid during the callback, as all texts in it. */
struct dx_error_event {
    enum dx_failure_step step;
    enum dx_err err;
    int system_error;                /* errno, or 0 */
    uint16_t http_status;            /* UPGRADE, and PROXY: what was answered; else 0 */
    const char *detail;              /* one English sentence: what, where, which rule */
    const struct dx_header *headers; /* UPGRADE: of the answer */
    size_t header_count;
    const uint8_t *body; /* UPGRADE: the first bytes of the answer's body, at most 4 KiB */
    size_t body_len;
};

struct dx_close_event {
    uint16_t code; /* as CloseEvent's: the peer's, 1005, or 1006 */
    const char *reason;
    size_t reason_len;
    bool was_clean;
    bool will_reconnect; /* after delay_ms; the next event is open or error */
    uint32_t delay_ms;
};

/* A received message. Valid during the callback; who wants it longer keeps it. */
struct dx_message;
/** DX_OP_TEXT or DX_OP_BINARY. */
DX_API enum dx_opcode dx_message_opcode(const struct dx_message *message);
/** Its bytes, valid as long as the message. */
DX_API const uint8_t *dx_message_data(const struct dx_message *message, size_t *len);
/** The message with a reference of the caller's, NULL without memory: the first time it is copied. Any thread, but for the first time. */
DX_API DX_MUST_CHECK struct dx_message *dx_message_keep(struct dx_message *message);
/** Gives such a reference back. NULL is fine. Any thread. */
DX_API void dx_message_drop(struct dx_message *message);

/* Whom to tell what. Every member may be NULL. Borrowed while it is listening. */
struct dx_websocket_listener {
    size_t size;
    void (*on_open)(struct dx_websocket *websocket, void *user);
    void (*on_message)(struct dx_websocket *websocket, struct dx_message *message, void *user);
    /* When a listener has it at the opening, messages come in pieces as they arrive, in constant memory, and nobody gets on_message. */
    void (*on_chunk)(struct dx_websocket *websocket, enum dx_opcode opcode, const uint8_t *data,
                     size_t len, bool is_first, bool is_last, void *user);
    void (*on_error)(struct dx_websocket *websocket, const struct dx_error_event *error,
                     void *user);
    void (*on_close)(struct dx_websocket *websocket, const struct dx_close_event *close,
                     void *user);
    /* After sending has failed for a full queue, or what waits has passed max_queue: less than half of it waits again. Also for threads
     * that were refused. */
    void (*on_drain)(struct dx_websocket *websocket, void *user);
    void (*on_pong)(struct dx_websocket *websocket, const uint8_t *data, size_t len, void *user);
    void (*on_ping)(struct dx_websocket *websocket, const uint8_t *data, size_t len, void *user);
    /* The opening request is about to go out, perhaps with a password; who closes here keeps it from that. */
    void (*on_request)(struct dx_websocket *websocket, const char *head, size_t len, void *user);
};

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
