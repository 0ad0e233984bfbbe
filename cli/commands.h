/*
 * commands.h - the list of commands.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/options/options.h"

/** All commands, in the order of help; ends with NULL. */
extern const struct cli_command *const cli_commands[];

/** The command of this name, or NULL. */
const struct cli_command *cli_command_find(const char *name);

#endif
