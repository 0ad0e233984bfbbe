/*
 * variable.h - NAME[=VALUE], an environment variable for the programs.
 */
#ifndef CLI_VARIABLE_H
#define CLI_VARIABLE_H

#include <duplex/error.h>

/**
 * `variable` gets "NAME=VALUE": the text itself, or for NAME alone the entry of this process's
 * environment (borrowed). NULL, or what is wrong (see cli/options/number.h).
 */
DX_MUST_CHECK const char *cli_variable_parse(const char *text, const char **variable);

#endif
