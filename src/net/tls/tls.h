/*
 * tls.h - the internal side of <duplex/tls.h>: what a session reads from its listener's dx_tls.
 */
#ifndef DX_NET_TLS_H
#define DX_NET_TLS_H

#include "net/tls/tls_set.h"
#include "net/tls/tls_tickets.h"

#include <duplex/tls.h>

/** Takes a reference; dx_tls_free drops it. Any thread. */
void dx_tls_keep(struct dx_tls *tls);

/** The current set, with a reference that the caller drops by dx_tls_set_drop. Any thread. */
struct dx_tls_set *dx_tls_take_set(struct dx_tls *tls);

/** Protocol names in the wire format of ALPN (RFC 7301 section 3.1): a length byte before each. */
struct dx_tls_alpn {
    uint8_t *wire;
    size_t wire_len;
    char *texts; /* the same names, each followed by a NUL */
};

/* What sessions read: the first member of struct dx_tls. It lives as long as that. */
struct dx_tls_shared {
    BIO_METHOD *bio_method;
    struct dx_tls_tickets tickets;
    struct dx_tls_alpn alpn; /* the protocols that the server offers */
};

static inline struct dx_tls_shared *dx_tls_shared_of(struct dx_tls *tls)
{
    return (struct dx_tls_shared *)(void *)tls;
}

static inline struct dx_tls_tickets *dx_tls_tickets_of(struct dx_tls *tls)
{
    return &dx_tls_shared_of(tls)->tickets;
}

/** Fills in all facts but server_name and alpn, which the session knows. After the handshake. */
void dx_tls_facts_of(SSL *ssl, struct dx_tls_facts *facts);

#endif
