/*
 * slash.h - commands that a person types after a slash, such as /ping.
 */
#ifndef CLI_SLASH_H
#define CLI_SLASH_H

#include "cli/connect/source/source.h"

/** Does what a line says that begins with one slash. False: not now, do it again later. */
bool cli_slash_do(const struct cli_source_setup *setup, const char *line);

/** The `index`th command ("/ping"), NULL beyond the last. */
const char *cli_slash_name(size_t index);

#endif
