/*
 * log_options.c - see log_options.h.
 */
#include "cli/log/log_options.h"

#include <assert.h>

#define FIELD(name) offsetof(struct cli_log_config, name)

static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const formats[] = {"text", "json", NULL};

/* The order of the words is the order of the library's values. */
static_assert(DX_LOG_ERROR == 0 && DX_LOG_WARN == 1 && DX_LOG_INFO == 2 && DX_LOG_DEBUG == 3, "");

const struct cli_option cli_log_options[] = {
    {.name = "log-level",
     .kind = CLI_CHOICE,
     .field = FIELD(level),
     .choices = levels,
     .placeholder = "LEVEL",
     .preset = "info",
     .help = "what to log: error, warn, info or debug"},
    {.name = "verbose",
     .letter = 'v',
     .kind = CLI_SET,
     .set = DX_LOG_DEBUG,
     .field = FIELD(level),
     .help = "the same as --log-level=debug"},
    {.name = "quiet",
     .letter = 'q',
     .kind = CLI_SET,
     .set = DX_LOG_ERROR,
     .field = FIELD(level),
     .help = "the same as --log-level=error"},
    {.name = "log-format",
     .kind = CLI_CHOICE,
     .field = FIELD(format),
     .choices = formats,
     .placeholder = "FORMAT",
     .preset = "text",
     .help = "text, or json with one object per line",
     .more = "Bytes that could control a terminal, and bytes that are not UTF-8, are written "
             "as \\\\xNN. A line has at most 1024 bytes."},
    {.name = "log-file",
     .kind = CLI_TEXT,
     .field = FIELD(file),
     .placeholder = "FILE",
     .preset_note = "stderr",
     .help = "append the log to FILE",
     .more = "If the disk is full or the reader has gone, lines are lost; the server "
             "continues."},
    {.name = NULL},
};
