/*
 * buffer.c - see buffer.h.
 */
#include "cli/text/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define KEPT_MAX 262144

char *cli_buffer_reserve(struct cli_buffer *buffer, size_t len)
{
    /* Callers bound what they put in. */
    buffer->bytes.max_len = SIZE_MAX;
    if (dx_buf_reserve(&buffer->bytes, len) == DX_OK)
        return cli_buffer_text(buffer) + cli_buffer_len(buffer);
    buffer->has_failed = true;
    return NULL;
}

void cli_buffer_commit(struct cli_buffer *buffer, size_t len)
{
    buffer->bytes.len += len;
}

void cli_buffer_put(struct cli_buffer *buffer, const void *bytes, size_t len)
{
    char *to = len > 0 ? cli_buffer_reserve(buffer, len) : NULL;

    if (!to)
        return;
    memcpy(to, bytes, len);
    cli_buffer_commit(buffer, len);
}

void cli_buffer_put_text(struct cli_buffer *buffer, const char *text)
{
    cli_buffer_put(buffer, text, strlen(text));
}

void cli_buffer_printf(struct cli_buffer *buffer, const char *format, ...)
{
    va_list args;
    char *to;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    to = len > 0 ? cli_buffer_reserve(buffer, (size_t)len + 1) : NULL;
    if (!to)
        return;
    va_start(args, format);
    vsnprintf(to, (size_t)len + 1, format, args);
    va_end(args);
    cli_buffer_commit(buffer, (size_t)len);
}

void cli_buffer_drop(struct cli_buffer *buffer, size_t len)
{
    if (len == 0)
        return;
    dx_buf_consume(&buffer->bytes, len);
    if (cli_buffer_len(buffer) == 0)
        cli_buffer_clear(buffer);
}

void cli_buffer_clear(struct cli_buffer *buffer)
{
    if (buffer->bytes.room > KEPT_MAX)
        dx_buf_release(&buffer->bytes);
    else
        dx_buf_clear(&buffer->bytes);
}

void cli_buffer_release(struct cli_buffer *buffer)
{
    dx_buf_release(&buffer->bytes);
    buffer->has_failed = false;
}
