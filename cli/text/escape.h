/*
 * escape.h - untrusted bytes escaped for messages (dx_text_escape), NUL-terminated.
 */
#ifndef CLI_ESCAPE_H
#define CLI_ESCAPE_H

#include <stddef.h>

/**
 * Escapes a whole text into `out` (`size` bytes with the NUL), ending with "..." when it does not
 * fit.
 */
void cli_escape(const char *text, size_t len, char *out, size_t size);

/* A word of the command line, escaped, at most 255 bytes. */
struct cli_shown {
    char text[256];
};

struct cli_shown cli_shown(const char *text);
struct cli_shown cli_shown_part(const char *text, size_t len);

#endif
