/*
 * endpoint.h - one WebSocket connection after the opening handshake, as a state machine (RFC 6455
 * sections 5-8).
 *
 * It uses no socket, clock or random source. Bytes are fed by dx_endpoint_feed, and parsed and
 * unmasked in place. The owner pulls one event after the other with dx_endpoint_next; between two
 * events it may send, close, release, or pause by not pulling. Output is queued in a dx_output,
 * which the owner sends. An idle endpoint has no memory beyond itself.
 */
#ifndef DX_WS_ENDPOINT_H
#define DX_WS_ENDPOINT_H

#include <duplex/endpoint.h> /* shares roles, opcodes and events with the public wrapper */

#include "base/output.h"
#include "ws/transform.h"
#include "ws/simd/utf8.h"

/* The part that many endpoints share; borrowed, must outlive them. */
struct dx_endpoint_config {
    enum dx_role role;
    uint64_t max_message; /* bytes of all fragments; a larger message fails at its header (1009) */
    uint32_t max_fragments; /* frames of one message, with empty ones (1008); at least 1 */
    /*
     * Fills masking keys; for clients only. False: there is no randomness, and sending fails with
     * DX_ERR_SYSTEM.
     */
    bool (*fill_random)(uint8_t *bytes, size_t len, void *user);
    void *random_user;
    const struct dx_transform *transform; /* the meaning of RSV1; NULL: RSV1 is forbidden */
};

struct dx_aside; /* a control payload that is split over feeds, or a pong that waits */

struct dx_endpoint {
    const struct dx_endpoint_config *config;
    struct dx_output *output;
    uint8_t *in; /* fed and not yet consumed */
    size_t in_len;

    /* The rest is private to ws/endpoint*.c. */
    uint64_t payload_left;                      /* of the current frame */
    uint64_t message_len;                       /* of the current message: bytes announced so far */
    struct dx_aside *aside;                     /* NULL: nothing is put aside */
    struct dx_transform_state *transform_state; /* of config->transform */
    uint32_t fragment_count; /* frames of the current message; 0: no message is begun */
    uint32_t key;            /* for the next byte of the payload */
    struct dx_utf8 utf8;     /* of the current text message */
    uint8_t state;
    uint8_t header_len; /* bytes in header */
    uint8_t header[DX_FRAME_HEADER_MAX];
    uint8_t opcode;    /* of the current message */
    uint8_t mask_flag; /* the mask bit that is required: DX_FRAME_MASKED or 0 */
    bool message_is_transformed : 1;
    bool has_piece : 1; /* the owner has got a piece of the current message */
    bool is_blocked : 1;
    bool is_sending : 1; /* we have begun a fragmented message */
    bool close_is_sent : 1;
    bool close_is_received : 1;
    bool is_failed : 1;
};

/** Makes an endpoint. Allocates nothing. */
void dx_endpoint_init(struct dx_endpoint *endpoint, const struct dx_endpoint_config *config,
                      struct dx_output *output);

/**
 * Sets the state of config->transform for this connection (borrowed). Before the first feed; only
 * if there is a transform.
 */
void dx_endpoint_set_transform_state(struct dx_endpoint *endpoint,
                                     struct dx_transform_state *state);

/** Frees what the endpoint has allocated, but not the output. */
void dx_endpoint_release(struct dx_endpoint *endpoint);

/**
 * For senders that write the payload themselves; servers only, as there is no mask. Writes the
 * header of a data frame, which the endpoint then treats as sent: header and payload must be sent
 * or queued before the next call on the endpoint. `header` has room for DX_FRAME_HEADER_MAX bytes.
 * Rules and errors as for dx_endpoint_send_fragment; DX_ERR_USAGE for a client.
 */
DX_MUST_CHECK enum dx_err dx_endpoint_begin_frame(struct dx_endpoint *endpoint,
                                                  enum dx_opcode opcode, uint64_t len, bool is_last,
                                                  uint8_t *header, size_t *header_len);

/** Whether we have begun a fragmented message and not ended it. */
bool dx_endpoint_is_sending(const struct dx_endpoint *endpoint);

#endif
