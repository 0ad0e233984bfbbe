/*
 * log.h - the program's log: one line per event, as text or JSON, to stderr or a file.
 *
 * Text:  2026-11-21T07:00:00.123Z info  message name=value name="two words"
 * JSON:  {"time":"2026-11-21T07:00:00.123Z","level":"info","message":"message","name":"value"}
 *
 * Values are escaped (base/text.h; a backslash is doubled), so that a line stays one line and
 * cannot control a terminal. A line has at most CLI_LOG_LINE_MAX bytes; a longer value ends in
 * "...". The JSON form has the same escaped values. Writing never blocks and never ends the
 * program: lines that a full disk or a full or closed pipe does not take are lost, and the next
 * line that is written is preceded by their number. All functions but open and close are
 * thread-safe.
 */
#ifndef CLI_LOG_H
#define CLI_LOG_H

#include "cli/log/log_options.h"

#define CLI_LOG_LINE_MAX 1024

struct cli_log;

/**
 * Opens the log that `config` describes and makes this process ignore SIGPIPE. Returns NULL with
 * errno set if the file cannot be opened, or without memory. Close it with cli_log_close.
 */
struct cli_log *cli_log_open(const struct cli_log_config *config);

/** The sink for a server of the library. The log must outlive the server. */
struct dx_log_sink cli_log_sink(struct cli_log *log);

/** Writes a line: `message`, then pairs of name and value (strings), ended by NULL. */
void cli_log_say(struct cli_log *log, enum dx_log_level level, const char *message, ...)
    __attribute__((sentinel));

/** Closes and frees it. NULL is fine. */
void cli_log_close(struct cli_log *log);

#endif
