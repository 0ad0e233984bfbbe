/*
 * source.h - where the messages come from that `duplex connect` sends: stdin, --send, --replay, or
 * a person who types. A source knows nothing of the session: it makes the calls it was given.
 */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include <duplex/endpoint.h>
#include <duplex/loop.h>

#include "cli/connect/connect.h"
#include "cli/connect/screen.h"

#define CLI_SOURCE_NAME_MAX 512

enum cli_session_state {
    CLI_SESSION_WAITING = 0, /* not open yet, or away until it reconnects */
    CLI_SESSION_OPEN,
    CLI_SESSION_CLOSING,
    CLI_SESSION_OVER,
};

struct cli_source {
    /* The connection takes messages (again): give what there is until a call says "not now". */
    void (*resume)(struct cli_source *source);
    /* Nothing is sent until the next resume, perhaps never again. */
    void (*stop)(struct cli_source *source);
    /* What is at fault when the last message given cannot be sent: "stdin, message 3". */
    void (*name)(const struct cli_source *source, char name[CLI_SOURCE_NAME_MAX]);
    void (*free)(struct cli_source *source);
};

/* What a source may call. */
struct cli_source_calls {
    enum cli_session_state (*state)(void *user);
    /* Sends a message in the form of the command line. False: not now, give it again later. */
    bool (*give)(void *user, const char *data, size_t len);
    /* Sends a message as it is. The same. */
    bool (*send)(void *user, enum dx_opcode opcode, const void *data, size_t len);
    /* Sends a ping, and measures its pong. */
    void (*ping)(void *user, const char *data, size_t len);
    /* Begins the closing handshake. */
    void (*close)(void *user, uint16_t code, const char *reason, size_t len);
    /* Nothing more will come. */
    void (*end)(void *user);
    /* Ends the run with this status, if there is none yet. */
    void (*finish)(void *user, int exit_status);
    void *user;
};

/* What a source is made of; all of it outlives the source. */
struct cli_source_setup {
    const struct cli_connect_config *config;
    struct cli_screen *screen;
    struct dx_loop *loop;
    const struct cli_source_calls *calls;
};

/** Each makes a source; returns 0, or the exit status after it has said what failed. */
int cli_source_stdin(const struct cli_source_setup *setup, struct cli_source **source);
int cli_source_sends(const struct cli_source_setup *setup, struct cli_source **source);
int cli_source_replay(const struct cli_source_setup *setup, struct cli_source **source);

/** Takes stdin and stdout, which are terminals, and prints what the screen shows. */
int cli_source_terminal(const struct cli_source_setup *setup, struct cli_source **source);

/** Reads lines and runs the loop until the session is over. `source` is a terminal. */
void cli_terminal_run(struct cli_source *source);

/** SIGWINCH or SIGTSTP has come. */
void cli_terminal_signal(struct cli_source *source, int number);

#endif
