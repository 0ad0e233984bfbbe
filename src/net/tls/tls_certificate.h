/*
 * tls_certificate.h - a certificate with its chain, its key and its host names.
 *
 * Reference-counted and immutable. Not responsible for finding the certificate for a name
 * (tls_set.h).
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
    char **names; /* lower case; the "*" of "*.example.org" stands for one label */
    size_t name_count;
};

/** Loads two PEM files. Returns the errors of dx_tls_new and fills `why`. */
DX_MUST_CHECK enum dx_err dx_tls_certificate_load(const char *certificate_path,
                                                  const char *key_path,
                                                  struct dx_tls_certificate **certificate,
                                                  const struct dx_tls_why *why);

/** Takes over a leaf and its key, on failure too. Returns DX_OK or DX_ERR_NOMEM. */
DX_MUST_CHECK enum dx_err dx_tls_certificate_new(X509 *leaf, EVP_PKEY *key,
                                                 struct dx_tls_certificate **certificate);

/** Take and drop a reference. Any thread. Dropping NULL is fine. */
void dx_tls_certificate_keep(struct dx_tls_certificate *certificate);
void dx_tls_certificate_drop(struct dx_tls_certificate *certificate);

/**
 * Sets the certificate for one handshake. False: out of memory, or OpenSSL rejects it as too weak
 * (its error queue says which).
 */
bool dx_tls_certificate_use(const struct dx_tls_certificate *certificate, SSL *ssl);

/** Writes the SHA-256 fingerprint as text; "" when out of memory. */
void dx_tls_fingerprint_of(const X509 *certificate, char fingerprint[DX_TLS_FINGERPRINT_ROOM]);

#endif
