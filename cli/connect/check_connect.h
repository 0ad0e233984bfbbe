/*
 * check_connect.h - what can be known to fail before `duplex connect` begins.
 */
#ifndef CLI_CHECK_CONNECT_H
#define CLI_CHECK_CONNECT_H

#include "cli/options/parse.h"

/** As cli_check, for connect. */
DX_MUST_CHECK bool cli_check_connect(const struct cli_connect_config *config,
                                     struct cli_complaint *complaint);

#endif
