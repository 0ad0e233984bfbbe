/*
 * screen.h - lines for the person who runs `duplex connect`: notes, the handshake, errors. They go
 * to stderr, or above the line that is being typed. Messages on stdout are a sink's (sink.h).
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <duplex/error.h>

#include "cli/connect/connect.h"
#include "cli/text/buffer.h"

#define CLI_DIM "\033[2m"
#define CLI_THEIRS "\033[36m"
#define CLI_PLAIN "\033[0m"

struct cli_screen {
    bool is_quiet;    /* --quiet: no errors */
    bool is_verbose;  /* --verbose: the handshake, too */
    bool shows_notes; /* --verbose without --json, or a person types */
    bool is_terminal; /* stdout is one */
    bool has_colours; /* stdout is one that has them, and they are wanted */
    /* Prints above the line being typed; NULL: nobody types, lines go to stderr. */
    void (*print)(void *user, const char *text, size_t len);
    void *user;
};

void cli_screen_init(struct cli_screen *screen, const struct cli_connect_config *config);

/** Prints whole lines. They must be harmless: see cli_screen_escape. */
void cli_screen_print(const struct cli_screen *screen, const char *text, size_t len);

/** Prints a mark and foreign text as one line; the colour is used only where a person types. */
void cli_screen_line(const struct cli_screen *screen, const char *colour, const char *mark,
                     const char *text, size_t len);

/** One line that only people want: "* …". */
void cli_screen_note(const struct cli_screen *screen, const char *format, ...) DX_PRINTF(2, 3);

/** "duplex connect: WHAT: WHY", unless --quiet; returns `exit_status`. Both are made harmless. */
int cli_screen_complain(const struct cli_screen *screen, int exit_status, const char *what,
                        const char *format, ...) DX_PRINTF(4, 5);

/**
 * Appends foreign text with controls escaped, so that it cannot drive a terminal. `keeps_lines`
 * leaves newlines and tabs as they are.
 */
void cli_screen_escape(struct cli_buffer *to, const char *text, size_t len, bool keeps_lines);

#endif
