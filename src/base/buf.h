/*
 * buf.h - a growing buffer of bytes, with a maximum that is set when it is made.
 *
 * Large messages on a loop are in pool blocks instead (base/output.h).
 */
#ifndef DX_BASE_BUF_H
#define DX_BASE_BUF_H

#include <duplex/error.h>

#include "base/slice.h"

struct dx_buf {
    uint8_t *data; /* NULL: nothing has been added yet */
    size_t len;
    size_t room;
    size_t max_len;
};

/** Makes an empty buffer that holds at most `max_len` bytes. Allocates nothing. */
void dx_buf_init(struct dx_buf *buf, size_t max_len);

/** Frees the bytes. The buffer is empty and usable afterwards. */
void dx_buf_release(struct dx_buf *buf);

/** Empties it, and keeps the memory for the next use. */
void dx_buf_clear(struct dx_buf *buf);

/**
 * Makes room for `len` more bytes after buf->data + buf->len; the caller writes them and adds to
 * buf->len. The room doubles, so that adding n bytes one by one costs O(n). On an error the buffer
 * is unchanged.
 *
 * Returns DX_OK, or:
 *   DX_ERR_TOO_BIG   it would be longer than max_len
 *   DX_ERR_NOMEM
 */
DX_MUST_CHECK enum dx_err dx_buf_reserve(struct dx_buf *buf, size_t len);

/** Adds a copy of all of `data`, or nothing. Errors as dx_buf_reserve. */
DX_MUST_CHECK enum dx_err dx_buf_append(struct dx_buf *buf, const void *data, size_t len);

/** Removes the first `len` bytes (at most buf->len); the rest moves to the front. */
void dx_buf_consume(struct dx_buf *buf, size_t len);

/**
 * Hands the bytes over to the caller, who frees them with free(). NULL: there are none. The buffer
 * is empty afterwards.
 */
uint8_t *dx_buf_take(struct dx_buf *buf, size_t *len);

static inline struct dx_slice dx_buf_slice(const struct dx_buf *buf)
{
    return (struct dx_slice){buf->data, buf->len};
}

#endif
