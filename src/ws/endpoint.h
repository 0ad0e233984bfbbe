/*
 * endpoint.h - one WebSocket connection after the opening handshake, as a state machine (RFC 6455
 * sections 5-8).
 *
 * No socket, no clock, no randomness of its own. Bytes come in by dx_endpoint_feed and are parsed
 * and unmasked in place; the owner pulls event by event with dx_endpoint_next, and between two
 * events it may send, close, pause (simply not pull) or release. Bytes go out into a dx_output that
 * the owner flushes. An idle endpoint owns no memory beyond itself.
 */
#ifndef DX_WS_ENDPOINT_H
#define DX_WS_ENDPOINT_H

#include <duplex/endpoint.h> /* roles, opcodes and events are the public wrapper's, too */

#include "base/output.h"
#include "ws/transform.h"
#include "ws/simd/utf8.h"

/* What is the same for many endpoints; borrowed, must outlive them. */
struct dx_endpoint_config {
    enum dx_role role;
    uint64_t max_message;   /* bytes of all its fragments, inclusive; judged on the header (1009) */
    uint32_t max_fragments; /* frames of one message, empty ones included (1008); at least 1 */
    /*
     * Fills masking keys; used by clients only. False: no randomness to be had, sending fails with
     * DX_ERR_SYSTEM.
     */
    bool (*fill_random)(uint8_t *bytes, size_t len, void *user);
    void *random_user;
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

/**
 * Gives the connection's side of config->transform (borrowed); before the first feed, and only
 * where there is a transform.
 */
void dx_endpoint_set_transform_state(struct dx_endpoint *endpoint,
                                     struct dx_transform_state *state);

/** Frees what the endpoint allocated. Not the output. */
void dx_endpoint_release(struct dx_endpoint *endpoint);

/**
 * For senders that put the payload out themselves (servers only: no mask): writes the header of a
 * data frame that the endpoint then regards as sent, so header and payload must be out or queued
 * before the next call on the endpoint. `header` has room for DX_FRAME_HEADER_MAX bytes. Same rules
 * and errors as dx_endpoint_send_fragment; DX_ERR_USAGE for a client.
 */
DX_MUST_CHECK enum dx_err dx_endpoint_begin_frame(struct dx_endpoint *endpoint,
                                                  enum dx_opcode opcode, uint64_t len, bool is_last,
                                                  uint8_t *header, size_t *header_len);

/** Whether a fragmented message of ours is begun and not ended. */
bool dx_endpoint_is_sending(const struct dx_endpoint *endpoint);

#endif
