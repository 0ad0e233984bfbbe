/*
 * duplex/client.h - the browser's WebSocket in C (WHATWG WebSockets), with what a program needs
 * besides: error details, reconnecting, heartbeats, an outbox, proxies, TLS.
 *
 * States, events and their order, close codes and bufferedAmount follow the standard, with three
 * exceptions, because programs are not pages: ports that browsers block are allowed, several
 * sockets may connect to one host at a time, and a send that finds the buffer full fails instead of
 * closing the connection. `strict_browser` turns the exceptions off.
 *
 * These functions may be called from any thread: send, close, abort, pause, resume, free,
 * ready_state and buffered_amount. On the loop's own thread they act at once; from another thread
 * they are posted, and act in their order. All other functions belong to the loop's thread, where
 * all callbacks come. A callback never comes from inside a call. There is no close event without an
 * open or an error event before it.
 *
 * A client that sends one message and prints what comes:
 *
 *     static void on_open(struct dx_websocket *websocket, void *user)
 *     {
 *         (void)!dx_websocket_send(websocket, DX_OP_TEXT, "hello", 5);
 *     }
 *
 *     struct dx_websocket_listener listener = dx_websocket_listener_init();
 *     struct dx_websocket_options options = dx_websocket_options_init();
 *
 *     listener.on_open = on_open;
 *     listener.on_message = print_message;
 *     options.listener = &listener;
 *     err = dx_websocket_new(loop, "wss://example.org/chat", &options, &websocket);
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

/*
 * Options
 *
 * Each struct starts from its _init function. Structs that it points to are copied.
 */

/*
 * When to connect again after a lost connection.
 *
 * A delay is a random part of an upper bound. The bound starts at first_delay_ms and doubles with
 * each failure. There is no other attempt after a failure that will not change: a wrong
 * certificate, status 401, a close code such as 1008, or dx_websocket_close.
 */
struct dx_reconnect_options {
    size_t size;

    /*
     * The bound of the first delay, and the largest bound. Milliseconds; default 5,000 and 30,000.
     */
    uint32_t first_delay_ms;
    uint32_t max_delay_ms;

    /* After the connection has been open this long, the bound starts again. Default 5,000. */
    uint32_t stable_ms;

    /* Attempts in a row; default 0: no limit. */
    uint32_t max_attempts;

    /*
     * Called before each attempt to reconnect, which is number `attempt` in a row. It may set
     * `*url` to another URL, perhaps with a fresh token; the text is copied. False: give up. NULL
     * (the default): always the same URL.
     */
    bool (*on_attempt)(struct dx_websocket *websocket, uint32_t attempt, const char **url,
                       void *user);
    void *user;
};

/** Delays of up to 5 s at first and 30 s at most, stable after 5 s, no limit of attempts. */
static inline struct dx_reconnect_options dx_reconnect_options_init(void)
{
    struct dx_reconnect_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.first_delay_ms = 5000;
    options.max_delay_ms = 30000;
    options.stable_ms = 5000;
    return options;
}

/* When the outbox forgets a message. */
enum dx_outbox_guarantee {
    DX_OUTBOX_UNSENT = 0, /* when the kernel took it: some may be lost, none comes twice */
    DX_OUTBOX_UNTIL_PONG, /* when a later pong proves it was read: none is lost, some come twice */
};

/* What a full outbox does with a new message. */
enum dx_outbox_full {
    DX_OUTBOX_REFUSE = 0,  /* sending fails with DX_ERR_QUEUE_FULL */
    DX_OUTBOX_DROP_OLDEST, /* the oldest messages make room */
    DX_OUTBOX_DROP_NEWEST, /* the new message is dropped */
};

/* Keeps messages while the connection is down, and sends them when it is open again. */
struct dx_outbox_options {
    size_t size;

    /* Default DX_OUTBOX_UNSENT. */
    enum dx_outbox_guarantee guarantee;

    /* Default DX_OUTBOX_REFUSE. */
    enum dx_outbox_full when_full;

    /* The limit for all payloads in it, in bytes; default 16 MiB. */
    size_t max_len;

    /* The limit of messages in it; default 100,000. */
    uint32_t max_count;
};

/** DX_OUTBOX_UNSENT, DX_OUTBOX_REFUSE, 16 MiB in 100,000 messages. */
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

    /* The URL that a relative URL is resolved against; default NULL. */
    const char *base_url;

    /* Subprotocols to offer, in order of preference; default none. */
    const char *const *protocols;
    size_t protocol_count;

    /* Additional headers of the opening request; default none. */
    const struct dx_header *headers;
    size_t header_count;

    /* The values of the headers Origin and User-Agent; default NULL: no such header. */
    const char *origin;
    const char *user_agent;

    /* Connect to this Unix socket, whatever the URL's host is; default NULL. */
    const char *unix_path;

    /* http, https, socks5 or socks5h://[NAME:PASSWORD@]HOST:PORT; default NULL: no proxy. */
    const char *proxy;

    /* Default NULL: the system's authorities verify the server. */
    struct dx_tls_client *tls;

    /* For all steps until the connection is open. Milliseconds; default 10,000. */
    uint32_t connect_timeout_ms;

    /*
     * Redirects to follow; default 0. Never from wss to ws. Credentials and `headers` are sent to
     * the same origin only.
     */
    uint32_t max_redirects;

    /*
     * Limits and deadlines of the connection. max_queue is the high-water mark: above it sending
     * fails until on_drain, below it a message of any length is accepted. Pings would queue after
     * pending output, so while output is pending, 16 KiB of it must leave within ping_interval_ms
     * plus pong_timeout_ms. Default NULL: dx_connection_options_init_client.
     */
    const struct dx_connection_options *connection;

    /*
     * A heartbeat by text messages instead of pings: heartbeat_text is sent each ping_interval_ms,
     * and heartbeat_answer must come within pong_timeout_ms. Listeners do not see the answer.
     * Default NULL: pings.
     */
    const char *heartbeat_text;
    const char *heartbeat_answer;

    /* A text message that is sent first, each time the connection opens; default NULL. */
    const char *greeting;

    /* Default NULL: a lost connection stays lost. */
    const struct dx_reconnect_options *reconnect;

    /* Default NULL: no outbox. It needs `reconnect`. */
    const struct dx_outbox_options *outbox;

    /* The standard without the three exceptions above; default false. */
    bool strict_browser;

    /* Deliver messages that come between our Close and the peer's; default false. Not if strict. */
    bool hears_while_closing;

    /* The first listener and its `user`, copied; default NULL. */
    const struct dx_websocket_listener *listener;
    void *user;
};

/** The defaults: 10 s to connect, no redirects, no reconnecting, no outbox. */
static inline struct dx_websocket_options dx_websocket_options_init(void)
{
    struct dx_websocket_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.connect_timeout_ms = 10000;
    return options;
}

/*
 * Life
 */

/**
 * Makes a WebSocket and starts to connect, as `new WebSocket(url, protocols)`.
 *
 * The URL (WHATWG; ws, wss, http or https) and the options are checked and copied. Connecting
 * begins in a later turn of the loop. A name and password in the URL become an Authorization
 * header.
 *
 * loop        the loop whose thread gets all callbacks
 * options     NULL means the defaults
 * websocket   gets the handle; release it with dx_websocket_free
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE   the standard's SyntaxError: the URL, a fragment, a subprotocol; or a header that
 *                  cannot be sent, or an option without a valid value
 *   DX_ERR_NOMEM   nothing was made
 */
DX_API DX_MUST_CHECK enum dx_err dx_websocket_new(struct dx_loop *loop, const char *url,
                                                  const struct dx_websocket_options *options,
                                                  struct dx_websocket **websocket);

/**
 * Releases the handle. No callback comes afterwards.
 *
 * Messages that were sent still leave. Then an open connection is closed without a code, as the
 * standard does for a socket that is collected. What is left ends with dx_loop_free. Any thread;
 * from another thread than the loop's a callback that is running goes on to its end. NULL is fine.
 */
DX_API void dx_websocket_free(struct dx_websocket *websocket);

/**
 * Adds a listener after those that exist.
 *
 * The struct is borrowed until it is removed or the websocket is freed. The same pair of listener
 * and `user` is added only once. It does not receive the event that is being dispatched.
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE      `size` is not set
 *   DX_ERR_TOO_MANY   there are 100 listeners already
 *   DX_ERR_NOMEM      it was not added
 */
DX_API DX_MUST_CHECK enum dx_err
dx_websocket_add_listener(struct dx_websocket *websocket,
                          const struct dx_websocket_listener *listener, void *user);

/**
 * Removes a listener. It is not called again, not even for the event that is being dispatched. The
 * listener of the options cannot be removed.
 */
DX_API void dx_websocket_remove_listener(struct dx_websocket *websocket,
                                         const struct dx_websocket_listener *listener, void *user);

/*
 * Sending and closing
 */

/**
 * Sends a message. The payload is copied.
 *
 * While the state is CLOSING or CLOSED the message is dropped and counted in the buffered amount,
 * as the standard says; with an outbox it is kept. A message accepted from another thread waits
 * until its websocket has room, at most max_queue bytes of it; it is refused here, never dropped
 * later.
 *
 * Any thread.
 *
 * opcode      DX_OP_TEXT or DX_OP_BINARY
 * data, len   the payload, in bytes
 *
 * Returns DX_OK, or:
 *   DX_ERR_STATE        CONNECTING without an outbox (the standard's InvalidStateError), or inside
 *                       a fragmented message
 *   DX_ERR_UTF8         the text is not UTF-8
 *   DX_ERR_QUEUE_FULL   more than max_queue bytes are queued, or the outbox is full; wait for
 *                       on_drain. With strict_browser the connection is closed
 *   DX_ERR_USAGE        another opcode
 *   DX_ERR_NOMEM        the message was not sent
 *   DX_ERR_SYSTEM       no randomness for the masking key
 */
DX_API DX_MUST_CHECK enum dx_err dx_websocket_send(struct dx_websocket *websocket,
                                                   enum dx_opcode opcode, const void *data,
                                                   size_t len);

/**
 * Sends one fragment of a message of unknown length (RFC 6455 section 5.4).
 *
 * Between the first and the last fragment no other message can be sent. Fragments do not go through
 * the outbox. The caller makes sure that a text is UTF-8. The loop's thread only.
 *
 * opcode    the message's, counted at its first fragment
 * is_last   this fragment ends the message
 *
 * Returns as dx_websocket_send, and:
 *   DX_ERR_STATE   the state is not OPEN
 */
DX_API DX_MUST_CHECK enum dx_err dx_websocket_send_fragment(struct dx_websocket *websocket,
                                                            enum dx_opcode opcode, const void *data,
                                                            size_t len, bool is_last);

/**
 * Sends a ping. The loop's thread only.
 *
 * Returns DX_OK, or:
 *   DX_ERR_STATE        the state is not OPEN
 *   DX_ERR_USAGE        more than 125 bytes
 *   DX_ERR_QUEUE_FULL   more than max_queue bytes are queued
 *   DX_ERR_NOMEM        the ping was not sent
 */
DX_API DX_MUST_CHECK enum dx_err dx_websocket_ping(struct dx_websocket *websocket, const void *data,
                                                   size_t len);

/**
 * Starts the closing handshake, as the standard's close().
 *
 * Queued messages, also those in the outbox, are sent first. It also ends reconnecting: between two
 * attempts without an event, because the close event has come already. Any thread.
 *
 * code                 1000, 3000 to 4999, or 0 for none (1000 if there is a reason)
 * reason, reason_len   at most 123 bytes of UTF-8
 *
 * Returns DX_OK, also when it is closing or closed already, or:
 *   DX_ERR_USAGE        the code (the standard's InvalidAccessError)
 *   DX_ERR_TOO_BIG      the reason is too long (SyntaxError)
 *   DX_ERR_UTF8         the reason is not UTF-8 (SyntaxError)
 *   DX_ERR_NOMEM        from another thread: the call could not be posted
 *   DX_ERR_QUEUE_FULL   from another thread: too many calls are posted already
 */
DX_API enum dx_err dx_websocket_close(struct dx_websocket *websocket, uint16_t code,
                                      const char *reason, size_t reason_len);

/** Cuts the connection without a Close (code 1006), and ends reconnecting. Any thread. */
DX_API void dx_websocket_abort(struct dx_websocket *websocket);

/** Stops reading (backpressure), also for the connections that follow. Any thread. */
DX_API void dx_websocket_pause(struct dx_websocket *websocket);

/** Continues reading. Any thread. */
DX_API void dx_websocket_resume(struct dx_websocket *websocket);

/*
 * Attributes
 */

/** The standard's readyState. Any thread. */
DX_API enum dx_ready_state dx_websocket_ready_state(const struct dx_websocket *websocket);

/**
 * The URL in its normal form, with ws or wss and without a name and password. Valid until the next
 * attempt.
 */
DX_API const char *dx_websocket_url(const struct dx_websocket *websocket);

/** The subprotocol; "" before it is open. Valid until the next opening. */
DX_API const char *dx_websocket_protocol(const struct dx_websocket *websocket);

/** The extensions. Always "": none is offered yet. */
DX_API const char *dx_websocket_extensions(const struct dx_websocket *websocket);

/**
 * Payload bytes that were sent and that the kernel has not accepted, with those in the outbox.
 *
 * It falls between callbacks only, as in browsers, and not after the end. It starts again at 0 when
 * another connection opens. Any thread.
 */
DX_API uint64_t dx_websocket_buffered_amount(struct dx_websocket *websocket);

/** True while more than max_queue bytes are queued: sending fails until on_drain. */
DX_API bool dx_websocket_is_congested(const struct dx_websocket *websocket);

/**
 * Why it is not open: the `detail` of the last error event. NULL if there was none, while it is
 * open, and after a clean close. Valid until that changes.
 */
DX_API const char *dx_websocket_last_error(const struct dx_websocket *websocket);

/** Counts the messages in the outbox, and those of them that are sent but unacknowledged. */
DX_API void dx_websocket_outbox(const struct dx_websocket *websocket, size_t *count,
                                size_t *unproven_count);

/** The value of a header of the 101 answer, or NULL. Valid until the next opening. */
DX_API const char *dx_websocket_response_header(const struct dx_websocket *websocket,
                                                const char *name);

/**
 * The name of the `index`th header of the 101 answer, and its value. NULL after the last; `*value`
 * is not changed then. Valid until the next opening.
 */
DX_API const char *dx_websocket_response_header_at(const struct dx_websocket *websocket,
                                                   size_t index, const char **value);

/** Fills in what TLS agreed on. False, and `facts` unchanged, without TLS or while not open. */
DX_API bool dx_websocket_tls(const struct dx_websocket *websocket, struct dx_tls_facts *facts);

/** The loop that it was made on. */
DX_API struct dx_loop *dx_websocket_loop(const struct dx_websocket *websocket);

#ifdef __cplusplus
}
#endif
#endif
