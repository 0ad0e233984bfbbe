/*
 * complaint.h - why the program cannot start or go on: one line on stderr, and the exit status.
 */
#ifndef CLI_COMPLAINT_H
#define CLI_COMPLAINT_H

#include <duplex/error.h>

#include <stdbool.h>

#define CLI_EXIT_RESOURCE 1
#define CLI_EXIT_USAGE 2

#define CLI_COMPLAINT_MAX 1024

struct cli_complaint {
    int exit_status;              /* CLI_EXIT_… */
    char line[CLI_COMPLAINT_MAX]; /* without "duplex …: " and newline; foreign bytes are escaped */
};

/** Fills in a complaint, whose text must be safe to show; returns false. */
bool cli_complain(struct cli_complaint *complaint, int exit_status, const char *format, ...)
    DX_PRINTF(3, 4);

/** "--OPTION=VALUE: " and the text, with VALUE escaped, as wrong use; returns false. */
bool cli_complain_of(struct cli_complaint *complaint, const char *option, const char *value,
                     const char *format, ...) DX_PRINTF(4, 5);

/**
 * Prints "duplex COMMAND: WHAT: WHY" on stderr, with WHAT escaped: something failed at run time.
 * Returns CLI_EXIT_RESOURCE.
 */
int cli_fail(const char *command, const char *what, const char *why);

#endif
