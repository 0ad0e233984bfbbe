/*
 * utf8.h - is it UTF-8 (RFC 3629), as the bytes come; and text made valid where it is not.
 *
 * Not responsible for what an offence means: the endpoint fails the connection, a bridge may repair
 * its program's text.
 */
#ifndef DX_WS_UTF8_H
#define DX_WS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where in a code point the text stopped. All zero: between two code points. */
struct dx_utf8 {
    uint8_t need; /* continuation bytes that are missing */
    uint8_t low;  /* the next byte must be in low .. high */
    uint8_t high;
};

/**
 * Goes on with a text. Returns how many bytes were accepted: `len`, or the index of the first byte
 * that no valid text can have there (then need > 0 says that it came inside a code point; the text
 * is lost, do not go on with the state).
 */
size_t dx_utf8_feed(struct dx_utf8 *utf8, const uint8_t *data, size_t len);

/** Whether the text may end here. */
static inline bool dx_utf8_is_complete(const struct dx_utf8 *utf8)
{
    return utf8->need == 0;
}

/**
 * The longest len <= `limit` at which `data`, a valid text longer than `limit`, can be cut between
 * two code points.
 */
size_t dx_utf8_cut(const uint8_t *data, size_t limit);

/*
 * A text being repaired: the begin of a code point that waits for its rest. All zero: nothing
 * waits.
 */
struct dx_utf8_repair {
    uint8_t held[3];
    uint8_t held_len;
};

/* The room that repairing `len` bytes may take. */
#define DX_UTF8_REPAIR_ROOM(len) (3 * ((len) + 3))

/**
 * Copies a text from `in` to `out`, with U+FFFD in place of each maximal part that is not UTF-8
 * (the WHATWG decoder's way, so that a browser would show the same). Call it piece by piece: a code
 * point cut by the end of a piece is held back until the next one, or, after `is_last`, replaced.
 * `out` has room for DX_UTF8_REPAIR_ROOM(len) bytes and does not overlap `in`. Returns how many
 * were written and adds to `*replaced_count` how many U+FFFD were put in.
 */
size_t dx_utf8_repair(struct dx_utf8_repair *repair, const uint8_t *in, size_t len, bool is_last,
                      uint8_t *out, size_t *replaced_count);

#endif
