/*
 * command.h - the table of commands: their names and what help and man pages say of them.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stddef.h>

#include <duplex/error.h>

/* Which commands have an option: bits. */
enum cli_command_set {
    CLI_SERVE = 1,
    CLI_ECHO = 2,
    CLI_BOTH = CLI_SERVE | CLI_ECHO,
    CLI_CONNECT = 4,
    CLI_ALL = CLI_BOTH | CLI_CONNECT,
};

struct cli_command {
    enum cli_command_set id;
    const char *name;
    const char *usage;    /* the lines behind "Usage: " */
    bool takes_program;   /* options end at the first other word */
    bool takes_url;       /* there may be one other word, among the options */
    const char *summary;  /* half a line, for lists and completions */
    const char *about;    /* what --help says first; lines */
    const char *examples; /* what --help says last; lines */
};

/** All commands, in the order of help; the end has no name. */
extern const struct cli_command cli_commands[];

/** The command of this name, or NULL. */
const struct cli_command *cli_command_find(const char *name);

#endif
