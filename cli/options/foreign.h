/*
 * foreign.h - words that people know from wscat, websocat and websocketd, and what they are here.
 */
#ifndef CLI_FOREIGN_H
#define CLI_FOREIGN_H

#include "cli/options/options.h"

/** The command's entry for a word: an option with its dashes, or an operand. NULL: none. */
const struct cli_foreign *cli_foreign_find(const struct cli_command *command, const char *word,
                                           size_t len);

/** "WORD: WHAT (what to write, or what there is)", as wrong use; returns false. */
bool cli_foreign_complain(const struct cli_foreign *foreign, const struct cli_command *command,
                          const char *word, const char *what, struct cli_complaint *complaint);

#endif
