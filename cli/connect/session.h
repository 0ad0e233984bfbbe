/*
 * session.h - one run of `duplex connect`: messages from stdin to the peer and from the peer to stdout, until something ends it; the exit
 * status.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <duplex/client.h>

#include <regex.h>

#include "cli/connect/input.h"
#include "cli/connect/output.h"
#include "cli/connect/peer.h"
#include "cli/connect/show.h"
#include "cli/text/url.h"

struct cli_record;
struct cli_replay;
struct cli_terminal;

/* The causes of an ending, in the order in which the first one counts; 2 and 1 are parse.h's. */
enum cli_connect_exit {
    CLI_EXIT_RESOLVE = 3,
    CLI_EXIT_CONNECT = 4,
    CLI_EXIT_TLS = 5,
    CLI_EXIT_REFUSED = 6,
    CLI_EXIT_PROTOCOL = 7,
    CLI_EXIT_TIMEOUT = 8,
    CLI_EXIT_UNEXPECTED = 9, /* closed normally, before what was expected */
    CLI_EXIT_LOST = 10,
    CLI_EXIT_CLOSE_CODE = 11,
    CLI_EXIT_SIGNAL = 128, /* and its number */
};

enum cli_session_state {
    CLI_SESSION_WAITING = 0,
    CLI_SESSION_OPEN,
    CLI_SESSION_CLOSING,
    CLI_SESSION_OVER
};

struct cli_session {
    const struct cli_connect_config *config;
    struct dx_loop *loop;
    struct cli_peer *peer;
    struct cli_url url;
    enum cli_session_state state;
    bool has_opened;                        /* once at least */
    bool input_ended;                       /* nothing more will be sent by itself */
    uint16_t own_code;                      /* that was closed with */
    bool is_closed;                         /* nothing is left of the connection */
    bool is_failed;                         /* a failure has been told for this connection */
    bool is_done;                           /* what was expected has come */
    bool wants_terminal;                    /* a person types */
    int failed_status;                      /* what is_failed makes of it */
    int exit_status;                        /* -1: not settled yet */
    size_t sent_count;                      /* of --send */
    uint32_t match_count;                   /* messages that count for --expect */
    uint64_t opened_ms, heard_ms, ended_ms; /* for --linger */
    uint64_t pinged_ns;                     /* when the last ping went out; 0: none is */
    regex_t pattern;
    bool has_pattern;
    struct dx_loop_timer *timeout;
    struct dx_loop_timer *linger;
    struct dx_loop_timer *giving_up; /* after a signal */
    struct dx_loop_watch *signals;
    int signal_fd;
    struct cli_input input;
    struct cli_output output;
    struct cli_show show;
    struct cli_buffer scratch;     /* a message as it is sent */
    struct cli_record *record;     /* NULL without --record */
    struct cli_replay *replay;     /* NULL without --replay */
    struct cli_terminal *terminal; /* NULL: nobody types */
};

/** The whole run; returns the exit status. */
int cli_session_run(const struct cli_connect_config *config);

/* ---- what a peer tells ---- */

void cli_session_opened(struct cli_session *session);
void cli_session_request(struct cli_session *session, const char *head, size_t len);
void cli_session_message(struct cli_session *session, enum dx_opcode opcode, const uint8_t *data,
                         size_t len);
/** A piece of a message has come. */
void cli_session_heard(struct cli_session *session);
void cli_session_control(struct cli_session *session, bool is_ping, const uint8_t *data,
                         size_t len);
void cli_session_drained(struct cli_session *session);
void cli_session_failed(struct cli_session *session, const struct dx_error_event *error);
void cli_session_closed(struct cli_session *session, const struct dx_close_event *close);

/* ---- what input asks for ---- */

/** Sends a message in the form of the command line. False: not now, it has to be given again (cli_session_drained). */
bool cli_session_give(struct cli_session *session, const char *data, size_t len);
/** Sends a message. The same. */
bool cli_session_send(struct cli_session *session, enum dx_opcode opcode, const void *data,
                      size_t len);
/** Sends a ping, and measures its pong. */
void cli_session_ping(struct cli_session *session, const char *data, size_t len);
/** Begins the closing handshake. */
void cli_session_close(struct cli_session *session, uint16_t code, const char *reason, size_t len);
/** Nothing more comes from the input. */
void cli_session_end_input(struct cli_session *session);
/** Ends the run, with this status if there is none yet. */
void cli_session_finish(struct cli_session *session, int exit_status);

/** One line on stderr, "duplex connect: WHAT: WHY", unless it is quiet; returns `exit_status`. */
int cli_session_complain(struct cli_session *session, int exit_status, const char *what,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
