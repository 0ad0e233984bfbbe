/*
 * program.h - whether a program exists, checked when the server starts, so that a typing error does
 * not show only when the first client connects.
 */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include <duplex/error.h>

enum cli_program_state {
    CLI_PROGRAM_FOUND,
    CLI_PROGRAM_MISSING,
    CLI_PROGRAM_DIRECTORY,   /* it is one */
    CLI_PROGRAM_FORBIDDEN,   /* it is not executable */
    CLI_PROGRAM_NOT_IN_PATH, /* a name without a slash */
};

/** Looks `name` up as execvp would: in PATH when it has no slash. */
enum cli_program_state cli_program_look_up(const char *name);

#endif
