/*
 * buffer.c - see buffer.h.
 */
#include "cli/text/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_MAX 262144

char *cli_buffer_reserve(struct cli_buffer *buffer, size_t len)
{
    size_t room = buffer->room > 0 ? buffer->room : 1024;
    char *grown;

    if (buffer->data && buffer->room - buffer->len >= len)
        return buffer->data + buffer->len;
    while (room - buffer->len < len) {
        if (room > SIZE_MAX / 2) {
            buffer->has_failed = true;
            return NULL;
        }
        room *= 2;
    }
    grown = realloc(buffer->data, room);
    if (!grown) {
        buffer->has_failed = true;
        return NULL;
    }
    buffer->data = grown;
    buffer->room = room;
    return grown + buffer->len;
}

void cli_buffer_put(struct cli_buffer *buffer, const void *bytes, size_t len)
{
    char *to = len > 0 ? cli_buffer_reserve(buffer, len) : NULL;

    if (!to)
        return;
    memcpy(to, bytes, len);
    buffer->len += len;
}

void cli_buffer_put_text(struct cli_buffer *buffer, const char *text)
{
    cli_buffer_put(buffer, text, strlen(text));
}

void cli_buffer_printf(struct cli_buffer *buffer, const char *format, ...)
{
    va_list args;
    char text[512];
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len > 0)
        cli_buffer_put(buffer, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

void cli_buffer_drop(struct cli_buffer *buffer, size_t len)
{
    if (len == 0)
        return;
    buffer->len -= len;
    if (buffer->len > 0)
        memmove(buffer->data, buffer->data + len, buffer->len);
    else
        cli_buffer_clear(buffer);
}

void cli_buffer_clear(struct cli_buffer *buffer)
{
    buffer->len = 0;
    if (buffer->room > KEPT_MAX) {
        free(buffer->data);
        buffer->data = NULL;
        buffer->room = 0;
    }
}

void cli_buffer_release(struct cli_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct cli_buffer){0};
}
