/*
 * buffer.h - text that is built piece by piece (dx_buf). Lack of memory is recorded, so that it can
 * be checked once at the end.
 */
#ifndef CLI_BUFFER_H
#define CLI_BUFFER_H

#include <duplex/error.h>

#include "base/buf.h"

/* Zeroed at first. */
struct cli_buffer {
    struct dx_buf bytes;
    bool has_failed; /* there was no memory: the text is not whole */
};

static inline char *cli_buffer_text(const struct cli_buffer *buffer)
{
    return (char *)buffer->bytes.data;
}

static inline size_t cli_buffer_len(const struct cli_buffer *buffer)
{
    return buffer->bytes.len;
}

void cli_buffer_put(struct cli_buffer *buffer, const void *bytes, size_t len);
void cli_buffer_put_text(struct cli_buffer *buffer, const char *text);
void cli_buffer_printf(struct cli_buffer *buffer, const char *format, ...) DX_PRINTF(2, 3);

/** Room for `len` more bytes, which cli_buffer_commit adds; NULL without memory. */
char *cli_buffer_reserve(struct cli_buffer *buffer, size_t len);
void cli_buffer_commit(struct cli_buffer *buffer, size_t len);

/** Drops the first `len` bytes. */
void cli_buffer_drop(struct cli_buffer *buffer, size_t len);

/** Empties it; keeps at most 256 KiB of memory. */
void cli_buffer_clear(struct cli_buffer *buffer);

void cli_buffer_release(struct cli_buffer *buffer);

#endif
