/*
 * check.h - checks that several commands make before they start: files, directories, addresses,
 * options that need each other. Each returns true, or false and a complaint. Touches nothing.
 *
 * What lies in the file system and cannot be used is a resource that failed: exit status 1.
 */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "cli/options/complaint.h"
#include "cli/options/list.h"

/** Whether the file that an option names (NULL: none) can be read. */
DX_MUST_CHECK bool cli_check_file(const char *option, const char *path,
                                  struct cli_complaint *complaint);

/** Whether `directory`, which is or is part of the option's value `text`, can be entered. */
DX_MUST_CHECK bool cli_check_directory(const char *option, const char *text, const char *directory,
                                       struct cli_complaint *complaint);

/** Whether a certificate and its key are given together; NULL: not given. */
DX_MUST_CHECK bool cli_check_key_pair(const char *cert_option, const char *cert,
                                      const char *key_option, const char *key,
                                      struct cli_complaint *complaint);

/** Whether each of --listen's addresses is given once, and inherited descriptors are open. */
DX_MUST_CHECK bool cli_check_addresses(const struct cli_list *addresses,
                                       struct cli_complaint *complaint);

#endif
