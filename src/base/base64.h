/*
 * base64.h - base64 with padding (RFC 4648 section 4), the standard alphabet.
 */
#ifndef DX_BASE_BASE64_H
#define DX_BASE_BASE64_H

#include <duplex/error.h>

#include "base/slice.h"

/* The length of the text for `len` bytes, without a NUL. */
#define DX_BASE64_LEN(len) (((len) + 2) / 3 * 4)

/** Writes DX_BASE64_LEN(len) characters to `text`, without a NUL. */
void dx_base64_encode(const void *data, size_t len, char *text);

/**
 * Decodes `text` into `bytes`. Strict: the text is padded to a multiple of four, has characters of
 * the alphabet only, and is canonical (unused bits are zero), so that each byte string has one
 * text.
 *
 * Returns DX_OK, or:
 *   DX_ERR_PROTOCOL   it is not such a text
 *   DX_ERR_TOO_BIG    the result is longer than `room` bytes
 */
DX_MUST_CHECK enum dx_err dx_base64_decode(struct dx_slice text, uint8_t *bytes, size_t room,
                                           size_t *len);

/** The same for text that people type: padding may be missing, and unused bits need not be zero. */
DX_MUST_CHECK enum dx_err dx_base64_decode_loose(struct dx_slice text, uint8_t *bytes, size_t room,
                                                 size_t *len);

#endif
