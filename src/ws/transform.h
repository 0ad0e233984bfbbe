/*
 * transform.h - the place of an extension that changes the payload of messages (RFC 6455 9, RFC
 * 7692 5-6).
 *
 * An endpoint whose config names a transform accepts RSV1 on the first frame of a message and hands
 * the payload of such a message to `decode`. Sending is free to leave messages as they are, which
 * is what the endpoint does. No transform is here: compression will be one.
 */
#ifndef DX_WS_TRANSFORM_H
#define DX_WS_TRANSFORM_H

#include <duplex/error.h>

/* One run of a transform: what goes in, what comes out. */
struct dx_transform_step {
    const uint8_t *in; /* moved on by what was consumed */
    size_t in_len;
    bool is_end; /* the message ends with these bytes */
    /* out: nothing more comes until there is more input; at the end: the message is complete */
    bool is_done;
    uint8_t *out;   /* out: bytes that stay valid until the next call */
    size_t out_len; /* out */
};

/*
 * A connection's side of a transform. Where none was negotiated there is none, and nothing is paid
 * for it.
 */
struct dx_transform_state {
    void *own;            /* the transform's; NULL for one that remembers nothing */
    uint64_t decoded_len; /* the endpoint's: bytes made of the current message */
    /* the endpoint's: bytes of its input that are unmasked and not yet consumed */
    size_t unmasked_len;
};

struct dx_transform {
    /*
     * Called until it says is_done. Either consumes input or gives output at every call. `own` is
     * what the connection's state has.
     * Returns DX_OK; DX_ERR_PROTOCOL (bad data: the connection fails with 1007); DX_ERR_NOMEM.
     */
    enum dx_err (*decode)(void *own, struct dx_transform_step *step);
};

#endif
