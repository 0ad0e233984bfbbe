/*
 * duplex/endpoint.h - the WebSocket protocol alone (RFC 6455), for programs with their own I/O.
 *
 * An endpoint is one connection after the opening handshake (duplex/handshake.h). It does no I/O
 * and has no clock: bytes come in, events and bytes come out. An endpoint belongs to one thread at
 * a time.
 *
 *     dx_endpoint_feed(endpoint, bytes, len);
 *     while (dx_endpoint_next(endpoint, &event) != DX_EVENT_NONE)
 *         handle(&event); // it may send, close, or stop this loop
 *     while ((count = dx_endpoint_output(endpoint, slices, 8)) > 0)
 *         dx_endpoint_output_sent(endpoint, write_all(fd, slices, count));
 */
#ifndef DUPLEX_ENDPOINT_H
#define DUPLEX_ENDPOINT_H

#include <duplex/frame.h>
#include <duplex/slice.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Events
 */

/* What an event is, and which members of struct dx_event it sets. */
enum dx_event_type {
    DX_EVENT_NONE = 0, /* all input is consumed */
    DX_EVENT_DATA,     /* a piece of a message: opcode, is_first, is_last, data, len */
    DX_EVENT_PING,     /* a ping, which is answered already: data, len */
    DX_EVENT_PONG,     /* a pong: data, len */
    DX_EVENT_CLOSE,    /* the peer's Close: code; data and len are its reason */
    DX_EVENT_FAIL,     /* the peer broke a rule or a limit: err, code, detail */
};

struct dx_event {
    enum dx_event_type type;

    /* DATA: DX_OP_TEXT or DX_OP_BINARY, the same for all pieces of a message. */
    enum dx_opcode opcode;

    /* DATA: the piece begins a message. */
    bool is_first;

    /* DATA: the piece ends a message. A whole message in one piece has both. */
    bool is_last;

    /*
     * CLOSE: the peer's code, DX_CLOSE_NO_STATUS if it had none. FAIL: the code of the Close that
     * was queued, DX_CLOSE_ABNORMAL if it could not be queued.
     */
    uint16_t code;

    /* FAIL: the error, see dx_endpoint_next. */
    enum dx_err err;

    /* FAIL: one static English sentence that names the rule. */
    const char *detail;

    /* It may be changed; it is valid until the next call of next, feed or free. */
    uint8_t *data;
    size_t len;
};

/*
 * Life
 */

struct dx_endpoint;

struct dx_endpoint_options {
    size_t size;

    /* Whether the endpoint is a server's or a client's. */
    enum dx_role role;

    /*
     * The longest message that is accepted, all its fragments together; a longer one fails with
     * code 1009. Bytes; default 1 MiB.
     */
    uint64_t max_message;

    /* Frames of one message, at least 1; more fail with code 1008. Default 131,072. */
    uint32_t max_fragments;

    /*
     * Memory for pending output, in blocks of 16 KiB, one of which is kept; at least one block.
     * Bytes; default 16 MiB.
     */
    size_t max_output;

    /*
     * Fills masking keys with strong randomness (RFC 6455 section 10.3). False: there is none now.
     * Required for a client; default NULL.
     */
    bool (*fill_random)(uint8_t *bytes, size_t len, void *user);
    void *user;
};

/** The defaults: messages of 1 MiB in 131,072 fragments, 16 MiB of output. */
static inline struct dx_endpoint_options dx_endpoint_options_init(enum dx_role role)
{
    struct dx_endpoint_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.role = role;
    options.max_message = 1048576;
    options.max_fragments = 131072;
    options.max_output = 16777216;
    return options;
}

/**
 * Makes an endpoint.
 *
 * options    NULL means the defaults of a server
 * endpoint   gets the endpoint; release it with dx_endpoint_free
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE   `size` is not set, a client without fill_random, max_fragments is 0, or
 *                  max_output is below 16 KiB
 *   DX_ERR_NOMEM   nothing was made
 */
DX_API DX_MUST_CHECK enum dx_err dx_endpoint_new(const struct dx_endpoint_options *options,
                                                 struct dx_endpoint **endpoint);

/** Frees an endpoint and its pending output. NULL is fine. */
DX_API void dx_endpoint_free(struct dx_endpoint *endpoint);

/*
 * Input
 */

/**
 * Gives the endpoint bytes that were received.
 *
 * They are borrowed, and unmasked in place, until dx_endpoint_next returns DX_EVENT_NONE: all of
 * them are consumed then. Do not feed more before that.
 */
DX_API void dx_endpoint_feed(struct dx_endpoint *endpoint, uint8_t *data, size_t len);

/**
 * Gets the next event.
 *
 * The endpoint answers pings. It does not answer the peer's Close: call dx_endpoint_close when you
 * are ready. Input after the peer's Close is discarded.
 *
 * After DX_EVENT_FAIL the endpoint has queued a Close with the event's detail as its reason, unless
 * one was sent before. It discards all further input. Send the pending output, then end the
 * connection.
 *
 * The event's err and the code of the Close are DX_ERR_PROTOCOL (1002: the peer broke the
 * protocol), DX_ERR_UTF8 (1007: a text or the reason of a Close is not UTF-8), DX_ERR_TOO_MANY
 * (1008: more than max_fragments frames in a message), DX_ERR_TOO_BIG (1009: a message longer than
 * max_message), DX_ERR_NOMEM (1011: no memory for a control frame in parts, or no room for a pong)
 * or DX_ERR_SYSTEM (1011: a client has no randomness for the masking key of a pong).
 *
 * However the input is cut, the events and their order are the same, except for where DATA is cut.
 * Of a text that is not UTF-8 all bytes before the first wrong one are delivered.
 */
DX_API enum dx_event_type dx_endpoint_next(struct dx_endpoint *endpoint, struct dx_event *event);

/**
 * Payload bytes of the current data frame that were not fed yet. So many bytes may be read straight
 * into the memory where the message grows.
 */
DX_API uint64_t dx_endpoint_payload_left(const struct dx_endpoint *endpoint);

/** True while a message or a frame has begun and has not ended. A deadline would run then. */
DX_API bool dx_endpoint_is_in_message(const struct dx_endpoint *endpoint);

/*
 * Sending
 *
 * What is sent is queued as pending output; see dx_endpoint_output.
 */

/**
 * Sends a whole message. The payload is copied. The caller makes sure that a text is UTF-8.
 *
 * opcode      DX_OP_TEXT or DX_OP_BINARY
 * data, len   the payload, in bytes
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE      another opcode
 *   DX_ERR_STATE      a fragmented message is being sent
 *   DX_ERR_CLOSED     our Close was sent, or the endpoint has failed
 *   DX_ERR_NOMEM      out of memory; nothing was queued
 *   DX_ERR_TOO_MANY   no room under max_output; nothing was queued
 *   DX_ERR_SYSTEM     a client: no randomness for the masking key; nothing was queued
 */
DX_API DX_MUST_CHECK enum dx_err
dx_endpoint_send(struct dx_endpoint *endpoint, enum dx_opcode opcode, const void *data, size_t len);

/**
 * Sends one fragment of a message of unknown length (RFC 6455 section 5.4).
 *
 * Between the first and the last fragment no other message can be sent.
 *
 * opcode      the message's, DX_OP_TEXT or DX_OP_BINARY; read at its first fragment only
 * data, len   the fragment's payload, in bytes; copied
 * is_last     this fragment ends the message
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE      a first fragment with another opcode
 *   DX_ERR_CLOSED     our Close was sent, or the endpoint has failed
 *   DX_ERR_NOMEM      out of memory; nothing was queued
 *   DX_ERR_TOO_MANY   no room under max_output; nothing was queued
 *   DX_ERR_SYSTEM     a client: no randomness for the masking key; nothing was queued
 */
DX_API DX_MUST_CHECK enum dx_err dx_endpoint_send_fragment(struct dx_endpoint *endpoint,
                                                           enum dx_opcode opcode, const void *data,
                                                           size_t len, bool is_last);

/**
 * Sends a ping.
 *
 * data, len   its payload, at most DX_CONTROL_MAX bytes; copied
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE      more than DX_CONTROL_MAX bytes
 *   DX_ERR_CLOSED     our Close was sent, or the endpoint has failed
 *   DX_ERR_NOMEM      out of memory; nothing was queued
 *   DX_ERR_TOO_MANY   no room under max_output; nothing was queued
 *   DX_ERR_SYSTEM     a client: no randomness for the masking key; nothing was queued
 */
DX_API DX_MUST_CHECK enum dx_err dx_endpoint_ping(struct dx_endpoint *endpoint, const void *data,
                                                  size_t len);

/**
 * Sends an unsolicited pong. Pings are answered without it.
 *
 * data, len   its payload, at most DX_CONTROL_MAX bytes; copied
 *
 * Returns as dx_endpoint_ping.
 */
DX_API DX_MUST_CHECK enum dx_err dx_endpoint_pong(struct dx_endpoint *endpoint, const void *data,
                                                  size_t len);

/**
 * Sends a Close, to start the closing handshake or to answer the peer's Close. A second call does
 * nothing.
 *
 * code                 see dx_close_code_is_valid; DX_CLOSE_NO_STATUS: a Close without a code
 * reason, reason_len   UTF-8; cut at a code point to DX_CLOSE_REASON_MAX bytes
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE      a code that must not be sent, a reason that is not UTF-8, or a reason without
 *                     a code
 *   DX_ERR_NOMEM      out of memory; nothing was queued
 *   DX_ERR_TOO_MANY   no room under max_output; nothing was queued
 *   DX_ERR_SYSTEM     a client: no randomness for the masking key; nothing was queued
 */
DX_API DX_MUST_CHECK enum dx_err dx_endpoint_close(struct dx_endpoint *endpoint, uint16_t code,
                                                   const char *reason, size_t reason_len);

/** Whether our Close is queued or sent. */
DX_API bool dx_endpoint_close_is_sent(const struct dx_endpoint *endpoint);

/** Whether the peer's Close came. If ours is sent too, end the connection. */
DX_API bool dx_endpoint_close_is_received(const struct dx_endpoint *endpoint);

/** Whether there was a DX_EVENT_FAIL. */
DX_API bool dx_endpoint_is_failed(const struct dx_endpoint *endpoint);

/*
 * Output
 */

/**
 * Fills in slices of the pending output, in order, and returns how many. They are valid until the
 * next call that changes the endpoint.
 *
 * slices, max_count   room for at most so many slices
 */
DX_API size_t dx_endpoint_output(const struct dx_endpoint *endpoint, struct dx_slice *slices,
                                 size_t max_count);

/**
 * Removes the first bytes of the pending output: they were sent.
 *
 * len   at most dx_endpoint_buffered_amount
 */
DX_API void dx_endpoint_output_sent(struct dx_endpoint *endpoint, size_t len);

/** Bytes of pending output. */
DX_API size_t dx_endpoint_buffered_amount(const struct dx_endpoint *endpoint);

/**
 * Notes that output cannot be sent now (true), or that it can again (false).
 *
 * While it is blocked, at most one pong waits, with the payload of the latest ping (RFC 6455
 * section 5.5.3). It is queued by the call with false.
 */
DX_API void dx_endpoint_set_blocked(struct dx_endpoint *endpoint, bool blocked);

#ifdef __cplusplus
}
#endif
#endif
