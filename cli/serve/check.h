/*
 * check.h - what can be known to fail before `duplex serve` starts anything: options that do not go
 * together, programs and directories that are not there.
 */
#ifndef CLI_SERVE_CHECK_H
#define CLI_SERVE_CHECK_H

#include "cli/serve/serve.h"

/** Touches nothing. Returns false and the first complaint. */
DX_MUST_CHECK bool cli_serve_check(const struct cli_serve_config *config,
                                   struct cli_complaint *complaint);

#endif
