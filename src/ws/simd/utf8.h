/*
 * utf8.h - validates UTF-8 (RFC 3629) as it comes, and repairs text that is invalid.
 *
 * The caller decides what invalid text means: the endpoint fails the connection, the bridge may
 * repair the output of a program.
 */
#ifndef DX_WS_UTF8_H
#define DX_WS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The position in a code point. All zero: between two code points. */
struct dx_utf8 {
    uint8_t need; /* continuation bytes that are missing */
    uint8_t low;  /* the next byte must be in low .. high */
    uint8_t high;
};

/**
 * Continues with a text. Returns how many bytes are valid: `len`, or the index of the first byte
 * that no valid text can have there. In that case need > 0 says that it is inside a code point, and
 * the state cannot be used any more.
 */
size_t dx_utf8_feed(struct dx_utf8 *utf8, const uint8_t *data, size_t len);

/** Whether the text may end here. */
static inline bool dx_utf8_is_complete(const struct dx_utf8 *utf8)
{
    return utf8->need == 0;
}

/**
 * The largest len <= `limit` at which `data`, a valid text longer than `limit`, can be cut between
 * two code points.
 */
size_t dx_utf8_cut(const uint8_t *data, size_t limit);

/*
 * A text that is being repaired: holds a code point that is still incomplete. All zero: holds
 * nothing.
 */
struct dx_utf8_repair {
    uint8_t held[3];
    uint8_t held_len;
};

/* The room that the repaired text of `len` bytes may need. */
#define DX_UTF8_REPAIR_ROOM(len) (3 * ((len) + 3))

/**
 * Copies a text from `in` to `out` and replaces each maximal invalid part by U+FFFD, as a WHATWG
 * decoder does, so that a browser would show the same. Call it piece by piece: a code point that is
 * cut by the end of a piece is held for the next one, or, after `is_last`, replaced. `out` has room
 * for DX_UTF8_REPAIR_ROOM(len) bytes and does not overlap `in`. Returns how many bytes were
 * written, and adds the number of U+FFFD to `*replaced_count`.
 */
size_t dx_utf8_repair(struct dx_utf8_repair *repair, const uint8_t *in, size_t len, bool is_last,
                      uint8_t *out, size_t *replaced_count);

#endif
