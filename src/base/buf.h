/*
 * buf.h - bytes that grow, up to a maximum that is said when the buffer is made.
 *
 * Not for what comes in by the megabyte on a loop: that lives in pool blocks (base/output.h).
 */
#ifndef DX_BASE_BUF_H
#define DX_BASE_BUF_H

#include <duplex/error.h>

#include "base/slice.h"

struct dx_buf {
    uint8_t *data; /* NULL while nothing was ever added */
    size_t len;
    size_t room;
    size_t max_len;
};

/** Makes an empty buffer that holds at most `max_len` bytes. Allocates nothing. */
void dx_buf_init(struct dx_buf *buf, size_t max_len);

/** Frees the bytes; the buffer is empty and usable afterwards. */
void dx_buf_release(struct dx_buf *buf);

/** Empties it, keeping the memory for the next use. */
void dx_buf_clear(struct dx_buf *buf);

/**
 * Makes room for `len` more bytes after buf->data + buf->len; the caller writes them and adds to
 * buf->len. Room doubles, so that adding n bytes one by one costs O(n).
 *
 * Returns DX_OK; DX_ERR_TOO_BIG (it would pass max_len); DX_ERR_NOMEM. The buffer is unchanged on
 * error.
 */
DX_MUST_CHECK enum dx_err dx_buf_reserve(struct dx_buf *buf, size_t len);

/** Adds a copy of `data`, all or nothing. Errors as dx_buf_reserve. */
DX_MUST_CHECK enum dx_err dx_buf_append(struct dx_buf *buf, const void *data, size_t len);

/** Takes the first `len` bytes (at most buf->len) away; the rest moves to the front. */
void dx_buf_consume(struct dx_buf *buf, size_t len);

/**
 * The bytes become the caller's, to free with free(); NULL when there are none. The buffer is empty
 * afterwards.
 */
uint8_t *dx_buf_take(struct dx_buf *buf, size_t *len);

static inline struct dx_slice dx_buf_slice(const struct dx_buf *buf)
{
    return (struct dx_slice){buf->data, buf->len};
}

#endif
