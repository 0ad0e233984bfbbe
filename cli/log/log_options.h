/*
 * log_options.h - the options of the log, for commands that have one.
 */
#ifndef CLI_LOG_OPTIONS_H
#define CLI_LOG_OPTIONS_H

#include <duplex/log.h>

#include "cli/options/options.h"

enum cli_log_format { CLI_LOG_TEXT = 0, CLI_LOG_JSON };

struct cli_log_config {
    enum dx_log_level level;
    enum cli_log_format format;
    const char *file; /* NULL: stderr */
};

/* They fill in a struct cli_log_config. */
extern const struct cli_option cli_log_options[];

#endif
