/*
 * sink.h - where the events of `duplex connect` go: text or JSON on stdout, a recording. A session
 * has a list of sinks, and each gets everything.
 */
#ifndef CLI_SINK_H
#define CLI_SINK_H

#include "cli/connect/sink/output.h"
#include "cli/connect/peer/peer.h"
#include "cli/connect/screen.h"

/* A member that is NULL is not called. */
struct cli_sink {
    struct cli_sink *next;
    void (*open)(struct cli_sink *sink, const struct cli_opening *opening);
    void (*request)(struct cli_sink *sink, const char *head, size_t len);
    /* False: it has failed, has said why, and gets nothing more. */
    bool (*message)(struct cli_sink *sink, bool is_ours, enum dx_opcode opcode, const void *data,
                    size_t len);
    /* `rtt_ns` is a pong's round trip, or 0. */
    void (*control)(struct cli_sink *sink, bool is_ping, const uint8_t *data, size_t len,
                    uint64_t rtt_ns);
    void (*error)(struct cli_sink *sink, const struct dx_error_event *error);
    void (*close)(struct cli_sink *sink, const struct dx_close_event *close);
    /* Writes what is left and ends. False: not all could be written, and it has said so. */
    bool (*finish)(struct cli_sink *sink);
    void (*free)(struct cli_sink *sink);
};

/* What a sink is made of; all of it outlives the sink. */
struct cli_sink_setup {
    const struct cli_connect_config *config;
    const struct cli_screen *screen;
    struct cli_output *output; /* stdout, when nobody types */
    struct dx_loop *loop;
};

/** Each makes a sink; returns 0, or the exit status after it has said what failed. */
int cli_sink_text(const struct cli_sink_setup *setup, struct cli_sink **sink);
int cli_sink_json(const struct cli_sink_setup *setup, struct cli_sink **sink);
int cli_sink_record(const struct cli_sink_setup *setup, struct cli_sink **sink);

#endif
