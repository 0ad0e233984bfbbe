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

/** SHA-256 as text; "" for a length of 0. */
void dx_tls_write_fingerprint(const uint8_t *digest, size_t len,
                              char fingerprint[DX_TLS_FINGERPRINT_ROOM]);

/** The certificate's SHA-256; "" without memory. */
void dx_tls_fingerprint_of(const X509 *certificate, char fingerprint[DX_TLS_FINGERPRINT_ROOM]);

/** Fills all but server_name and alpn, which are the session's, after the handshake. */
void dx_tls_facts_of(SSL *ssl, struct dx_tls_facts *facts);

#endif
