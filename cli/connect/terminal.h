/*
 * terminal.h - a person who types: editing, history, completion (libedit), and what comes printed above the line being typed.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stddef.h>

struct cli_session;
struct cli_terminal;

/** Takes stdin and stdout, which are terminals. 0, or it has said what failed and returns the exit status. */
int cli_terminal_new(struct cli_session *session, struct cli_terminal **terminal);

/** Reads lines and runs the session's loop until it is over. */
void cli_terminal_run(struct cli_terminal *terminal);

/** The connection is open, or takes something again: sends what was typed before. */
void cli_terminal_resume(struct cli_terminal *terminal);

/** Prints whole lines; they have to be harmless. */
void cli_terminal_print(struct cli_terminal *terminal, const char *text, size_t len);

/** SIGWINCH or SIGTSTP has come. */
void cli_terminal_signal(struct cli_terminal *terminal, int number);

void cli_terminal_free(struct cli_terminal *terminal);

#endif
