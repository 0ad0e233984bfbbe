/*
 * slice.h - bytes that something else owns.
 *
 * A slice is valid until the next call on the object that it was borrowed from, unless the comment
 * of that function says otherwise. It has the layout of struct iovec, so that a list of slices can
 * be passed to the system without a copy; net/ asserts it.
 */
#ifndef DX_BASE_SLICE_H
#define DX_BASE_SLICE_H

#include <duplex/slice.h>

#include <stdbool.h>
#include <string.h>

/** The slice of a NUL-terminated text, without its NUL. */
static inline struct dx_slice dx_slice_of(const char *text)
{
    return (struct dx_slice){(const uint8_t *)text, strlen(text)};
}

static inline bool dx_slice_equal(struct dx_slice one, struct dx_slice other)
{
    return one.len == other.len && (one.len == 0 || memcmp(one.data, other.data, one.len) == 0);
}

/** The slice of `len` characters. */
static inline struct dx_slice dx_slice_of_len(const char *text, size_t len)
{
    return (struct dx_slice){(const uint8_t *)text, len};
}

static inline bool dx_slice_is(struct dx_slice slice, const char *text)
{
    return dx_slice_equal(slice, dx_slice_of(text));
}

#endif
