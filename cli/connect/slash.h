/*
 * slash.h - what is typed behind a slash: commands of the terminal.
 */
#ifndef CLI_SLASH_H
#define CLI_SLASH_H

#include <stddef.h>

struct cli_session;

/* A message that waits for the connection, or was sent already. */
enum cli_slash_result {
    CLI_SLASH_DONE,
    CLI_SLASH_NOT_NOW, /* the connection takes nothing: ask again */
};

/** Does what a line says that begins with one slash. */
enum cli_slash_result cli_slash_do(struct cli_session *session, const char *line);

/** The `index`th command ("/ping"), NULL beyond the last. */
const char *cli_slash_name(size_t index);

#endif
