/*
 * check.h - finds what would fail, before `duplex serve` starts anything: options that exclude each
 * other, programs and directories that do not exist.
 */
#ifndef CLI_SERVE_CHECK_H
#define CLI_SERVE_CHECK_H

#include "cli/serve/serve.h"

/** Changes nothing. Returns false and the first complaint. */
DX_MUST_CHECK bool cli_serve_check(const struct cli_serve_config *config,
                                   struct cli_complaint *complaint);

#endif
