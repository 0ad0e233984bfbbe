/*
 * help.h - what --help, duplex help and --version print.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "cli/options/options.h"

/* Lines are at most this long. */
#define CLI_HELP_WIDTH 80

/** The usage, commands and first steps of duplex; `bold` for headings on a terminal. */
void cli_help_print(FILE *out, bool bold);

/** The help of one command. */
void cli_help_print_command(FILE *out, const struct cli_command *command, bool bold);

void cli_help_print_version(FILE *out);

#endif
