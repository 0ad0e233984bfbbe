/*
 * framing.h - translates between a program's bytes and messages: one table of operations.
 *
 * A framing knows bytes, frames and an endpoint; bridge/program decides when pipes are read and
 * written. To add one: its value in enum dx_program_framing (duplex/program.h), its line in
 * DX_FRAMINGS below, and its own file in this folder.
 */
#ifndef DX_BRIDGE_FRAMING_H
#define DX_BRIDGE_FRAMING_H

#include <duplex/program.h>

#include "base/output.h"
#include "bridge/framing/text.h"
#include "ws/endpoint.h"

/* A partial line of up to this many bytes is kept; a longer one leaves in fragments. */
#define DX_LINES_CARRY_MAX 4000

/* Bytes before the data that feed may overwrite: for a partial line and a partial code point. */
#define DX_FRAMING_ROOM (DX_LINES_CARRY_MAX + DX_TEXT_ROOM)

/* Length framing: kind and length, before each payload. */
#define DX_LENGTH_HEADER 5

/*
 * What one stream of a program's output has begun and not finished. All zero at first. Each framing
 * uses some of the members; between messages no memory is held.
 */
struct dx_framing_state {
    uint8_t *carry; /* lines: a partial line */
    uint16_t carry_len;
    bool is_in_message; /* fragments of a message have been sent, but not the last one */
    uint8_t header_len; /* length: how many bytes of `header` have come */
    uint8_t header[DX_LENGTH_HEADER];
    struct dx_text text;
    uint32_t left; /* length: payload bytes still to come, once the header is complete */
};

/* What was queued; the operations add to it. */
struct dx_framed {
    size_t replaced_count; /* bad sequences that were replaced by U+FFFD */
    size_t message_count;  /* finished messages */
    size_t payload_len;
};

/* A piece of a client's message, or all of it. */
struct dx_framing_piece {
    enum dx_opcode opcode; /* of the whole message */
    const uint8_t *data;
    size_t len;
    bool is_last;
};

/* Why a message cannot be passed to the program: the Close to send. Code 0: it was passed on. */
struct dx_framing_refusal {
    uint16_t code;
    const char *reason; /* static */
};

struct dx_framing_ops {
    /*
     * From the program: queues frames of `len` bytes on the endpoint's output. The DX_FRAMING_ROOM
     * bytes before `data`, and `data` itself, may be overwritten. NULL: the bytes need no framing;
     * each read is a binary message, which is sent without a copy.
     *
     * Returns DX_OK, or:
     *   DX_ERR_UTF8       bad text under DX_INVALID_UTF8_CLOSE; what comes before it is queued
     *   DX_ERR_PROTOCOL   the program broke the framing
     *   DX_ERR_CLOSED     our Close has been sent
     *   DX_ERR_NOMEM, DX_ERR_TOO_MANY   some of it may be missing: the connection must be cut
     */
    enum dx_err (*feed)(struct dx_framing_state *state, struct dx_endpoint *endpoint,
                        enum dx_invalid_utf8 policy, uint8_t *data, size_t len,
                        struct dx_framed *framed);
    /*
     * Queues what is held of an unfinished message as if it ended here. `is_end`: the program has
     * closed the stream. Errors as of feed; DX_ERR_PROTOCOL: the message cannot end here.
     */
    enum dx_err (*flush)(struct dx_framing_state *state, struct dx_endpoint *endpoint,
                         enum dx_invalid_utf8 policy, bool is_end, struct dx_framed *framed);
    /* Whether something is held that flush may send. */
    bool (*is_partial)(const struct dx_framing_state *state);
    /* To the program: appends to `to` what the program reads for the piece. */
    struct dx_framing_refusal (*write)(const struct dx_program_options *options,
                                       const struct dx_framing_piece *piece, struct dx_output *to);
    bool wants_whole_messages; /* write gets each message in one piece */
};

/* Each framing: its name in enum dx_program_framing, and in the name of its operations. */
#define DX_FRAMINGS(X)                                                                             \
 X(LINES, lines)                                                                                   \
 X(BINARY, binary)                                                                                 \
 X(LENGTH, length)

#define X(name, ops) extern const struct dx_framing_ops dx_framing_##ops;
DX_FRAMINGS(X)
#undef X

/** The operations of a framing. NULL: the value is not a framing. */
const struct dx_framing_ops *dx_framing_ops(enum dx_program_framing framing);

/* ---- for the framings (framed.c) ---- */

/** Frees what the state holds and clears it. */
void dx_framing_release(struct dx_framing_state *state);

/**
 * Queues one data frame: header and a copy of the payload. Errors as of dx_endpoint_begin_frame.
 */
DX_MUST_CHECK enum dx_err dx_frame_out(struct dx_endpoint *endpoint, enum dx_opcode opcode,
                                       const uint8_t *data, size_t len, bool is_last,
                                       struct dx_framed *framed);

/** What `write` returns after it has appended: no refusal, or "out of memory". */
struct dx_framing_refusal dx_framing_written(enum dx_err err);

#endif
