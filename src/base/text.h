/*
 * text.h - bytes as text: ASCII case, blanks, numbers, tokens, UTF-8, escaping for people.
 *
 * No locale. Validating UTF-8 at speed is ws/simd's task; this decodes one character at a time.
 */
#ifndef DX_BASE_TEXT_H
#define DX_BASE_TEXT_H

#include <duplex/error.h>

#include "base/slice.h"

static inline bool dx_text_is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/** The value of a hexadecimal digit, either case; -1 for anything else. */
static inline int dx_text_hex_value(uint8_t byte)
{
    if (dx_text_is_digit(byte))
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static inline uint8_t dx_text_lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
}

/** Whether two texts are the same but for the case of ASCII letters. */
bool dx_text_equal_nocase(struct dx_slice a, struct dx_slice b);
bool dx_text_is_nocase(struct dx_slice slice, const char *text);

/** Without the blanks and tabs (OWS, RFC 9110 5.6.3) around it. */
struct dx_slice dx_text_trim(struct dx_slice slice);

/** Whether the byte may stand in a token (RFC 9110 5.6.2). */
bool dx_text_is_token_byte(uint8_t byte);

/** Whether this is a token: one such byte or more. */
bool dx_text_is_token(struct dx_slice slice);

/**
 * Reads a number of digits alone: no sign, no blank, no prefix; leading zeros are fine.
 *
 * Returns DX_OK; DX_ERR_PROTOCOL (empty, or another character); DX_ERR_TOO_BIG (above `max`).
 */
DX_MUST_CHECK enum dx_err dx_text_parse_decimal(struct dx_slice slice, uint64_t max,
                                                uint64_t *value);
DX_MUST_CHECK enum dx_err dx_text_parse_hex(struct dx_slice slice, uint64_t max, uint64_t *value);

/**
 * The length of the well-formed UTF-8 character (Unicode 15 table 3-7) at the start of `slice`, 1
 * to 4, with its code point in `*code_point`; 0 when there is none: an empty slice, an overlong
 * form, a surrogate, above U+10FFFF, cut off.
 */
size_t dx_text_utf8_char(struct dx_slice slice, uint32_t *code_point);

/** Whether all of it is well-formed UTF-8. */
bool dx_text_is_utf8(struct dx_slice slice);

/* The longest form of one escaped character: four bytes, each \xNN. */
#define DX_TEXT_ESCAPED_CHAR_MAX 16

/* A text of `len` bytes is at most this long when escaped. */
#define DX_TEXT_ESCAPED_MAX(len) (4 * (len))

/**
 * Writes the first character of `slice` (not empty) as a line on a terminal or in a log may show
 * it: as it is, or each of its bytes as \xNN. Escaped are control characters (C0, DEL, C1), what
 * turns or hides text (bidirectional controls, zero width, line and paragraph separators, tags),
 * and bytes that are not UTF-8. A backslash stays: double it where the text has to be read back.
 *
 * Returns how many bytes of `slice` were taken; `len` gets how many were written. No NUL is
 * written.
 */
size_t dx_text_escape_char(struct dx_slice slice, char text[DX_TEXT_ESCAPED_CHAR_MAX], size_t *len);

/**
 * Escapes all of `slice`; stops before the first character that would pass `room`.
 *
 * Returns how many bytes were written; `is_cut` (may be NULL) says whether something was left out.
 */
size_t dx_text_escape(struct dx_slice slice, char *text, size_t room, bool *is_cut);

#endif
