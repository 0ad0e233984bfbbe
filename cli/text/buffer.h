/*
 * buffer.h - bytes that grow, for what is read and printed. What runs out of memory is noted, and asked for at the end.
 */
#ifndef CLI_BUFFER_H
#define CLI_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct cli_buffer {
    char *data; /* NULL while nothing was ever put in */
    size_t len;
    size_t room;
    bool has_failed; /* memory was short: something is missing */
};

void cli_buffer_put(struct cli_buffer *buffer, const void *bytes, size_t len);
void cli_buffer_put_text(struct cli_buffer *buffer, const char *text);
void cli_buffer_printf(struct cli_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Room for `len` more bytes, to be counted in `len` by the caller; NULL without memory. */
char *cli_buffer_reserve(struct cli_buffer *buffer, size_t len);

/** Drops the first `len` bytes. */
void cli_buffer_drop(struct cli_buffer *buffer, size_t len);

/** Empties it; keeps the memory unless it is much. */
void cli_buffer_clear(struct cli_buffer *buffer);
void cli_buffer_release(struct cli_buffer *buffer);

#endif
