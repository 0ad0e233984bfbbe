/*
 * tls_client_session.h - what a session uses of a dx_tls_client.
 */
#ifndef DX_NET_TLS_CLIENT_SESSION_H
#define DX_NET_TLS_CLIENT_SESSION_H

#include <duplex/tls_client.h>

#include <openssl/ssl.h>

/** Takes a reference; dx_tls_client_free drops it. Any thread. */
void dx_tls_client_keep(struct dx_tls_client *client);

/** Borrowed; lives as long as `client`. */
BIO_METHOD *dx_tls_client_bio_method(struct dx_tls_client *client);

/**
 * Makes an SSL that requests and verifies `host` and resumes an earlier session if one is kept.
 *
 * host   a name, or an address without brackets
 * name   set to the key for kept sessions: options.server_name or `host`; the caller frees it
 *
 * Returns NULL, and no name, when out of memory.
 */
SSL *dx_tls_client_ssl(struct dx_tls_client *client, const char *host, char **name);

#endif
