/*
 * session.h - one run of `duplex connect`: messages from a source to the peer, events from the peer
 * to the sinks, until something ends it; the exit status.
 *
 * It knows a source, a peer and sinks as operations only (source.h, peer.h, sink.h). run.c makes
 * them and puts them together.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <regex.h>

#include "cli/connect/peer/peer.h"
#include "cli/connect/screen.h"
#include "cli/connect/sink/sink.h"
#include "cli/connect/source/source.h"

/* How the run will end, as far as it is known. */
enum cli_outcome {
    CLI_OUTCOME_OPEN = 0,  /* nothing is known */
    CLI_OUTCOME_FAILING,   /* a failure was reported; a new connection takes it back */
    CLI_OUTCOME_FULFILLED, /* what was expected has come: status 0 */
    CLI_OUTCOME_SETTLED,   /* the status is final */
};

struct cli_session {
    const struct cli_connect_config *config;
    const struct cli_screen *screen;
    struct dx_loop *loop;
    const struct cli_url *url; /* NULL with --listen */
    struct cli_source *source;
    struct cli_peer *peer;
    struct cli_sink *sinks;
    struct dx_loop_timer *linger;

    enum cli_session_state state;
    enum cli_outcome outcome;
    int status;              /* of FAILING and SETTLED */
    bool input_has_ended;    /* nothing more will be sent by itself */
    bool connection_is_gone; /* nothing is left of the connection */
    uint16_t own_code;       /* that was closed with; 0: none */
    uint32_t match_count;    /* messages that count for --expect */
    uint64_t opened_ms;      /* --linger counts from the last of these three */
    uint64_t heard_ms;
    uint64_t input_ended_ms;
    uint64_t pinged_ns; /* when the last ping left; 0: none awaits its pong */
    regex_t pattern;
    bool has_pattern;
    struct cli_buffer scratch; /* a message being converted */
    struct cli_peer_events peer_events;
    struct cli_source_calls source_calls;
};

/** Prepares a session; the loop's timer of --linger is made. Returns DX_OK or DX_ERR_NOMEM. */
DX_MUST_CHECK enum dx_err cli_session_init(struct cli_session *session,
                                           const struct cli_connect_config *config,
                                           const struct cli_screen *screen, struct dx_loop *loop);
void cli_session_release(struct cli_session *session);

/** Adds a sink, after those it has. */
void cli_session_add_sink(struct cli_session *session, struct cli_sink *sink);

/** The target as messages name it: the URL without a login, or the first address of --listen. */
const char *cli_session_target(const struct cli_session *session);

/** Ends the run, with this status if there is none yet. */
void cli_session_finish(struct cli_session *session, int exit_status);

/** --timeout has passed. */
void cli_session_time_out(struct cli_session *session);

/**
 * A signal wants an end: closes with 1000, or at once where that is not possible. Returns true when
 * the peer's Close should be awaited for a moment.
 */
bool cli_session_interrupt(struct cli_session *session, int number);

#endif
