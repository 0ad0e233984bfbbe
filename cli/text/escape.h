/*
 * escape.h - foreign bytes made harmless for a line on a terminal or in a log.
 */
#ifndef CLI_ESCAPE_H
#define CLI_ESCAPE_H

#include <stddef.h>

/* The longest form of one character: four bytes, each \xNN. */
#define CLI_ESCAPE_MAX 16

/**
 * Takes the first character of `text` (`len` bytes, at least one) and writes it to `out` as it may
 * be shown: as it is, or each byte as \xNN if it is a control character (C0, DEL, C1, newlines),
 * one that turns or hides text (bidirectional controls, zero width, line and paragraph separators,
 * tags), or not UTF-8. Returns the bytes taken; `out_len` gets the bytes written.
 */
size_t cli_escape_next(const char *text, size_t len, char out[static CLI_ESCAPE_MAX],
                       size_t *out_len);

/**
 * Escapes a whole text into `out` (`size` bytes with the NUL), ending with "..." when it does not
 * fit.
 */
void cli_escape(const char *text, size_t len, char *out, size_t size);

/* A word of the command line as a message may show it, cut at 255 bytes. */
struct cli_shown {
    char text[256];
};

struct cli_shown cli_shown(const char *text);
struct cli_shown cli_shown_part(const char *text, size_t len);

#endif
