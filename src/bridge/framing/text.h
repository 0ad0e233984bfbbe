/*
 * text.h - makes a program's output valid UTF-8 that is cut between code points only.
 *
 * Lines and lengths are framed elsewhere: this passes bytes on as they come and holds back at most
 * 3 of them, a partial code point.
 */
#ifndef DX_BRIDGE_TEXT_H
#define DX_BRIDGE_TEXT_H

#include <duplex/program.h>

#include "ws/simd/utf8.h"

/* Bytes before the input that dx_text_pass may overwrite. */
#define DX_TEXT_ROOM 3

/* One stream of text. All zero at first. */
struct dx_text {
    struct dx_utf8_repair repair; /* holds a partial code point, whether or not text is repaired */
};

/*
 * Whole code points. `owned`, if not NULL, is freed by the caller; it has `room` bytes before
 * `data`.
 */
struct dx_text_piece {
    uint8_t *data;
    size_t len;
    uint8_t *owned;
    size_t replaced_count; /* bad sequences that were replaced */
};

/**
 * Passes `len` bytes on: in place if they are valid, else repaired in new memory with `room` free
 * bytes before the text. The DX_TEXT_ROOM bytes before `in` may be overwritten. After `is_last`
 * nothing is held.
 *
 * Returns DX_OK, or:
 *   DX_ERR_UTF8    bad text under DX_INVALID_UTF8_CLOSE; the piece is the valid text before it
 *   DX_ERR_NOMEM
 */
DX_MUST_CHECK enum dx_err dx_text_pass(struct dx_text *text, enum dx_invalid_utf8 policy,
                                       uint8_t *in, size_t len, bool is_last, size_t room,
                                       struct dx_text_piece *piece);

#endif
