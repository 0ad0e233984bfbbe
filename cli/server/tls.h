/*
 * tls.h - TLS for a server: certificates from files, which SIGHUP reads again, or self-signed.
 */
#ifndef CLI_TLS_H
#define CLI_TLS_H

#include "cli/server/service.h"

/**
 * Makes what the listeners use, or leaves it NULL without TLS. Returns 0, or prints what failed and
 * returns the exit status. The caller frees it.
 */
int cli_tls_make(const struct cli_service *service, struct dx_tls **tls);

/** Logs a warning if other users can read the private key. */
void cli_tls_warn(const struct cli_service *service);

/** Prints the fingerprint of a self-signed certificate; nothing for others. */
void cli_tls_announce(const struct cli_service *service);

/** Reads the files again and logs the result. On failure the old certificates stay in use. */
void cli_tls_reload(const struct cli_service *service);

#endif
