/*
 * tls_client_session.h - what a session needs of a dx_tls_client.
 */
#ifndef DX_NET_TLS_CLIENT_SESSION_H
#define DX_NET_TLS_CLIENT_SESSION_H

#include <duplex/tls_client.h>

#include <openssl/ssl.h>

void dx_tls_client_keep(struct dx_tls_client *client);

/** Lives as long as `client`. */
BIO_METHOD *dx_tls_client_bio_method(struct dx_tls_client *client);

/**
 * A new SSL that asks for `host` (a name, or an address without brackets), verifies it, and goes on with an earlier session if there is one. `*name` is
 * what sessions are kept under: options.server_name or `host`, the caller's to free. NULL: no memory, and no name.
 */
SSL *dx_tls_client_ssl(struct dx_tls_client *client, const char *host, char **name);

#endif
