/*
 * echo.h - the command `duplex echo`: sends each message back.
 */
#ifndef CLI_ECHO_H
#define CLI_ECHO_H

#include "cli/server/options.h"

struct cli_echo_config {
    struct cli_config general;
    struct cli_server_config server;
    bool answers_text_ping;
};

extern const struct cli_command cli_echo;

#endif
