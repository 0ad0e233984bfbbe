/*
 * endpoint_internal.h - what the files of the endpoint share: its states and the way it fails.
 */
#ifndef DX_WS_ENDPOINT_INTERNAL_H
#define DX_WS_ENDPOINT_INTERNAL_H

#include "ws/endpoint.h"

/* Where in the input the endpoint stands; each has its function in endpoint_receive.c. */
enum endpoint_state {
    STATE_FIRST,  /* before a frame */
    STATE_SECOND, /* its first byte was judged */
    STATE_LENGTH, /* its second byte was judged; an extended length or a masking key is missing */
    STATE_KEY,    /* its length was judged; a masking key is missing */
    STATE_DATA,   /* in the payload of a data frame */
    STATE_TRANSFORM, /* some of it is with the transform */
    STATE_CONTROL,   /* in the payload of a control frame */
    STATE_FAILING,   /* what came before an offence was given; the offence is next */
    STATE_DEAF,      /* failed or closed: all is swallowed */
    STATE_COUNT,
};

struct dx_control {
    uint8_t len;
    uint8_t bytes[DX_CONTROL_MAX];
};

/* How the connection is failed: the code of the Close, the error of the event, and its sentence. */
struct dx_failure {
    uint16_t code;
    enum dx_err err;
    const char *detail;
};

/** Answers a ping, or has the answer wait while the output is blocked. DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY, DX_ERR_SYSTEM. */
DX_MUST_CHECK enum dx_err dx_endpoint_answer(struct dx_endpoint *endpoint, const uint8_t *data,
                                             size_t len);

/** Queues a Close that no rule of the caller's can be against. */
DX_MUST_CHECK enum dx_err dx_endpoint_queue_close(struct dx_endpoint *endpoint, uint16_t code,
                                                  const char *reason, size_t reason_len);

#endif
