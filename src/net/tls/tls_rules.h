/*
 * tls_rules.h - a server's settings as an SSL_CTX: versions, ciphers, curves, client certificates.
 */
#ifndef DX_NET_TLS_RULES_H
#define DX_NET_TLS_RULES_H

#include "net/tls/tls_error.h"
#include "net/tls/tls_set.h"
#include "net/tls/tls_tickets.h"

struct dx_tls_rules {
    const char *client_ca_path; /* read unless DX_TLS_CLIENT_NONE */
    enum dx_tls_client_certificates client_certificates;
    uint32_t ticket_lifetime_s;
    struct dx_tls_tickets *tickets;
};

/**
 * Sets versions, ciphers, curves and signature algorithms, the same for servers and clients. False
 * when out of memory.
 */
DX_MUST_CHECK bool dx_tls_rules_set_algorithms(SSL_CTX *context);

/**
 * Trusts every certificate in a PEM file directly, an intermediate CA too; for servers and clients.
 *
 * digest   set to a digest of the file, or NULL
 *
 * Returns the errors of dx_tls_file_read and fills `why`; DX_ERR_BAD_CERTIFICATE also for a file
 * without certificates, or with a malformed one.
 */
DX_MUST_CHECK enum dx_err dx_tls_rules_trust_file(SSL_CTX *context, const char *path,
                                                  uint8_t digest[DX_TLS_DIGEST_LEN],
                                                  const struct dx_tls_why *why);

/**
 * Makes an SSL_CTX by the rules; the caller owns it.
 *
 * policy   set to a digest of the rules for client certificates
 *
 * Returns the errors of dx_tls_new and fills `why`.
 */
DX_MUST_CHECK enum dx_err dx_tls_rules_apply(const struct dx_tls_rules *rules, SSL_CTX **context,
                                             uint8_t policy[DX_TLS_DIGEST_LEN],
                                             const struct dx_tls_why *why);

#endif
