/*
 * text.h - bytes as text: ASCII case, blanks, numbers, tokens, UTF-8, escaping for people.
 *
 * Independent of the locale. This decodes one UTF-8 character at a time; ws/simd validates long
 * texts fast.
 */
#ifndef DX_BASE_TEXT_H
#define DX_BASE_TEXT_H

#include <duplex/error.h>

#include "base/slice.h"

static inline bool dx_text_is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/** The value of a hexadecimal digit of either case; -1: it is none. */
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

/** Whether two texts are equal if the case of ASCII letters is ignored. */
bool dx_text_equal_nocase(struct dx_slice a, struct dx_slice b);
bool dx_text_is_nocase(struct dx_slice slice, const char *text);

/** The slice without blanks and tabs (OWS, RFC 9110 5.6.3) at both ends. */
struct dx_slice dx_text_trim(struct dx_slice slice);

/** Whether a token may contain the byte (RFC 9110 5.6.2). */
bool dx_text_is_token_byte(uint8_t byte);

/** Whether the slice is a token: one such byte or more. */
bool dx_text_is_token(struct dx_slice slice);

/**
 * Reads a number that is digits only: no sign, blank or prefix. Leading zeros are allowed.
 *
 * Returns DX_OK, or:
 *   DX_ERR_PROTOCOL   empty, or another character
 *   DX_ERR_TOO_BIG    above `max`
 */
DX_MUST_CHECK enum dx_err dx_text_parse_decimal(struct dx_slice slice, uint64_t max,
                                                uint64_t *value);
DX_MUST_CHECK enum dx_err dx_text_parse_hex(struct dx_slice slice, uint64_t max, uint64_t *value);

/**
 * The length, 1 to 4, of the well-formed UTF-8 character (Unicode 15 table 3-7) at the start of
 * `slice`, and its code point in `*code_point`. 0: an empty slice, an overlong form, a surrogate, a
 * code point above U+10FFFF, or a character that is cut.
 */
size_t dx_text_utf8_char(struct dx_slice slice, uint32_t *code_point);

/** Whether the slice is well-formed UTF-8. */
bool dx_text_is_utf8(struct dx_slice slice);

/* The longest escaped character: four bytes, each \xNN. */
#define DX_TEXT_ESCAPED_CHAR_MAX 16

/* The longest escaped text of `len` bytes. */
#define DX_TEXT_ESCAPED_MAX(len) (4 * (len))

/**
 * Writes the first character of `slice`, which is not empty, in a form that is safe on a terminal
 * and in a log: unchanged, or each of its bytes as \xNN. Escaped are control characters (C0, DEL,
 * C1), characters that turn or hide text (bidirectional controls, zero width, line and paragraph
 * separators, tags), and bytes that are not UTF-8. A backslash is not escaped: double it if the
 * text is to be read back.
 *
 * Returns how many bytes of `slice` were read; `len` gets how many were written, without a NUL.
 */
size_t dx_text_escape_char(struct dx_slice slice, char text[DX_TEXT_ESCAPED_CHAR_MAX], size_t *len);

/**
 * Escapes `slice`, up to the last character that fits into `room`.
 *
 * Returns how many bytes were written. `is_cut`, which may be NULL, says whether some did not fit.
 */
size_t dx_text_escape(struct dx_slice slice, char *text, size_t room, bool *is_cut);

#endif
