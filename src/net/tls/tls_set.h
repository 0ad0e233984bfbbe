/*
 * tls_set.h - what a dx_tls is at one moment: the rules as an SSL_CTX, the certificates, and which is for which name. Counted,
 * never changed: a reload makes another one.
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
    uint8_t policy
        [DX_TLS_DIGEST_LEN]; /* of the clients' certificates: sessions of another one do not go on */
    struct dx_tls_certificate **certificates; /* the first is for all whose name none has */
    size_t certificate_count;
    struct dx_tls_name *names;
    size_t name_count;
};

/**
 * Takes over the reference to `context`, keeps the certificates (at least one) with references of its own. `policy` may be of
 * another set. Returns DX_OK, DX_ERR_NOMEM; the context is gone then, too.
 */
DX_MUST_CHECK enum dx_err dx_tls_set_new(SSL_CTX *context, const uint8_t policy[DX_TLS_DIGEST_LEN],
                                         struct dx_tls_certificate *const *certificates,
                                         size_t count, struct dx_tls_set **set);

void dx_tls_set_keep(struct dx_tls_set *set);
void dx_tls_set_drop(struct dx_tls_set *set);

/** The certificate for a normalized name, or for none (NULL). `*is_own`: it carries the name. */
const struct dx_tls_certificate *dx_tls_set_find(const struct dx_tls_set *set, const char *name,
                                                 bool *is_own);

#endif
