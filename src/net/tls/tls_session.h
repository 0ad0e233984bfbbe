/*
 * tls_session.h - TLS on one descriptor, for stream.c; and what OpenSSL calls back in its handshake.
 */
#ifndef DX_NET_TLS_SESSION_H
#define DX_NET_TLS_SESSION_H

#include "base/slice.h"

#include <duplex/tls.h>

#include <openssl/ssl.h>

struct dx_tls_client;
struct dx_tls_session;
struct dx_tls_tickets;

/** A server's session on `fd`, which stays the caller's; holds a reference to `tls`. Returns DX_OK, DX_ERR_NOMEM. */
DX_MUST_CHECK enum dx_err dx_tls_session_new(struct dx_tls *tls, int fd,
                                             struct dx_tls_session **session);
/**
 * A client's, that asks for `host` and verifies it; holds a reference to `client`. With `outer` (or NULL) it stands inside that session, which is its own
 * then. Returns DX_OK, DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_tls_session_new_client(struct dx_tls_client *client, int fd,
                                                    const char *host, struct dx_tls_session *outer,
                                                    struct dx_tls_session **session);

void dx_tls_session_free(struct dx_tls_session *session);

/** Whether the handshake is through. */
bool dx_tls_session_is_established(const struct dx_tls_session *session);

/** As dx_stream_read, dx_stream_has_pending, dx_stream_write, dx_stream_wants. */
DX_MUST_CHECK enum dx_err dx_tls_session_read(struct dx_tls_session *session, void *bytes,
                                              size_t len, size_t *got);
bool dx_tls_session_has_pending(const struct dx_tls_session *session);
DX_MUST_CHECK enum dx_err dx_tls_session_write(struct dx_tls_session *session,
                                               const struct dx_slice *slices, size_t count,
                                               size_t *put);
unsigned dx_tls_session_wants(const struct dx_tls_session *session);

/** What was agreed; false, and `facts` untouched, while the handshake is not through. */
bool dx_tls_session_facts(const struct dx_tls_session *session, struct dx_tls_facts *facts);

/** As dx_stream_tls_why. */
void dx_tls_session_why(const struct dx_tls_session *session, char *why, size_t why_len);

/** Sends close_notify, if the kernel takes it. */
void dx_tls_session_shutdown(struct dx_tls_session *session);

/* ---- for OpenSSL ---- */

/** The first of all callbacks: finds the certificate for the name that is asked for, and binds sessions to that name. */
int dx_tls_session_on_hello(SSL *ssl, int *alert, void *unused);
/** Says whether that name was found. */
int dx_tls_session_on_name(SSL *ssl, int *alert, void *unused);
int dx_tls_session_on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
                           const unsigned char *offered, unsigned offered_len, void *unused);
struct dx_tls_tickets *dx_tls_session_tickets(SSL *ssl);

#endif
