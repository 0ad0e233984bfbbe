/*
 * tls.h - the inside of <duplex/tls.h>: what a session needs of what its listener was given.
 */
#ifndef DX_NET_TLS_H
#define DX_NET_TLS_H

#include "net/tls/tls_set.h"
#include "net/tls/tls_tickets.h"

#include <duplex/tls.h>

/** One more reference; dx_tls_free drops it. Any thread. */
void dx_tls_keep(struct dx_tls *tls);

/** What counts now, with a reference that dx_tls_set_drop gives back. Any thread. */
struct dx_tls_set *dx_tls_take_set(struct dx_tls *tls);

/** Lives as long as `tls`. */
BIO_METHOD *dx_tls_bio_method(struct dx_tls *tls);
struct dx_tls_tickets *dx_tls_tickets_of(struct dx_tls *tls);

/** The protocols as ALPN writes them: a byte of length before each. */
struct dx_tls_alpn {
    uint8_t *wire;
    size_t wire_len;
    char *texts; /* the same ones, each with a NUL behind */
};
const struct dx_tls_alpn *dx_tls_alpn_of(const struct dx_tls *tls);

/** Fills all but server_name and alpn, which are the session's, after the handshake. */
void dx_tls_facts_of(SSL *ssl, struct dx_tls_facts *facts);

#endif
