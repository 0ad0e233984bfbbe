/*
 * duplex/endpoint.h - the WebSocket protocol alone (RFC 6455), for those who have their own input and output.
 *
 * An endpoint is one connection after the opening handshake (duplex/handshake.h). It does no I/O and knows no time: bytes come
 * in, events and bytes go out. One endpoint belongs to one thread at a time.
 *
 *     dx_endpoint_feed(endpoint, bytes, len);
 *     while (dx_endpoint_next(endpoint, &event) != DX_EVENT_NONE)
 *         …                                                            // send, close, stop pulling: all allowed
 *     while ((count = dx_endpoint_output(endpoint, slices, 8)) > 0)
 *         dx_endpoint_output_sent(endpoint, writev(fd, …));
 */
#ifndef DUPLEX_ENDPOINT_H
#define DUPLEX_ENDPOINT_H

#include <duplex/frame.h>
#include <duplex/slice.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dx_event_type {
    DX_EVENT_NONE = 0, /* everything that was fed is consumed */
    DX_EVENT_DATA,     /* a piece of a message: opcode, is_first, is_last, data */
    DX_EVENT_PING,     /* data; already answered */
    DX_EVENT_PONG,     /* data */
    DX_EVENT_CLOSE, /* the peer's Close: code (DX_CLOSE_NO_STATUS when it had none), data is the reason */
    DX_EVENT_FAIL, /* the peer broke a rule or a limit: err, code of the Close that was queued, detail */
};

struct dx_event {
    enum dx_event_type type;
    enum dx_opcode opcode; /* DATA: DX_OP_TEXT or DX_OP_BINARY, of the whole message */
    bool is_first;         /* DATA: begins a message */
    bool is_last;          /* DATA: ends a message; a whole message in one piece has both */
    uint16_t code;
    enum dx_err err;
    const char *detail; /* FAIL: one static English sentence naming the rule */
    uint8_t *data;      /* may be changed by the owner while it is valid */
    size_t len;
};

struct dx_endpoint;

struct dx_endpoint_options {
    size_t size;
    enum dx_role role;
    uint64_t max_message;   /* bytes of all fragments of a message, inclusive (else 1009) */
    uint32_t max_fragments; /* frames of one message (else 1008), at least 1 */
    size_t
        max_output; /* memory for what waits in dx_endpoint_output, in blocks of 16 KiB, of which one is kept: at least one */
    /* Fills masking keys with strong randomness; needed by clients (RFC 6455 10.3). False: none to be had. */
    bool (*fill_random)(uint8_t *bytes, size_t len, void *user);
    void *user;
};

/** Fills in 1 MiB, 131072 and 16 MiB. */
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

/** Makes an endpoint with nothing in it. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_USAGE (a client without fill_random; max_fragments 0; max_output below 16 KiB). */
DX_API DX_MUST_CHECK enum dx_err dx_endpoint_new(const struct dx_endpoint_options *options,
                                                 struct dx_endpoint **endpoint);

/** Frees it with all that waits. NULL is fine. */
DX_API void dx_endpoint_free(struct dx_endpoint *endpoint);

/* ---- bytes in ---- */

/**
 * Gives the endpoint bytes that came in. They are changed (unmasked) in place and must stay until dx_endpoint_next has
 * returned DX_EVENT_NONE, which says that all of them are consumed. Only then may the next bytes be fed.
 */
DX_API void dx_endpoint_feed(struct dx_endpoint *endpoint, uint8_t *data, size_t len);

/**
 * The next event. Data slices point into the fed bytes and are valid until the next call of next, feed or free.
 * Pings are answered by the endpoint itself (the event only tells). A peer's Close is NOT answered by the endpoint: the
 * owner does, with dx_endpoint_close, when it is ready. After DX_EVENT_FAIL the endpoint has queued its Close (unless one
 * was sent before) and swallows all further input: send what waits, and end the connection. After a peer's Close everything
 * that follows is swallowed.
 *
 * FAIL has err DX_ERR_PROTOCOL (1002), DX_ERR_UTF8 (1007), DX_ERR_TOO_BIG (1009), DX_ERR_TOO_MANY (1008), DX_ERR_NOMEM or
 * DX_ERR_SYSTEM (1011: a pong or a split control frame found no memory or randomness); its code is DX_CLOSE_ABNORMAL when
 * not even the Close could be queued. The reason of that Close is the event's detail.
 *
 * However the input was cut, the same events come in the same order, but for the cuts of DATA; a text message that fails
 * has given all of its bytes before the one that cannot stand there.
 */
DX_API enum dx_event_type dx_endpoint_next(struct dx_endpoint *endpoint, struct dx_event *event);

/** Payload bytes of the current data frame that were not fed yet: how much may be read straight to where the message grows. */
DX_API uint64_t dx_endpoint_payload_left(const struct dx_endpoint *endpoint);

/** True while a message or frame is begun and not finished: where a deadline for messages would run. */
DX_API bool dx_endpoint_is_in_message(const struct dx_endpoint *endpoint);

/* ---- messages out ---- */

/**
 * Queues a whole message, copied (masked for a client). Text must be UTF-8: that is the caller's duty.
 *
 * Returns DX_OK; DX_ERR_USAGE (not text or binary); DX_ERR_STATE (a fragmented message is being sent); DX_ERR_CLOSED (Close
 * was sent or the endpoint failed); DX_ERR_NOMEM, DX_ERR_TOO_MANY (max_output), DX_ERR_SYSTEM (no randomness): nothing was queued.
 */
DX_API DX_MUST_CHECK enum dx_err
dx_endpoint_send(struct dx_endpoint *endpoint, enum dx_opcode opcode, const void *data, size_t len);

/** Begins, goes on with, or ends a fragmented message: `opcode` counts for the first fragment only. Errors as dx_endpoint_send, but DX_ERR_STATE never. */
DX_API DX_MUST_CHECK enum dx_err dx_endpoint_send_fragment(struct dx_endpoint *endpoint,
                                                           enum dx_opcode opcode, const void *data,
                                                           size_t len, bool is_last);

/** Queues a ping or an unsolicited pong of at most 125 bytes. Errors as dx_endpoint_send; DX_ERR_USAGE when longer. */
DX_API DX_MUST_CHECK enum dx_err dx_endpoint_ping(struct dx_endpoint *endpoint, const void *data,
                                                  size_t len);
DX_API DX_MUST_CHECK enum dx_err dx_endpoint_pong(struct dx_endpoint *endpoint, const void *data,
                                                  size_t len);

/**
 * Queues the Close frame: with `code` and `reason` (cut at a code point so that it fits 123 bytes), or empty for code
 * DX_CLOSE_NO_STATUS. Also the answer to a peer's Close. A second call does nothing and is DX_OK.
 *
 * Returns DX_OK; DX_ERR_USAGE for a code that must not be sent (RFC 6455 7.4.1) or a reason that is not UTF-8; DX_ERR_NOMEM,
 * DX_ERR_TOO_MANY, DX_ERR_SYSTEM.
 */
DX_API DX_MUST_CHECK enum dx_err dx_endpoint_close(struct dx_endpoint *endpoint, uint16_t code,
                                                   const char *reason, size_t reason_len);

/** Whether our Close is queued or sent; whether the peer's came (both: end the connection); whether the endpoint failed it. */
DX_API bool dx_endpoint_close_is_sent(const struct dx_endpoint *endpoint);
DX_API bool dx_endpoint_close_is_received(const struct dx_endpoint *endpoint);
DX_API bool dx_endpoint_is_failed(const struct dx_endpoint *endpoint);

/* ---- bytes out ---- */

/** Fills at most `max_count` slices with what waits, in order; returns how many. Valid until the next change of the endpoint. */
DX_API size_t dx_endpoint_output(const struct dx_endpoint *endpoint, struct dx_slice *slices,
                                 size_t max_count);

/** Takes the first `len` bytes (at most dx_endpoint_buffered_amount) off what waits: they were sent. */
DX_API void dx_endpoint_output_sent(struct dx_endpoint *endpoint, size_t len);

/** Bytes that wait. */
DX_API size_t dx_endpoint_buffered_amount(const struct dx_endpoint *endpoint);

/**
 * Tells that the output cannot be sent now (true), or flows again (false). While blocked, a pong waits aside and later
 * pings only replace its payload (RFC 6455 5.5.3); it is queued when this is called with false.
 */
DX_API void dx_endpoint_set_blocked(struct dx_endpoint *endpoint, bool blocked);

#ifdef __cplusplus
}
#endif
#endif
