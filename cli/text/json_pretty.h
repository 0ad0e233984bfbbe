/*
 * json_pretty.h - JSON laid out for people on a terminal.
 */
#ifndef CLI_JSON_PRETTY_H
#define CLI_JSON_PRETTY_H

#include "cli/text/buffer.h"

/**
 * Writes an object or array with one member per line, two blanks per level, escaped for terminals.
 * Returns false, and writes nothing, if the text is neither.
 */
bool cli_json_pretty(struct cli_buffer *to, const char *text, size_t len, bool colours);

#endif
