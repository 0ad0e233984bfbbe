/*
 * json_pretty.h - JSON laid out for people on a terminal.
 */
#ifndef CLI_JSON_PRETTY_H
#define CLI_JSON_PRETTY_H

#include "cli/text/buffer.h"

/**
 * Writes an object or array, a member a line, two blanks for each level, in colours if asked for; harmless on a terminal. False, and
 * nothing is written: the text is none.
 */
bool cli_json_pretty(struct cli_buffer *to, const char *text, size_t len, bool colours);

#endif
