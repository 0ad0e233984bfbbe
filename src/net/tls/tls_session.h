/*
 * tls_session.h - TLS on one descriptor, for stream.c, and OpenSSL's callbacks in the handshake.
 */
#ifndef DX_NET_TLS_SESSION_H
#define DX_NET_TLS_SESSION_H

#include "base/slice.h"

#include <duplex/tls.h>

#include <openssl/ssl.h>

struct dx_tls_client;
struct dx_tls_session;

/**
 * Makes a server session on `fd`, which stays the caller's. It holds a reference to `tls`.
 *
 * Returns DX_OK or DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_tls_session_new(struct dx_tls *tls, int fd,
                                             struct dx_tls_session **session);

/**
 * Makes a client session that requests and verifies `host`. It holds a reference to `client`.
 *
 * fd      stays the caller's
 * outer   NULL, or a session to run inside; on DX_OK the new session owns it
 *
 * Returns DX_OK or DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_tls_session_new_client(struct dx_tls_client *client, int fd,
                                                    const char *host, struct dx_tls_session *outer,
                                                    struct dx_tls_session **session);

/** Frees a session and its outer one; sends nothing. NULL is fine. */
void dx_tls_session_free(struct dx_tls_session *session);

/** True when the handshake is complete. */
bool dx_tls_session_is_established(const struct dx_tls_session *session);

/** As dx_stream_read, dx_stream_has_pending, dx_stream_write, dx_stream_wants. */
DX_MUST_CHECK enum dx_err dx_tls_session_read(struct dx_tls_session *session, void *bytes,
                                              size_t len, size_t *got);
bool dx_tls_session_has_pending(const struct dx_tls_session *session);
DX_MUST_CHECK enum dx_err dx_tls_session_write(struct dx_tls_session *session,
                                               const struct dx_slice *slices, size_t count,
                                               size_t *put);
unsigned dx_tls_session_wants(const struct dx_tls_session *session);

/** Fills in what was negotiated. False, `facts` unchanged, before the handshake is complete. */
bool dx_tls_session_facts(const struct dx_tls_session *session, struct dx_tls_facts *facts);

/** As dx_stream_tls_why. */
void dx_tls_session_why(const struct dx_tls_session *session, char *why, size_t why_len);

/** Sends close_notify if the kernel has room for it. */
void dx_tls_session_shutdown(struct dx_tls_session *session);

/* ---- for OpenSSL ---- */

/** The first callback: finds the certificate for the requested name and binds sessions to it. */
int dx_tls_session_on_hello(SSL *ssl, int *alert, void *unused);
/** Acknowledges the name if a certificate has it. */
int dx_tls_session_on_name(SSL *ssl, int *alert, void *unused);
/** Chooses the protocol. */
int dx_tls_session_on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
                           const unsigned char *offered, unsigned offered_len, void *unused);

#endif
