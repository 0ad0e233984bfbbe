/*
 * failure.h - what a failed connection means to the person who runs `duplex connect`: the exit
 * status, and advice in a few words.
 */
#ifndef CLI_FAILURE_H
#define CLI_FAILURE_H

#include <duplex/client.h>

#include "cli/connect/connect.h"
#include "cli/text/url.h"

/* Exit statuses, in the order in which the first one counts; 1 and 2 are in complaint.h. */
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

int cli_failure_status(const struct dx_error_event *error);

/** What to do about it, for the parentheses after the error. `url` is NULL with --listen. */
const char *cli_failure_advice(const struct cli_connect_config *config, const struct cli_url *url,
                               const struct dx_error_event *error);

#endif
