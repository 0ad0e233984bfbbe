/*
 * framing.h - how messages and a program's bytes become each other: one table of operations.
 *
 * A framing knows bytes, frames and an endpoint. Pipes, and when they are read or written, are the
 * business of bridge/program. A new framing is a value of enum dx_program_framing in duplex/program.h, its
 * line in DX_FRAMINGS below, and a file of its own beside this one.
 */
#ifndef DX_BRIDGE_FRAMING_H
#define DX_BRIDGE_FRAMING_H

#include <duplex/program.h>

#include "base/output.h"
#include "bridge/framing/text.h"
#include "ws/endpoint.h"

/* The first bytes of a line that are kept until its rest comes; a longer line leaves in fragments. */
#define DX_LINES_CARRY_MAX 4000

/* Free bytes before the data that is fed: for the first bytes of a line, and of a code point. */
#define DX_FRAMING_ROOM (DX_LINES_CARRY_MAX + DX_TEXT_ROOM)

/* Length framing: kind and length, before each payload. */
#define DX_LENGTH_HEADER 5

/*
 * What one stream of a program's output has begun and not finished. All zero at first. Each framing
 * uses some of it; between messages no memory is held.
 */
struct dx_framing_state {
    uint8_t *carry; /* lines: the first bytes of a line */
    uint16_t carry_len;
    bool is_in_message; /* fragments of a message have been sent, but not the last one */
    uint8_t header_len; /* length: bytes of `header` that have come */
    uint8_t header[DX_LENGTH_HEADER];
    struct dx_text text;
    uint32_t left; /* length: payload bytes still to come, once the header is complete */
};

/* What has been queued. The operations add to it. */
struct dx_framed {
    size_t replaced_count; /* U+FFFD put in for bad sequences */
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

/* Why a client's message cannot be passed on: the Close to send. Code 0: it was passed on. */
struct dx_framing_refusal {
    uint16_t code;
    const char *reason; /* static */
};

struct dx_framing_ops {
    /*
     * From the program: makes frames of `len` bytes on the endpoint's output. The DX_FRAMING_ROOM
     * bytes before `data`, and `data` itself, may be overwritten. NULL: the bytes need no framing;
     * each read is a binary message, which can be sent without a copy.
     *
     * Returns DX_OK, or:
     *   DX_ERR_UTF8       bad text under DX_INVALID_UTF8_CLOSE; what came before it is queued
     *   DX_ERR_PROTOCOL   the program broke the framing
     *   DX_ERR_CLOSED     our Close has been sent
     *   DX_ERR_NOMEM, DX_ERR_TOO_MANY   some of it may be missing: give the connection up
     */
    enum dx_err (*feed)(struct dx_framing_state *state, struct dx_endpoint *endpoint,
                        enum dx_invalid_utf8 policy, uint8_t *data, size_t len,
                        struct dx_framed *framed);
    /*
     * Queues what is held of an unfinished message as if it had ended here. `is_end`: the program
     * has closed the stream. Errors as of feed; DX_ERR_PROTOCOL: the message cannot end here.
     */
    enum dx_err (*flush)(struct dx_framing_state *state, struct dx_endpoint *endpoint,
                         enum dx_invalid_utf8 policy, bool is_end, struct dx_framed *framed);
    /* Whether something is held that a flush may send. */
    bool (*is_partial)(const struct dx_framing_state *state);
    /* To the program: appends to `to` what the program reads of the piece. */
    struct dx_framing_refusal (*write)(const struct dx_program_options *options,
                                       const struct dx_framing_piece *piece, struct dx_output *to);
    bool wants_whole_messages; /* write gets each message in one piece */
};

/* Each framing: its name in enum dx_program_framing, and the end of the name of its operations. */
#define DX_FRAMINGS(X)                                                                             \
 X(LINES, lines)                                                                                   \
 X(BINARY, binary)                                                                                 \
 X(LENGTH, length)

#define X(name, ops) extern const struct dx_framing_ops dx_framing_##ops;
DX_FRAMINGS(X)
#undef X

/** The operations of a framing; NULL for a value that is none. */
const struct dx_framing_ops *dx_framing_ops(enum dx_program_framing framing);

/* ---- for the framings (framed.c) ---- */

/** Frees what the state holds and clears it. */
void dx_framing_release(struct dx_framing_state *state);

/** Queues one data frame: header and a copy of the payload. Errors as of dx_endpoint_begin_frame. */
DX_MUST_CHECK enum dx_err dx_frame_out(struct dx_endpoint *endpoint, enum dx_opcode opcode,
                                       const uint8_t *data, size_t len, bool is_last,
                                       struct dx_framed *framed);

/** What `write` returns after it has appended: no refusal, or "out of memory". */
struct dx_framing_refusal dx_framing_written(enum dx_err err);

#endif
