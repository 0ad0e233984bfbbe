/*
 * log.h - the program's log: one line an event, as text or JSON, to stderr or a file.
 *
 * Text:  2026-11-21T07:00:00.123Z info  message name=value name="two words"
 * JSON:  {"time":"2026-11-21T07:00:00.123Z","level":"info","message":"message","name":"value"}
 *
 * Whatever bytes a value has, a line is one line, harmless on a terminal (escape.h; a backslash is
 * doubled), and at most CLI_LOG_LINE_MAX bytes: what does not fit ends in "...". In JSON the value
 * of a string is what the text form shows. Writing never blocks and never ends the program: lines
 * that a full disk, a full or closed pipe does not take are lost, and counted in the next that it
 * takes. All but open and close may be called from any thread.
 */
#ifndef CLI_LOG_H
#define CLI_LOG_H

#include "cli/log/log_options.h"

#define CLI_LOG_LINE_MAX 1024

struct cli_log;

/**
 * Opens the log that `config` describes and makes this process ignore SIGPIPE. On failure NULL,
 * errno says why: the file cannot be opened, or no memory. Close it with cli_log_close.
 */
struct cli_log *cli_log_open(const struct cli_log_config *config);

/** What the library's servers write to. The log must outlive them. */
struct dx_log_sink cli_log_sink(struct cli_log *log);

/** Writes a line of `message` and pairs of name and value (strings) that end with NULL. */
void cli_log_say(struct cli_log *log, enum dx_log_level level, const char *message, ...)
    __attribute__((sentinel));

/** NULL is fine. */
void cli_log_close(struct cli_log *log);

#endif
