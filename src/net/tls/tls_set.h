/*
 * tls_set.h - a snapshot of a dx_tls: its rules as an SSL_CTX, its certificates, and their names.
 *
 * Reference-counted and immutable: a reload makes a new one.
 */
#ifndef DX_NET_TLS_SET_H
#define DX_NET_TLS_SET_H

#include "net/tls/tls_certificate.h"
#include "net/tls/tls_names.h"

#define DX_TLS_CERTIFICATES_MAX 1000
#define DX_TLS_DIGEST_LEN 32

struct dx_tls_set {
    atomic_uint references;
    SSL_CTX *context;
    /* Digest of the rules for client certificates: sessions are not resumed under another one. */
    uint8_t policy[DX_TLS_DIGEST_LEN];
    struct dx_tls_certificate **certificates; /* the first is also for unknown names */
    size_t certificate_count;
    struct dx_tls_name *names;
    size_t name_count;
};

/**
 * Makes a set.
 *
 * context        its reference is taken over, on failure too
 * policy         copied
 * certificates   at least one; the set takes references of its own
 *
 * Returns DX_OK or DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_tls_set_new(SSL_CTX *context, const uint8_t policy[DX_TLS_DIGEST_LEN],
                                         struct dx_tls_certificate *const *certificates,
                                         size_t count, struct dx_tls_set **set);

/** Take and drop a reference. Any thread. Dropping NULL is fine. */
void dx_tls_set_keep(struct dx_tls_set *set);
void dx_tls_set_drop(struct dx_tls_set *set);

/**
 * The certificate for a normalized name, or for a client that sent none (NULL); the first one if
 * the name is unknown. Sets `*is_own` when the certificate has the name.
 */
const struct dx_tls_certificate *dx_tls_set_find(const struct dx_tls_set *set, const char *name,
                                                 bool *is_own);

#endif
