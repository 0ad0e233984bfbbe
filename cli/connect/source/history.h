/*
 * history.h - the lines that were typed, in a file: $XDG_STATE_HOME/duplex/history, one per line,
 * mode 0600.
 */
#ifndef CLI_HISTORY_H
#define CLI_HISTORY_H

#include <stddef.h>

#define CLI_HISTORY_MAX 1000 /* lines that are kept */

/** Its path, for the caller to free; NULL: nowhere to put it, or no memory. */
char *cli_history_path(void);

/**
 * Calls `add` for the last lines of the file, the oldest first. A file that has grown much longer
 * is cut to these.
 */
void cli_history_load(const char *path, void (*add)(void *user, const char *line), void *user);

/** Appends a line, and makes the directories. Failures are ignored: a history is a convenience. */
void cli_history_append(const char *path, const char *line);

#endif
