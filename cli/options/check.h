/*
 * check.h - what can be known to fail before anything is started: options that do not go together,
 * files that are not there.
 */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "cli/options/parse.h"

/**
 * Checks a parsed config whose wish is CLI_WISH_RUN. Touches nothing; asks the file system about
 * programs, directories, certificates and inherited descriptors. Returns false and the first
 * complaint.
 */
DX_MUST_CHECK bool cli_check(const struct cli_config *config, struct cli_complaint *complaint);

/** Whether a file that an option names (NULL: none) can be read; false and a complaint else. */
DX_MUST_CHECK bool cli_check_file(const char *option, const char *path,
                                  struct cli_complaint *complaint);

#endif
