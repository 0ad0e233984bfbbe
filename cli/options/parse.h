/*
 * parse.h - reads a command line into a command's config: GNU long options, driven by the
 * command's tables. Prints nothing.
 */
#ifndef CLI_PARSE_H
#define CLI_PARSE_H

#include "cli/options/options.h"

/**
 * Fills in `config` (zeroed by this call) from the words after the command's name; argv ends with
 * NULL and must outlive it. Ends early, as if the rest were not there, at --help and --version.
 * Release the config in any case. `others` are the commands that a message may name; it ends with
 * NULL.
 *
 * Returns false and the complaint when a word is wrong. Values are checked one by one: whether they
 * go together is asked by the command's `check`.
 */
DX_MUST_CHECK bool cli_parse(const struct cli_command *command,
                             const struct cli_command *const *others, char **argv,
                             struct cli_config *config, struct cli_complaint *complaint);

/** Frees the lists. For any config that was parsed into. */
void cli_config_release(struct cli_config *config);

#endif
