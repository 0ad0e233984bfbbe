/*
 * endpoint.h - one WebSocket connection after the opening handshake, as a state machine (RFC 6455 sections 5-8).
 *
 * No socket, no clock, no randomness of its own. Bytes come in by dx_endpoint_feed and are parsed and unmasked in place;
 * the owner pulls event by event with dx_endpoint_next, and between two events it may send, close, pause (simply not
 * pull) or release. Bytes go out into a dx_output that the owner flushes. An idle endpoint owns no memory beyond itself.
 */
#ifndef DX_WS_ENDPOINT_H
#define DX_WS_ENDPOINT_H

#include <duplex/endpoint.h> /* enum dx_opcode, enum dx_role, enum dx_event_type, struct dx_event: shared with the public wrapper */

#include "base/output.h"
#include "ws/transform.h"
#include "ws/utf8.h"

/* What is the same for many endpoints; borrowed, must outlive them. */
struct dx_endpoint_config {
    enum dx_role role;
    uint64_t max_message;   /* bytes of all its fragments, inclusive; judged on the header (1009) */
    uint32_t max_fragments; /* frames of one message, empty ones included (1008); at least 1 */
    /* Fills masking keys; used by clients only. False: no randomness to be had, sending fails with DX_ERR_SYSTEM. */
    bool (*fill_random)(void *context, uint8_t *bytes, size_t len);
    void *random_context;
    const struct dx_transform *transform; /* what RSV1 means; NULL: it is forbidden */
};

struct dx_aside; /* a control payload split over two feeds, a pong that waits: allocated */

struct dx_endpoint {
    const struct dx_endpoint_config *config;
    struct dx_output *output;
    uint8_t *in; /* what is fed and not yet consumed */
    size_t in_len;

    /* The rest is private to ws/endpoint*.c. */
    uint64_t payload_left;  /* of the current frame */
    uint64_t message_len;   /* of the current message: payloads announced so far */
    struct dx_aside *aside; /* NULL: nothing had to be put aside */
    struct dx_transform_state *transform_state; /* of config->transform */
    uint32_t fragment_count; /* frames of the current message; 0: no message is begun */
    uint32_t key;            /* for the next payload byte */
    struct dx_utf8 utf8;     /* of the current text message */
    uint8_t state;
    uint8_t header_len; /* bytes in header */
    uint8_t header[DX_FRAME_HEADER_MAX];
    uint8_t opcode;    /* of the current message */
    uint8_t mask_flag; /* what the second byte must say of masking: DX_FRAME_MASKED or 0 */
    bool message_is_transformed : 1;
    bool has_piece : 1; /* a piece of the current message was given to the owner */
    bool is_blocked : 1;
    bool is_sending : 1; /* a fragmented message of ours is begun */
    bool close_is_sent : 1;
    bool close_is_received : 1;
    bool is_failed : 1;
};

/** Makes an endpoint with nothing in it. Nothing is allocated. */
void dx_endpoint_init(struct dx_endpoint *endpoint, const struct dx_endpoint_config *config,
                      struct dx_output *output);

/** Gives the connection's side of config->transform (borrowed); before the first feed, and only where there is a transform. */
void dx_endpoint_set_transform_state(struct dx_endpoint *endpoint,
                                     struct dx_transform_state *state);

/** Frees what the endpoint allocated. Not the output. */
void dx_endpoint_release(struct dx_endpoint *endpoint);

/**
 * Gives the endpoint bytes that came in. They are changed (unmasked) in place and must stay until dx_endpoint_next has
 * returned DX_EVENT_NONE, which says that all of them are consumed. Only then may the next bytes be fed.
 */
void dx_endpoint_feed(struct dx_endpoint *endpoint, uint8_t *data, size_t len);

/**
 * The next event. Data slices point into the fed bytes and are valid until the next call of next, feed or release.
 * Pings are answered by the endpoint itself (the event only tells). A peer's Close is NOT answered by the endpoint: the
 * owner does, with dx_endpoint_close, when it is ready. After DX_EVENT_FAIL the endpoint has queued its Close (unless one
 * was sent before) and swallows all further input. After a peer's Close everything that follows is swallowed.
 *
 * FAIL has err DX_ERR_PROTOCOL (1002, 1007 for a bad transform), DX_ERR_UTF8 (1007), DX_ERR_TOO_BIG (1009), DX_ERR_TOO_MANY
 * (1008), DX_ERR_NOMEM or DX_ERR_SYSTEM (1011: a pong or a split control frame found no memory or randomness); its code is
 * DX_CLOSE_ABNORMAL when not even the Close could be queued. The reason of that Close is the event's detail.
 *
 * However the input was cut, the same events come in the same order, but for the cuts of DATA; a text message that fails
 * has given all of its bytes before the one that cannot stand there.
 */
enum dx_event_type dx_endpoint_next(struct dx_endpoint *endpoint, struct dx_event *event);

/** Payload bytes of the current data frame that were not fed yet: how much may be read straight to where the message grows. */
uint64_t dx_endpoint_payload_left(const struct dx_endpoint *endpoint);

/** True while a message or frame is begun and not finished (the message deadline runs). */
bool dx_endpoint_is_in_message(const struct dx_endpoint *endpoint);

/**
 * Tells that the output cannot be sent now (true), or flows again (false). While blocked, a pong waits aside and later
 * pings only replace its payload (RFC 6455 5.5.3); it is queued when this is called with false (no memory: it waits on
 * until the next such call or ping). A Close that is queued meanwhile drops it.
 */
void dx_endpoint_set_blocked(struct dx_endpoint *endpoint, bool blocked);

/**
 * Queues a whole message: header and payload (masked for a client; the caller's bytes are not changed).
 *
 * Returns DX_OK; DX_ERR_USAGE (not text or binary; text is not checked for UTF-8 here: the caller vouches);
 * DX_ERR_STATE (a fragmented message is being sent); DX_ERR_CLOSED (Close was sent or the endpoint failed);
 * DX_ERR_NOMEM, DX_ERR_TOO_MANY, DX_ERR_SYSTEM (no randomness): nothing was queued.
 */
DX_MUST_CHECK enum dx_err dx_endpoint_send(struct dx_endpoint *endpoint, enum dx_opcode opcode,
                                           const void *data, size_t len);

/**
 * Begins (or goes on with, or ends) a fragmented message: `opcode` counts for the first fragment only. A fragment is sent
 * as it comes. Errors as dx_endpoint_send, but DX_ERR_STATE never.
 */
DX_MUST_CHECK enum dx_err dx_endpoint_send_fragment(struct dx_endpoint *endpoint,
                                                    enum dx_opcode opcode, const void *data,
                                                    size_t len, bool is_last);

/**
 * For senders that put the payload out themselves (servers only: no mask): writes the header of a data frame that the
 * endpoint then regards as sent, so header and payload must be out or queued before the next call on the endpoint. `header` has room for DX_FRAME_HEADER_MAX bytes. Same rules and errors as
 * dx_endpoint_send_fragment; DX_ERR_USAGE for a client.
 */
DX_MUST_CHECK enum dx_err dx_endpoint_begin_frame(struct dx_endpoint *endpoint,
                                                  enum dx_opcode opcode, uint64_t len, bool is_last,
                                                  uint8_t *header, size_t *header_len);

/** Queues a ping or an unsolicited pong of at most 125 bytes. Errors as dx_endpoint_send; DX_ERR_USAGE when longer. */
DX_MUST_CHECK enum dx_err dx_endpoint_ping(struct dx_endpoint *endpoint, const void *data,
                                           size_t len);
DX_MUST_CHECK enum dx_err dx_endpoint_pong(struct dx_endpoint *endpoint, const void *data,
                                           size_t len);

/**
 * Queues the Close frame: with `code` and `reason` (cut at a code point so that it fits 123 bytes), or empty for code
 * DX_CLOSE_NO_STATUS. Also the answer to a peer's Close. A second call does nothing and is DX_OK.
 *
 * Returns DX_OK; DX_ERR_USAGE for a code that must not be sent (RFC 6455 7.4.1) or a reason that is not UTF-8; DX_ERR_NOMEM, DX_ERR_TOO_MANY,
 * DX_ERR_SYSTEM.
 */
DX_MUST_CHECK enum dx_err dx_endpoint_close(struct dx_endpoint *endpoint, uint16_t code,
                                            const char *reason, size_t reason_len);

/** Whether our Close is queued or sent; whether the peer's came; whether the endpoint failed the connection. */
bool dx_endpoint_close_is_sent(const struct dx_endpoint *endpoint);
bool dx_endpoint_close_is_received(const struct dx_endpoint *endpoint);
bool dx_endpoint_is_failed(const struct dx_endpoint *endpoint);

/** Whether a fragmented message of ours is begun and not ended. */
bool dx_endpoint_is_sending(const struct dx_endpoint *endpoint);

#endif
