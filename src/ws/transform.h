/*
 * transform.h - the interface of an extension that changes the payload of messages (RFC 6455 9, RFC
 * 7692 5-6).
 *
 * An endpoint whose config has a transform accepts RSV1 on the first frame of a message, and passes
 * the payload of such a message to `decode`. Messages may be sent unchanged, which the endpoint
 * does. There is no transform yet; compression will be one.
 */
#ifndef DX_WS_TRANSFORM_H
#define DX_WS_TRANSFORM_H

#include <duplex/error.h>

/* One call of a transform: its input and output. */
struct dx_transform_step {
    const uint8_t *in; /* advanced past what was consumed */
    size_t in_len;
    bool is_end; /* the message ends with this input */
    /* out: there is no more output without more input; at the end: the message is complete */
    bool is_done;
    uint8_t *out;   /* out: bytes that are valid until the next call */
    size_t out_len; /* out */
};

/* The state of a transform for one connection. If none was negotiated there is none, at no cost. */
struct dx_transform_state {
    void *own;            /* of the transform; NULL: it keeps no state */
    uint64_t decoded_len; /* of the endpoint: bytes that the current message has become */
    /* of the endpoint: bytes of input that are unmasked but not consumed */
    size_t unmasked_len;
};

struct dx_transform {
    /*
     * Called until it sets is_done. Each call consumes input or gives output. `own` is the state of
     * the connection.
     *
     * Returns DX_OK, or:
     *   DX_ERR_PROTOCOL   bad data: the connection fails with 1007
     *   DX_ERR_NOMEM
     */
    enum dx_err (*decode)(void *own, struct dx_transform_step *step);
};

#endif
