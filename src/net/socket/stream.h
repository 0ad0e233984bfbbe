/*
 * stream.h - a connected, non-blocking byte stream: TCP or unix socket, with or without TLS on it. Owns its descriptor.
 *
 * It says what happened and never calls back; who waits for what is the owner's, who also starts, sets and stops the watch.
 */
#ifndef DX_NET_STREAM_H
#define DX_NET_STREAM_H

#include "base/slice.h"
#include "net/loop/watch.h"

#define DX_STREAM_SLICES 64 /* one write takes at most so many slices */

struct dx_tls; /* <duplex/tls.h> */
struct dx_tls_facts;
struct dx_tls_client;
struct dx_tls_session; /* net/tls_session.c */

struct dx_stream {
    struct dx_watch
        watch; /* the owner starts, sets and stops it; watch.fd is the descriptor all along */
    struct dx_tls_session *tls; /* NULL: plain */
};

/**
 * Takes over a connected descriptor (non-blocking, close-on-exec). With `tls`, a server's handshake happens inside read
 * and write. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TLS: the descriptor is still the caller's then.
 */
DX_MUST_CHECK enum dx_err dx_stream_init(struct dx_stream *stream, struct dx_loop *loop, int fd,
                                         struct dx_tls *tls);

/**
 * Puts a client's TLS to `host` on a stream; the handshake happens inside read and write. On a stream with TLS it stands inside that: on the way to a
 * server behind a proxy that speaks TLS itself. Returns DX_OK, DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_stream_start_tls(struct dx_stream *stream,
                                              struct dx_tls_client *client, const char *host);

/** Whether TLS's handshake is through; true without TLS. */
bool dx_stream_is_established(const struct dx_stream *stream);

/**
 * Reads at most `len` bytes. Returns DX_OK with `*got` > 0; DX_ERR_AGAIN; DX_ERR_CLOSED at the end of the stream (for TLS:
 * after close_notify); DX_ERR_RESET (also TLS truncation); DX_ERR_TLS; DX_ERR_NOMEM; DX_ERR_SYSTEM.
 */
DX_MUST_CHECK enum dx_err dx_stream_read(struct dx_stream *stream, void *bytes, size_t len,
                                         size_t *got);

/** True when bytes can be had without the descriptor becoming readable (TLS holds them): read again before waiting. */
bool dx_stream_has_pending(const struct dx_stream *stream);

/**
 * Writes what the kernel takes of at most `count` slices (1 to DX_STREAM_SLICES), in one system call. Returns DX_OK with `*put`
 * (may be less than all; less than all means blocked); DX_ERR_AGAIN; DX_ERR_RESET, DX_ERR_TLS, DX_ERR_NOMEM, DX_ERR_SYSTEM. Never
 * raises SIGPIPE. What TLS has refused must be offered again from its first byte, at the same or another address.
 */
DX_MUST_CHECK enum dx_err dx_stream_write(struct dx_stream *stream, const struct dx_slice *slices,
                                          size_t count, size_t *put);

/**
 * Sends what the kernel takes of `len` bytes of a file from `at` on, out of its cache, in one system call. Returns DX_OK with
 * `*put` > 0 (may be less than all); DX_ERR_CLOSED: the file ends before `at`; DX_ERR_STATE: not over this stream (TLS) or not
 * from this file, so it has to be read and written; DX_ERR_AGAIN, DX_ERR_RESET, DX_ERR_NOMEM; DX_ERR_SYSTEM: it cannot be
 * read. Never raises SIGPIPE.
 */
DX_MUST_CHECK enum dx_err dx_stream_send_file(struct dx_stream *stream, int fd, uint64_t at,
                                              size_t len, size_t *put);

/** Which of DX_WATCH_READ/WRITE the stream needs for the last DX_ERR_AGAIN (TLS may need the other direction); 0 when it is the natural one. */
unsigned dx_stream_wants(const struct dx_stream *stream);

/** What was agreed by TLS; false, and `facts` untouched, without TLS or before the end of its handshake. */
bool dx_stream_tls_facts(const struct dx_stream *stream, struct dx_tls_facts *facts);

#define DX_STREAM_WHY_ROOM 160

/** For people: why TLS has failed (DX_ERR_TLS), in one line; "" without TLS. Safe in a log. */
void dx_stream_tls_why(const struct dx_stream *stream, char *why, size_t why_len);

/** Ends the sending side (close_notify, FIN) without closing. */
void dx_stream_shutdown(struct dx_stream *stream);

/** Closes: FIN after what the kernel holds, or at once with RST when `abort` is true. The watch must be stopped. */
void dx_stream_close(struct dx_stream *stream, bool abort);

#endif
