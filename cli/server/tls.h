/*
 * tls.h - TLS as the options ask for it: from files, which SIGHUP reads again, or made on the spot.
 */
#ifndef CLI_TLS_H
#define CLI_TLS_H

#include "cli/server/service.h"

/**
 * Makes what the listeners use, or leaves it NULL where no option asks for TLS. Returns 0, or says
 * what failed and returns the exit status. The caller frees it.
 */
int cli_tls_make(const struct cli_service *service, struct dx_tls **tls);

/** Logs a warning if other users can read the private key. */
void cli_tls_warn(const struct cli_service *service);

/** On one line, what a self-signed certificate is known by; nothing for others. */
void cli_tls_announce(const struct cli_service *service);

/** Reads the files again, and logs how that went: on failure the old certificates stay. */
void cli_tls_reload(const struct cli_service *service);

#endif
