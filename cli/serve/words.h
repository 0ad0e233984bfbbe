/*
 * words.h - a command line inside one argument, split into words as a shell would, but nothing is
 * expanded.
 */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <duplex/error.h>

/**
 * Splits at blanks (space, tab, newline). '…' keeps everything; "…" keeps everything but \" and \\
 * (and \$, \`), without the backslash; elsewhere \ keeps the next byte. `words` gets one block
 * that ends with NULL, for the caller to free().
 *
 * Returns DX_OK; DX_ERR_USAGE, and `problem` says what is wrong, also when there is no word;
 * DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err cli_words_split(const char *text, char ***words, const char **problem);

#endif
