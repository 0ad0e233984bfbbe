/*
 * tls_session.h - TLS on one descriptor, for stream.c only.
 */
#ifndef DX_NET_TLS_SESSION_H
#define DX_NET_TLS_SESSION_H

#include "base/slice.h"

#include <duplex/tls.h>

struct dx_loop;
struct dx_tls_session;

/** A server's session on `fd`, which stays the caller's; holds a reference to `tls`. Returns DX_OK, DX_ERR_NOMEM. */
DX_MUST_CHECK enum dx_err dx_tls_session_new(struct dx_loop *loop, struct dx_tls *tls, int fd,
                                             struct dx_tls_session **session);
void dx_tls_session_free(struct dx_tls_session *session);

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

/** Sends close_notify, if the kernel takes it. */
void dx_tls_session_shutdown(struct dx_tls_session *session);

#endif
