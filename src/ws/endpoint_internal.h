/*
 * endpoint_internal.h - what the files of the endpoint share: its states and the way it fails.
 */
#ifndef DX_WS_ENDPOINT_INTERNAL_H
#define DX_WS_ENDPOINT_INTERNAL_H

#include "ws/endpoint.h"

/* The position in the input; each state has its function in endpoint_receive.c. */
enum endpoint_state {
    STATE_FIRST,  /* before a frame */
    STATE_SECOND, /* its first byte was judged */
    STATE_LENGTH, /* its second byte was judged; an extended length or a masking key is missing */
    STATE_KEY,    /* its length was judged; a masking key is missing */
    STATE_DATA,   /* in the payload of a data frame */
    STATE_TRANSFORM, /* some of it is with the transform */
    STATE_CONTROL,   /* in the payload of a control frame */
    STATE_BAD_TEXT,  /* what came before an offence in a text was given; the offence is next */
    STATE_DEAF,      /* failed or closed: all is swallowed */
    STATE_COUNT,
};

/* What may have to be put aside, once each. */
enum aside_place {
    ASIDE_FRAME, /* the payload of the current control frame, if it did not come whole */
    ASIDE_PONG,  /* that of the pong that waits until the output flows */
    ASIDE_COUNT,
};

struct dx_control {
    bool is_used;
    uint8_t len;
    uint8_t bytes[DX_CONTROL_MAX];
};

/* Allocated when it is needed, freed when neither place is used. */
struct dx_aside {
    struct dx_control places[ASIDE_COUNT];
};

/* The payload put aside there, or NULL. */
static inline struct dx_control *dx_endpoint_aside(const struct dx_endpoint *endpoint,
                                                   enum aside_place place)
{
    bool is_used = endpoint->aside != NULL && endpoint->aside->places[place].is_used;

    return is_used ? &endpoint->aside->places[place] : NULL;
}

/**
 * Adds bytes to what is put aside in a place (at most DX_CONTROL_MAX in all). Returns DX_OK,
 * DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_endpoint_put_aside(struct dx_endpoint *endpoint,
                                                enum aside_place place, const uint8_t *data,
                                                size_t len);

/** Forgets what is put aside in a place; fine when nothing is. */
void dx_endpoint_drop_aside(struct dx_endpoint *endpoint, enum aside_place place);

/* How the connection is failed: the code of the Close, the error of the event, and its sentence. */
struct dx_failure {
    uint16_t code;
    enum dx_err err;
    const char *detail;
};

/**
 * Answers a ping, or has the answer wait while the output is blocked. DX_OK, DX_ERR_NOMEM,
 * DX_ERR_TOO_MANY, DX_ERR_SYSTEM.
 */
DX_MUST_CHECK enum dx_err dx_endpoint_answer(struct dx_endpoint *endpoint, const uint8_t *data,
                                             size_t len);

/** Queues a Close that no rule of the caller's can be against. */
DX_MUST_CHECK enum dx_err dx_endpoint_queue_close(struct dx_endpoint *endpoint, uint16_t code,
                                                  const char *reason, size_t reason_len);

#endif
