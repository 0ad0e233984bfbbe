/*
 * stream.h - a connected, non-blocking byte stream: TCP or unix socket, with or without TLS.
 *
 * Owns its descriptor. It returns what happened and never calls back. The stream's owner decides
 * when to wait: it starts, sets and stops the watch.
 */
#ifndef DX_NET_STREAM_H
#define DX_NET_STREAM_H

#include "base/slice.h"
#include "net/loop/watch.h"

#define DX_STREAM_SLICES 64 /* most slices in one write */

struct dx_tls; /* <duplex/tls.h> */
struct dx_tls_facts;
struct dx_tls_client;
struct dx_tls_session; /* net/tls/tls_session.h */

struct dx_stream {
    struct dx_watch watch;      /* watch.fd is the descriptor for the stream's whole life */
    struct dx_tls_session *tls; /* NULL: no TLS */
};

/**
 * Takes over a connected descriptor (non-blocking, close-on-exec).
 *
 * tls   NULL, or the server side's TLS; its handshake happens inside read and write
 *
 * On failure the descriptor is still the caller's. Returns DX_OK, DX_ERR_NOMEM or DX_ERR_TLS.
 */
DX_MUST_CHECK enum dx_err dx_stream_init(struct dx_stream *stream, struct dx_loop *loop, int fd,
                                         struct dx_tls *tls);

/**
 * Starts client TLS to `host` on a stream; the handshake happens inside read and write. On a stream
 * that has TLS already the new session runs inside it, as for a wss server behind an https proxy.
 *
 * Returns DX_OK or DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_stream_start_tls(struct dx_stream *stream,
                                              struct dx_tls_client *client, const char *host);

/** True when the TLS handshake is complete, or without TLS. */
bool dx_stream_is_established(const struct dx_stream *stream);

/**
 * Reads at most `len` bytes.
 *
 * Returns DX_OK with `*got` > 0, or:
 *   DX_ERR_AGAIN    nothing to read now; see dx_stream_wants
 *   DX_ERR_CLOSED   end of the stream; with TLS: after close_notify
 *   DX_ERR_RESET    the connection broke; with TLS also: it ended without close_notify
 *   DX_ERR_TLS      TLS failed; see dx_stream_tls_why
 *   DX_ERR_NOMEM, DX_ERR_SYSTEM
 */
DX_MUST_CHECK enum dx_err dx_stream_read(struct dx_stream *stream, void *bytes, size_t len,
                                         size_t *got);

/**
 * True when TLS holds received bytes: the descriptor will not become readable for them, so read
 * again before waiting.
 */
bool dx_stream_has_pending(const struct dx_stream *stream);

/**
 * Writes as many bytes of the slices as the kernel accepts, in one system call. Never raises
 * SIGPIPE.
 *
 * count   1 to DX_STREAM_SLICES
 * put     bytes written on DX_OK; fewer than all means that the stream is blocked
 *
 * With TLS, bytes that were not accepted must be offered again from the first of them; their
 * address may change.
 *
 * Returns DX_OK, or:
 *   DX_ERR_AGAIN   nothing could be written now; see dx_stream_wants
 *   DX_ERR_RESET   the connection broke
 *   DX_ERR_TLS     TLS failed; see dx_stream_tls_why
 *   DX_ERR_NOMEM, DX_ERR_SYSTEM
 */
DX_MUST_CHECK enum dx_err dx_stream_write(struct dx_stream *stream, const struct dx_slice *slices,
                                          size_t count, size_t *put);

/**
 * Sends a part of a file from the page cache, in one system call. Never raises SIGPIPE.
 *
 * at, len   offset and length in bytes
 * put       bytes sent on DX_OK, at least 1; may be fewer than `len`
 *
 * Returns DX_OK, or:
 *   DX_ERR_CLOSED   the file ends at or before `at`
 *   DX_ERR_STATE    not possible over this stream (TLS) or from this file: read and write instead
 *   DX_ERR_AGAIN    nothing could be sent now
 *   DX_ERR_RESET    the connection broke
 *   DX_ERR_SYSTEM   the file cannot be read
 *   DX_ERR_NOMEM
 */
DX_MUST_CHECK enum dx_err dx_stream_send_file(struct dx_stream *stream, int fd, uint64_t at,
                                              size_t len, size_t *put);

/**
 * The readiness (DX_WATCH_READ or DX_WATCH_WRITE) to wait for after DX_ERR_AGAIN, when it differs
 * from the call's own direction (TLS may have to read in order to write, and the reverse); else 0.
 */
unsigned dx_stream_wants(const struct dx_stream *stream);

/**
 * Fills in what TLS negotiated. Returns false, and leaves `facts` alone, without TLS or before the
 * handshake is complete.
 */
bool dx_stream_tls_facts(const struct dx_stream *stream, struct dx_tls_facts *facts);

#define DX_STREAM_WHY_ROOM 160

/** Writes one line for people: why TLS failed (DX_ERR_TLS); "" without TLS. Safe to log. */
void dx_stream_tls_why(const struct dx_stream *stream, char *why, size_t why_len);

/** Ends the sending direction (close_notify, FIN) and leaves the stream open. */
void dx_stream_shutdown(struct dx_stream *stream);

/**
 * Closes the descriptor and frees TLS. The watch must be stopped before.
 *
 * abort   false: the kernel sends what it holds, then FIN; true: RST at once
 */
void dx_stream_close(struct dx_stream *stream, bool abort);

#endif
