/*
 * endpoint_internal.h - what the files of the endpoint share: its states, and how it fails.
 */
#ifndef DX_WS_ENDPOINT_INTERNAL_H
#define DX_WS_ENDPOINT_INTERNAL_H

#include "ws/endpoint.h"

/* The position in the input. Each state has its function in endpoint_receive.c. */
enum endpoint_state {
    STATE_FIRST,     /* before a frame */
    STATE_SECOND,    /* the first byte was checked */
    STATE_LENGTH,    /* the second byte was checked; extended length or masking key are missing */
    STATE_KEY,       /* the length was checked; the masking key is missing */
    STATE_DATA,      /* in the payload of a data frame */
    STATE_TRANSFORM, /* the transform has some of it */
    STATE_CONTROL,   /* in the payload of a control frame */
    STATE_BAD_TEXT,  /* the valid part of a bad text was given to the owner; the failure is next */
    STATE_DEAF,      /* failed or closed: all input is ignored */
    STATE_COUNT,
};

/* What may be put aside, each at most once. */
enum aside_place {
    ASIDE_FRAME, /* the payload of the current control frame, if it came in parts */
    ASIDE_PONG,  /* the payload of a pong that waits until the output flows */
    ASIDE_COUNT,
};

struct dx_control {
    bool is_used;
    uint8_t len;
    uint8_t bytes[DX_CONTROL_MAX];
};

/* Allocated when it is needed; freed when both are unused. */
struct dx_aside {
    struct dx_control places[ASIDE_COUNT];
};

/* The payload that is put aside there, or NULL. */
static inline struct dx_control *dx_endpoint_aside(const struct dx_endpoint *endpoint,
                                                   enum aside_place place)
{
    bool is_used = endpoint->aside != NULL && endpoint->aside->places[place].is_used;

    return is_used ? &endpoint->aside->places[place] : NULL;
}

/**
 * Adds bytes to what is put aside there, at most DX_CONTROL_MAX in all.
 *
 * Returns DX_OK, DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_endpoint_put_aside(struct dx_endpoint *endpoint,
                                                enum aside_place place, const uint8_t *data,
                                                size_t len);

/** Drops what is put aside there. Does nothing if it is nothing. */
void dx_endpoint_drop_aside(struct dx_endpoint *endpoint, enum aside_place place);

/* How the connection fails: the code of the Close, the error of the event, and its sentence. */
struct dx_failure {
    uint16_t code;
    enum dx_err err;
    const char *detail;
};

/**
 * Answers a ping, or keeps the answer while the output is blocked.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY, DX_ERR_SYSTEM.
 */
DX_MUST_CHECK enum dx_err dx_endpoint_answer(struct dx_endpoint *endpoint, const uint8_t *data,
                                             size_t len);

/** Queues a Close that the rules for callers do not apply to. */
DX_MUST_CHECK enum dx_err dx_endpoint_queue_close(struct dx_endpoint *endpoint, uint16_t code,
                                                  const char *reason, size_t reason_len);

#endif
