/*
 * serve.h - the command `duplex serve`: a program for each WebSocket, and files beside it.
 */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include <duplex/program.h>

#include "cli/serve/ladder.h"
#include "cli/serve/route.h"
#include "cli/server/options.h"

struct cli_serve_config {
    struct cli_config general;
    struct cli_server_config server;
    char **program; /* COMMAND [ARG…], ends with NULL; NULL when none was given */

    enum dx_program_framing framing;
    enum dx_newlines newlines;
    uint32_t flush_after_ms; /* 0: never */
    enum dx_invalid_utf8 invalid_utf8;
    enum dx_stderr stderr_to;
    const char *directory; /* that programs run in; NULL: that of duplex */
    struct cli_list env;   /* const char *: "NAME=VALUE" */
    struct cli_ladder ladder;
    bool answers_text_ping;
    uint32_t max_programs;

    struct cli_list routes;  /* struct cli_route; paths differ, none is "/" beside `program` */
    struct cli_list statics; /* struct cli_static; paths differ */
};

extern const struct cli_command cli_serve;

#endif
