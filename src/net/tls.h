/*
 * tls.h - the inside of <duplex/tls.h>: what a session needs of its context.
 */
#ifndef DX_NET_TLS_H
#define DX_NET_TLS_H

#include <duplex/tls.h>

#include <openssl/ssl.h>

/** One more reference; dx_tls_free drops it. Any thread. */
void dx_tls_keep(struct dx_tls *tls);

SSL_CTX *dx_tls_context(struct dx_tls *tls);

/** The BIO method of the library: send with MSG_NOSIGNAL and recv on a descriptor that it does not own. */
BIO_METHOD *dx_tls_bio_method(struct dx_tls *tls);

#endif
