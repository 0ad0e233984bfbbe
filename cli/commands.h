/*
 * commands.h - the entry of each command: what runs when the command line was understood.
 *
 * It is given a checked config with an open log, and returns the exit status. stdin, stdout and
 * stderr are open; SIGPIPE is ignored.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/options/config.h"

/** Serves programs until a signal ends it. */
int cli_serve(const struct cli_config *config);

/** Echoes messages until a signal ends it. */
int cli_echo(const struct cli_config *config);

/** Talks to a WebSocket server, or to one client, until it is over. */
int cli_connect(const struct cli_config *config);

#endif
