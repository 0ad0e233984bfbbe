/*
 * words.h - a command line inside one argument, split into words as a shell would, but nothing is
 * expanded.
 */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <duplex/error.h>

/**
 * Splits at blanks (space, tab, newline). '…' keeps everything; "…" keeps everything but \" and \\
 * (and \$, \`), where the backslash goes; elsewhere \ keeps the next byte. `words` gets one block
 * that ends with NULL, for the caller to free().
 *
 * Returns NULL, or what is wrong (see number.h), also when there is no word; cli_out_of_memory.
 */
DX_MUST_CHECK const char *cli_words_split(const char *text, char ***words);

/* What parsers return when memory is short: compared by address. */
extern const char cli_out_of_memory[];

#endif
