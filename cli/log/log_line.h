/*
 * log_line.h - one line of the log, laid out in a buffer of fixed size. No file, no clock.
 */
#ifndef CLI_LOG_LINE_H
#define CLI_LOG_LINE_H

#include <time.h>

#include "cli/log/log.h"

struct cli_log_line {
    char text[CLI_LOG_LINE_MAX]; /* ends with a newline, no NUL */
    size_t len;
};

/** Lays out a line in `format`; `colour` is for the level in a text line on a terminal. */
void cli_log_line_format(struct cli_log_line *line, enum cli_log_format format, bool colour,
                         const struct timespec *now, enum dx_log_level level, const char *message,
                         const struct dx_log_field *fields, size_t field_count);

#endif
