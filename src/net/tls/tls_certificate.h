/*
 * tls_certificate.h - a certificate with its chain, its key and the names that it is for. Counted, never changed.
 */
#ifndef DX_NET_TLS_CERTIFICATE_H
#define DX_NET_TLS_CERTIFICATE_H

#include "net/tls/tls_error.h"

#include <duplex/tls.h>

#include <openssl/ssl.h>
#include <stdatomic.h>

struct dx_tls_certificate {
    atomic_uint references;
    X509 *leaf;
    EVP_PKEY *key;
    STACK_OF(X509) * chain;
    char **names; /* lower case; "*.example.org" counts for one label */
    size_t name_count;
};

/** Loads PEM files. Errors as dx_tls_new, with `why`. */
DX_MUST_CHECK enum dx_err dx_tls_certificate_load(const char *certificate_path,
                                                  const char *key_path,
                                                  struct dx_tls_certificate **certificate,
                                                  const struct dx_tls_why *why);

/** Takes over a leaf and its key, also on failure. Returns DX_OK, DX_ERR_NOMEM. */
DX_MUST_CHECK enum dx_err dx_tls_certificate_new(X509 *leaf, EVP_PKEY *key,
                                                 struct dx_tls_certificate **certificate);

void dx_tls_certificate_keep(struct dx_tls_certificate *certificate);
void dx_tls_certificate_drop(struct dx_tls_certificate *certificate);

/** Makes it what the server shows in this handshake. False: no memory, or OpenSSL finds it too weak (its queue says which). */
bool dx_tls_certificate_use(const struct dx_tls_certificate *certificate, SSL *ssl);

/** The SHA-256 as text; "" without memory. */
void dx_tls_fingerprint_of(const X509 *certificate, char fingerprint[DX_TLS_FINGERPRINT_ROOM]);

#endif
