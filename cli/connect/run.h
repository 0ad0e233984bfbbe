/*
 * run.h - one run of `duplex connect`.
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/connect/connect.h"

/** The whole run; returns the exit status. */
int cli_connect_run(const struct cli_connect_config *config);

#endif
