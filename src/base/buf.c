/*
 * buf.c - see buf.h.
 */
#include "base/buf.h"

#include <stdlib.h>

#define FIRST_ROOM 64

void dx_buf_init(struct dx_buf *buf, size_t max_len)
{
    *buf = (struct dx_buf){.max_len = max_len};
}

void dx_buf_release(struct dx_buf *buf)
{
    free(buf->data);
    dx_buf_init(buf, buf->max_len);
}

void dx_buf_clear(struct dx_buf *buf)
{
    buf->len = 0;
}

enum dx_err dx_buf_reserve(struct dx_buf *buf, size_t len)
{
    size_t room = buf->room ? buf->room : FIRST_ROOM;
    uint8_t *data;

    if (len > buf->max_len - buf->len)
        return DX_ERR_TOO_BIG;
    if (len <= buf->room - buf->len)
        return DX_OK;
    while (room - buf->len < len)
        room = room > buf->max_len / 2 ? buf->max_len : room * 2;
    data = realloc(buf->data, room);
    if (!data)
        return DX_ERR_NOMEM;
    buf->data = data;
    buf->room = room;
    return DX_OK;
}

enum dx_err dx_buf_append(struct dx_buf *buf, const void *data, size_t len)
{
    enum dx_err err = dx_buf_reserve(buf, len);

    if (err || len == 0)
        return err;
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    return DX_OK;
}

void dx_buf_consume(struct dx_buf *buf, size_t len)
{
    buf->len -= len;
    if (buf->len > 0)
        memmove(buf->data, buf->data + len, buf->len);
}

uint8_t *dx_buf_take(struct dx_buf *buf, size_t *len)
{
    uint8_t *data = buf->data;

    *len = buf->len;
    if (buf->len == 0) {
        free(data);
        data = NULL;
    }
    dx_buf_init(buf, buf->max_len);
    return data;
}
