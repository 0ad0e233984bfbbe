/*
 * parse.h - a command line into a config: GNU long options, driven by the table. Prints nothing.
 */
#ifndef CLI_PARSE_H
#define CLI_PARSE_H

#include "cli/options/options.h"

#define CLI_EXIT_RESOURCE 1
#define CLI_EXIT_USAGE 2

#define CLI_COMPLAINT_MAX 1024

/* Why the program ends before it began. */
struct cli_complaint {
    int exit_status;              /* CLI_EXIT_… */
    char line[CLI_COMPLAINT_MAX]; /* without "duplex …: " and newline; foreign bytes are escaped */
};

/**
 * Fills in `config` (zeroed by this call) from what stands behind the command's name; argv ends
 * with NULL and must outlive it. Ends early, as if the rest were not there, at --help and
 * --version. Release the config in any case.
 *
 * Returns false and the complaint when a word is wrong. Values are checked alone: what does not go
 * together is check.h's.
 */
DX_MUST_CHECK bool cli_parse(const struct cli_command *command, char **argv,
                             struct cli_config *config, struct cli_complaint *complaint);

/** Fills in a complaint; returns false. */
bool cli_complain(struct cli_complaint *complaint, int exit_status, const char *format, ...)
    DX_PRINTF(3, 4);

#endif
