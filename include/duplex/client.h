/*
 * duplex/client.h - the browser's WebSocket in C (WHATWG WebSockets), and what a program needs beside: reasons of failures,
 * reconnecting, heartbeats, an outbox, proxies, TLS.
 *
 * States, events and their order, close codes and bufferedAmount are the standard's. By default three things are not, because
 * programs are not pages; options.strict_browser makes them so: ports that browsers block may be connected to; several sockets
 * may be connecting to one host; a send that finds the buffer full fails instead of closing the connection.
 *
 * Sending, closing, aborting, pausing, freeing, readyState and the buffered amount may be called from any thread: on the loop's own they act
 * at once, from others they post, in their order; the other functions are the loop's thread's, where callbacks come, never from inside a
 * call. There is no close event without an open or an error event before it.
 */
#ifndef DUPLEX_CLIENT_H
#define DUPLEX_CLIENT_H

#include <duplex/client_events.h>
#include <duplex/connection.h>
#include <duplex/handshake.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dx_tls_client; /* duplex/tls_client.h */

/* ---- options ---- */

struct dx_reconnect_options {
    size_t size;
    uint32_t first_delay_ms; /* at most; each delay is a random part of what it may be at most, … */
    uint32_t max_delay_ms;   /* … which doubles with each failure up to this */
    uint32_t stable_ms;      /* so long open, and the next delay is a first one again */
    uint32_t max_attempts;   /* in a row; 0: for ever */
    /* Before each attempt: another URL, with a fresh token perhaps; `*url` is copied. False: no more attempts. NULL: the same URL. */
    bool (*on_attempt)(struct dx_websocket *websocket, uint32_t attempt, const char **url,
                       void *user);
    void *user;
};

/* What has to have happened before a sent message is forgotten. */
enum dx_outbox_guarantee {
    DX_OUTBOX_UNSENT = 0, /* the kernel took it: what it had may be lost, nothing comes twice */
    DX_OUTBOX_UNTIL_PONG, /* a pong proved that the peer read it: nothing is lost, some come twice */
};
enum dx_outbox_full { DX_OUTBOX_REFUSE = 0, DX_OUTBOX_DROP_OLDEST, DX_OUTBOX_DROP_NEWEST };

/* Keeps what is sent while the connection is down. */
struct dx_outbox_options {
    size_t size;
    enum dx_outbox_guarantee guarantee;
    enum dx_outbox_full when_full;
    size_t max_len; /* of all payloads in it */
    uint32_t max_count;
};

/** Delays up to 5 s at first and 30 s at most, stable after 5 s, no end. */
static inline struct dx_reconnect_options dx_reconnect_options_init(void)
{
    struct dx_reconnect_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.first_delay_ms = 5000;
    options.max_delay_ms = 30000;
    options.stable_ms = 5000;
    return options;
}

/** DX_OUTBOX_UNSENT, DX_OUTBOX_REFUSE; 16 MiB in 100,000 messages. */
static inline struct dx_outbox_options dx_outbox_options_init(void)
{
    struct dx_outbox_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.max_len = 16777216;
    options.max_count = 100000;
    return options;
}

struct dx_websocket_options {
    size_t size;
    const char *base_url; /* for a relative URL; or NULL */
    const char *const *protocols;
    size_t protocol_count;
    const struct dx_header *headers; /* more headers of the request */
    size_t header_count;
    const char *origin;     /* or NULL */
    const char *user_agent; /* or NULL */
    const char *unix_path;  /* connect to that socket, whatever the URL's host is; or NULL */
    const char *proxy; /* http, https, socks5 or socks5h://[NAME:PASSWORD@]HOST:PORT; or NULL */
    struct dx_tls_client *tls;   /* NULL: verification by the system's authorities */
    uint32_t connect_timeout_ms; /* of all steps until the opening */
    uint32_t max_redirects;      /* followed, never from wss to ws; secrets stay in their origin */
    /* Its max_queue is the high-water mark: above it sending fails until on_drain, below it a message of any length is taken.
     * NULL: what dx_connection_options_init_client says. */
    const struct dx_connection_options *connection;
    /* While output waits, which a ping would have to stand behind, 16 KiB of it have to leave within ping_interval and pong_timeout. */
    const char *heartbeat_text;   /* sent in place of pings each connection.ping_interval, … */
    const char *heartbeat_answer; /* … and answered with this, kept from listeners; NULL: pings */
    const char *greeting;         /* a text message sent first at each opening; or NULL */
    const struct dx_reconnect_options *reconnect; /* NULL: what is lost stays lost */
    const struct dx_outbox_options *outbox;       /* needs reconnecting; NULL: none */
    bool strict_browser;
    bool hears_while_closing; /* messages between our Close and the peer's, too; not if strict */
    const struct dx_websocket_listener *listener; /* the first one, copied, and its user; or NULL */
    void *user;
};

/** 10 s to connect; no redirects, no reconnecting, no outbox. */
static inline struct dx_websocket_options dx_websocket_options_init(void)
{
    struct dx_websocket_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.connect_timeout_ms = 10000;
    return options;
}

/* ---- life ---- */

/**
 * As `new WebSocket(url, protocols)`: the URL (WHATWG; ws, wss, http, https) and the options are checked and copied, the rest goes on later.
 * A name and password in the URL become `Authorization: Basic`.
 *
 * Returns DX_OK; DX_ERR_USAGE (SyntaxError: URL, fragment, protocols, a header that cannot stand there); DX_ERR_NOMEM.
 */
DX_API DX_MUST_CHECK enum dx_err dx_websocket_new(struct dx_loop *loop, const char *url,
                                                  const struct dx_websocket_options *options,
                                                  struct dx_websocket **websocket);

/**
 * Gives the handle back: no callback comes any more (from another thread: one may go on for a moment); what was sent goes out, then an open
 * connection is closed without a code, as the standard does for a socket that nobody holds; at latest by dx_loop_free. NULL is fine.
 */
DX_API void dx_websocket_free(struct dx_websocket *websocket);

/** Adds a listener, behind those that are there; one that is there with this `user` stays where it is. An event that is being told is not told to it. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY (100). */
DX_API DX_MUST_CHECK enum dx_err
dx_websocket_add_listener(struct dx_websocket *websocket,
                          const struct dx_websocket_listener *listener, void *user);
/** Removes it; it is not called any more, not even by the event that is being told. (That of the options stays.) */
DX_API void dx_websocket_remove_listener(struct dx_websocket *websocket,
                                         const struct dx_websocket_listener *listener, void *user);

/* ---- send and close ---- */

/**
 * Queues a message, copied. While CLOSING or CLOSED it is dropped and counted in the buffered amount (the standard), or kept in the outbox.
 * What another thread was told is sent waits for room, at most max_queue of it.
 *
 * Returns DX_OK; DX_ERR_STATE (CONNECTING without an outbox: InvalidStateError; inside a fragmented message); DX_ERR_UTF8 (text); DX_ERR_QUEUE_FULL (strict_browser: and it is being closed); DX_ERR_USAGE; DX_ERR_NOMEM; DX_ERR_SYSTEM.
 */
DX_API DX_MUST_CHECK enum dx_err dx_websocket_send(struct dx_websocket *websocket,
                                                   enum dx_opcode opcode, const void *data,
                                                   size_t len);
/** One fragment of a message of unknown length; that a text is UTF-8 is the caller's duty. Not through an outbox. Errors as dx_websocket_send; DX_ERR_STATE, too, while it is not OPEN. */
DX_API DX_MUST_CHECK enum dx_err dx_websocket_send_fragment(struct dx_websocket *websocket,
                                                            enum dx_opcode opcode, const void *data,
                                                            size_t len, bool is_last);
/** Returns DX_OK, DX_ERR_STATE (not open), DX_ERR_USAGE (more than 125 bytes), DX_ERR_QUEUE_FULL, DX_ERR_NOMEM. */
DX_API DX_MUST_CHECK enum dx_err dx_websocket_ping(struct dx_websocket *websocket, const void *data,
                                                   size_t len);

/**
 * As the standard's close(): `code` 1000 or 3000 to 4999, or 0 for none (1000 where there is a reason); the reason at most 123 bytes of UTF-8. What is
 * queued goes first, the outbox included. Ends reconnecting, too: between two attempts silently, for the close event was then.
 *
 * Returns DX_OK, also when it is closing or closed; DX_ERR_USAGE (InvalidAccessError: the code); DX_ERR_TOO_BIG, DX_ERR_UTF8 (SyntaxError: the reason); elsewhere DX_ERR_NOMEM, DX_ERR_QUEUE_FULL.
 */
DX_API enum dx_err dx_websocket_close(struct dx_websocket *websocket, uint16_t code,
                                      const char *reason, size_t reason_len);
/** Cuts the connection: 1006. Ends reconnecting, too. */
DX_API void dx_websocket_abort(struct dx_websocket *websocket);
/** Stops and goes on with reading (backpressure), at the next openings, too. */
DX_API void dx_websocket_pause(struct dx_websocket *websocket);
DX_API void dx_websocket_resume(struct dx_websocket *websocket);
/* ---- attributes ---- */

/** readyState. */
DX_API enum dx_ready_state dx_websocket_ready_state(const struct dx_websocket *websocket);
/** As serialised by the URL standard, with ws or wss, without a name and password. Valid until the next attempt. */
DX_API const char *dx_websocket_url(const struct dx_websocket *websocket);
/** "" until open. On the loop's thread, valid until the next opening. */
DX_API const char *dx_websocket_protocol(const struct dx_websocket *websocket);
/** Always "" for now: no extension is offered. */
DX_API const char *dx_websocket_extensions(const struct dx_websocket *websocket);
/** Payload bytes that were sent and not given to the network, those in the outbox included; falls between callbacks only, and not after the end; begins anew when it opens again. */
DX_API uint64_t dx_websocket_buffered_amount(struct dx_websocket *websocket);
/** True when more than max_queue waits: sending fails until on_drain. On the loop's thread; what the outbox keeps is not meant. */
DX_API bool dx_websocket_is_congested(const struct dx_websocket *websocket);
/** Why it is not open: the detail of its last error event; NULL when there was none, while it is open, and after a clean close. On the loop's thread, valid until that changes. */
DX_API const char *dx_websocket_last_error(const struct dx_websocket *websocket);
/** What waits in the outbox: messages, and those of them that were sent and are not proven. */
DX_API void dx_websocket_outbox(const struct dx_websocket *websocket, size_t *count,
                                size_t *unproven_count);
/** A header of the 101, or NULL. On the loop's thread, valid until the next opening. */
DX_API const char *dx_websocket_response_header(const struct dx_websocket *websocket,
                                                const char *name);
/** The `index`th header of the 101: its name; NULL, and `*value` untouched, beyond the last. As above. */
DX_API const char *dx_websocket_response_header_at(const struct dx_websocket *websocket,
                                                   size_t index, const char **value);
/** What was agreed by TLS; false, and `facts` untouched, without TLS or while not open. On the loop's thread. */
DX_API bool dx_websocket_tls(const struct dx_websocket *websocket, struct dx_tls_facts *facts);
/** The loop that it was made on. */
DX_API struct dx_loop *dx_websocket_loop(const struct dx_websocket *websocket);

#ifdef __cplusplus
}
#endif
#endif
