/*
 * text.h - what a program prints, made fit for text messages: valid UTF-8, cut between code points only.
 *
 * Not responsible for lines or lengths: it passes bytes on as they come, holding back at most 3 (the begin of a code point).
 */
#ifndef DX_BRIDGE_TEXT_H
#define DX_BRIDGE_TEXT_H

#include <duplex/program.h>

#include "ws/simd/utf8.h"

/* The bytes that the caller must leave free to be overwritten before what it passes in. */
#define DX_TEXT_ROOM 3

/* One stream of text. All zero at its begin. */
struct dx_text {
    struct dx_utf8_repair repair; /* held: the begin of a code point, for either way */
};

/* What came out: whole code points. `owned`, when not NULL, is to be freed; it has `room` bytes before `data`. */
struct dx_text_piece {
    uint8_t *data;
    size_t len;
    uint8_t *owned;
    size_t replaced_count; /* U+FFFD put in */
};

/**
 * Passes `len` bytes on: in place when they are valid, else repaired in memory of its own with `room` free bytes before it.
 * `in` has DX_TEXT_ROOM bytes before it that may be overwritten. After `is_last` nothing is held.
 *
 * Returns DX_OK; DX_ERR_UTF8 with DX_INVALID_UTF8_CLOSE: the piece is what is valid before the bad sequence; DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_text_pass(struct dx_text *text, enum dx_invalid_utf8 policy,
                                       uint8_t *in, size_t len, bool is_last, size_t room,
                                       struct dx_text_piece *piece);

#endif
