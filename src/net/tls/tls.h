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

/** Borrowed; both live as long as `tls`. */
BIO_METHOD *dx_tls_bio_method(struct dx_tls *tls);
struct dx_tls_tickets *dx_tls_tickets_of(struct dx_tls *tls);

/** Protocol names in the wire format of ALPN (RFC 7301 section 3.1): a length byte before each. */
struct dx_tls_alpn {
    uint8_t *wire;
    size_t wire_len;
    char *texts; /* the same names, each followed by a NUL */
};

/** The protocols that the server offers. Lives as long as `tls`. */
const struct dx_tls_alpn *dx_tls_alpn_of(const struct dx_tls *tls);

/** Fills in all facts but server_name and alpn, which the session knows. After the handshake. */
void dx_tls_facts_of(SSL *ssl, struct dx_tls_facts *facts);

#endif
