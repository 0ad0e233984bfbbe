/*
 * lines.h - a program's lines to text messages: --framing=lines, and stderr to the client.
 *
 * Each whole line is copied once, behind its frame header, into the connection's output: many lines leave in one send. A line
 * that is longer than what is carried leaves as fragments, in constant memory.
 */
#ifndef DX_BRIDGE_LINES_H
#define DX_BRIDGE_LINES_H

#include "bridge/framing/text.h"
#include "ws/endpoint.h"

/* The begin of a line that is kept for its rest; more than that goes out as a fragment. */
#define DX_LINES_CARRY_MAX 4000

/* Free bytes that the caller leaves before what it feeds: a carried begin of a line, and of a code point. */
#define DX_LINES_ROOM (DX_LINES_CARRY_MAX + DX_TEXT_ROOM)

/* What became of a piece of output. Added to by the functions below. */
struct dx_framed {
    size_t replaced_count; /* U+FFFD put in for bad sequences */
    size_t message_count;  /* finished messages */
    size_t payload_len;
};

/* All zero at the begin; idle between lines it owns nothing. */
struct dx_lines {
    uint8_t *carry;
    uint16_t carry_len;
    bool is_in_message; /* fragments of a line have been sent, its end not */
    struct dx_text text;
};

void dx_lines_release(struct dx_lines *lines);

/**
 * Turns `len` bytes (DX_LINES_ROOM bytes before them may be overwritten) into frames on the endpoint's output.
 *
 * Returns DX_OK; DX_ERR_UTF8 (policy DX_INVALID_UTF8_CLOSE; whole lines before the bad one are sent); DX_ERR_CLOSED (Close was sent); DX_ERR_NOMEM, DX_ERR_TOO_MANY: the stream
 * is torn then, the connection must be given up.
 */
DX_MUST_CHECK enum dx_err dx_lines_feed(struct dx_lines *lines, struct dx_endpoint *endpoint,
                                        enum dx_invalid_utf8 policy, uint8_t *data, size_t len,
                                        struct dx_framed *framed);

/** Keeps the begin of a line (at most DX_LINES_CARRY_MAX bytes) in place of what was kept. Returns DX_OK, DX_ERR_NOMEM. */
DX_MUST_CHECK enum dx_err dx_lines_keep(struct dx_lines *lines, const uint8_t *data, size_t len);

/** True when the begin of a line is kept. */
bool dx_lines_is_partial(const struct dx_lines *lines);

/** Sends what is kept of a partial line as if it had ended here; with `is_end` (end of file) also the begin of a code point. Errors as dx_lines_feed. */
DX_MUST_CHECK enum dx_err dx_lines_flush(struct dx_lines *lines, struct dx_endpoint *endpoint,
                                         enum dx_invalid_utf8 policy, bool is_end,
                                         struct dx_framed *framed);

/** Queues one data frame: header and a copy of the payload. For all framings. Errors as dx_endpoint_begin_frame. */
DX_MUST_CHECK enum dx_err dx_frame_out(struct dx_endpoint *endpoint, enum dx_opcode opcode,
                                       const uint8_t *data, size_t len, bool is_last,
                                       struct dx_framed *framed);

#endif
