/*
 * http_connection.h - an accepted stream from its first byte until it becomes a WebSocket or is
 * closed: one request after another, each read, answered, and followed by the next (RFC 9112).
 *
 * One object in several files, each of which uses only those above it in this list:
 *   http_connection.c   deadlines, the way from one request to the next, the end
 *   http_write.c        bytes on their way out
 *   http_file.c         a file on its way out
 *   http_send.c         answers: heads, bodies, the rest of them
 *   http_pieces.c       answers in pieces
 *   http_request.c      heads of requests; http_body.c: their bodies
 *   http_read.c         what comes in, in each state
 *   http_upgrade.c      the opening handshake's answer
 *   http_transport.c    the beginning, the ending with the server, the table of operations
 */
#ifndef DX_SERVER_HTTP_CONNECTION_H
#define DX_SERVER_HTTP_CONNECTION_H

#include "base/container.h"
#include "http/chunked.h"
#include "server/exchange/exchange.h"

/* Bytes that are kept of what comes after a request while that has no answer yet. */
#define DX_HTTP_EARLY_MAX 65536

/* Less than this within a deadline is no progress (see <duplex/connection.h>). */
#define DX_HTTP_PROGRESS_LEN 16384

enum dx_http_state {
    DX_HTTP_READING = 0, /* waits for the head of a request; the deadline runs */
    DX_HTTP_BODY,        /* waits for the body of a request; its deadline runs */
    DX_HTTP_DECIDING,    /* on_request has kept the request for later */
    DX_HTTP_STREAMING,   /* an answer in pieces has begun and not ended */
    DX_HTTP_SENDING,     /* the answer waits for the peer; the write deadline runs */
    DX_HTTP_LINGERING, /* all is sent and our side has ended; what comes is dropped, for a while */
    DX_HTTP_GONE,      /* closed, or a WebSocket now; the memory goes at the turn's end */
};

/*
 * What waits to be sent is exchange.output, then what is left of `file`. In the state BODY a 100
 * may wait in exchange.output.
 */
struct dx_http_connection {
    struct dx_transport transport;
    struct dx_exchange exchange;
    struct dx_timer timer;
    struct dx_turn_task resume_task; /* parses what waits already */
    struct dx_turn_task free_task;
    struct dx_slice rest; /* while is_feeding: what follows the request in the caller's buffer */
    uint8_t *early;       /* else: those bytes, from early_start to early_end */
    uint32_t early_start;
    uint32_t early_end;
    uint32_t early_room; /* charged to the pool */
    enum dx_http_state state;
    bool is_feeding;    /* requests are being parsed further down the stack */
    bool is_ending;     /* the server ends: the answer being sent has close_timeout, and no more */
    bool keeps_alive;   /* after the answer being sent */
    bool has_answered;  /* a request before: silence now is no failure */
    bool is_chunked;    /* the answer in pieces is sent in chunks */
    uint64_t moved_len; /* since the deadline was set: sent; in BODY read, in LINGERING dropped */
    uint64_t turn_len;  /* of files, sent while these requests are fed */
    struct dx_chunked chunked; /* how far a body in chunks is read */
    struct dx_file_body *file;
};

static inline struct dx_http_connection *dx_http_connection_of(struct dx_exchange *exchange)
{
    return dx_container_of(exchange, struct dx_http_connection, exchange);
}

static inline struct dx_loop *dx_http_connection_loop(const struct dx_http_connection *http)
{
    return http->transport.shard->loop;
}

/** Whether it waits for bytes of a request. */
static inline bool dx_http_connection_is_reading(const struct dx_http_connection *http)
{
    return http->state == DX_HTTP_READING || http->state == DX_HTTP_BODY;
}

/* ---- http_connection.c ---- */

/** Sets the one timer, or, with 0, stops it. */
void dx_http_connection_set_deadline(struct dx_http_connection *http, uint64_t delay_ms);

/** How many bytes may come before the answer is there. */
size_t dx_http_connection_early_room(const struct dx_http_connection *http);

/** Frees what waits to be parsed. */
void dx_http_connection_drop_early(struct dx_http_connection *http);

/** Which of DX_WATCH_READ and DX_WATCH_WRITE it waits for, unless it only sends. */
unsigned dx_http_connection_wants(const struct dx_http_connection *http);

/** Keeps a request whose on_request has returned without an answer. */
void dx_http_connection_wait(struct dx_http_connection *http);

/** Everything is sent: the next request, or the end. May call on_close of an answer in pieces. */
void dx_http_connection_on_sent(struct dx_http_connection *http);

/** Sets the time for which what comes is dropped: less while the server ends. */
void dx_http_connection_limit_linger(struct dx_http_connection *http);

/**
 * The stream has become a WebSocket's: forgets it without closing it. The shard still counts it.
 */
void dx_http_connection_leave(struct dx_http_connection *http);

/**
 * Closes at once. With a reset, if `abort` says so or an answer in pieces is not whole. Calls no
 * handler from inside.
 */
void dx_http_connection_close(struct dx_http_connection *http, bool abort);

/** Closes at once with a reset; `err` is what on_close of an answer in pieces gets. */
void dx_http_connection_fail(struct dx_http_connection *http, enum dx_err err);

/** Closes at once. A request that was kept for later is abandoned. */
void dx_http_connection_cut(struct dx_http_connection *http);

/* ---- http_write.c ---- */

/** Writes what the peer takes now; `*put` may be 0. False: the connection is closed. */
DX_MUST_CHECK bool dx_http_write(struct dx_http_connection *http, const struct dx_slice *slices,
                                 size_t count, size_t *put);

/**
 * Queues a copy of the slices without their first `put` bytes.
 *
 * Returns DX_OK, or DX_ERR_NOMEM, DX_ERR_TOO_MANY: part of it may be queued.
 */
DX_MUST_CHECK enum dx_err dx_http_write_later(struct dx_http_connection *http,
                                              const struct dx_slice *slices, size_t count,
                                              size_t put);

/**
 * Writes what the peer takes now, after what waits, and queues the rest. False: the connection is
 * closed.
 */
DX_MUST_CHECK bool dx_http_write_or_keep(struct dx_http_connection *http,
                                         const struct dx_slice *slices, size_t count);

/**
 * Writes what waits. False: the peer takes no more now and is waited for, or the connection is
 * closed.
 */
DX_MUST_CHECK bool dx_http_write_output(struct dx_http_connection *http);

/**
 * Waits for the peer. That it has ended its side means nothing here: it may have asked its last
 * question.
 */
void dx_http_write_wait(struct dx_http_connection *http);

/** Begins the time in which the peer has to take DX_HTTP_PROGRESS_LEN bytes. */
void dx_http_write_set_deadline(struct dx_http_connection *http);

/* ---- http_file.c ---- */

/**
 * Begins to send an answer whose body is http->file: the slices of its head and the file's first
 * bytes leave together. The rest follows in this turn or in later ones, at most 64 KiB in each.
 * False: the connection is closed.
 */
DX_MUST_CHECK bool dx_http_file_begin(struct dx_http_connection *http,
                                      const struct dx_slice *slices, size_t count);

/**
 * Continues, when the peer takes bytes again and nothing waits before the file. True: all is sent,
 * and http->file is NULL. False: there is more and the peer is waited for, or the connection is
 * closed, because of the peer or because the file has become shorter.
 */
DX_MUST_CHECK bool dx_http_file_continue(struct dx_http_connection *http);

/* ---- http_send.c ---- */

/** The operation `send`. Afterwards the state is SENDING, READING, LINGERING or GONE. */
enum dx_err dx_http_send(struct dx_exchange *exchange, const struct dx_reply *reply);

/**
 * Queues the head of an answer in pieces, whose body `is_chunked`. Returns as the operation
 * `begin`.
 */
DX_MUST_CHECK enum dx_err dx_http_send_head_later(struct dx_http_connection *http,
                                                  const struct dx_reply *reply, bool is_chunked);

/** Continues to send an answer that has been given whole, when the peer takes bytes again. */
void dx_http_send_on_writable(struct dx_http_connection *http);

/** Checks progress at the write deadline. */
void dx_http_send_on_due(struct dx_http_connection *http);

/* ---- http_pieces.c: the operations of answers in pieces ---- */

enum dx_err dx_http_pieces_begin(struct dx_exchange *exchange, const struct dx_reply *reply);
enum dx_err dx_http_pieces_write(struct dx_exchange *exchange, struct dx_slice data);
enum dx_err dx_http_pieces_end(struct dx_exchange *exchange);
void dx_http_pieces_flush(struct dx_exchange *exchange);

/** Continues to send, when the peer takes bytes again. May call on_drain. */
void dx_http_pieces_on_writable(struct dx_http_connection *http);

/* ---- http_request.c and http_body.c ---- */

/**
 * Reads the head of a request, which it makes at the first byte. Returns how many bytes it used. A
 * request that is refused here has been answered, and the connection reads no more.
 */
size_t dx_http_request_read(struct dx_http_connection *http, const uint8_t *data, size_t len);

/** Begins to read the request's body. `early_len` bytes of it have come already. */
void dx_http_body_begin(struct dx_http_connection *http, size_t early_len);

/** Reads the body, as dx_http_request_read. When it is whole the state is READING again. */
size_t dx_http_body_read(struct dx_http_connection *http, const uint8_t *data, size_t len);

/** Checks progress at the body's deadline: without it, 408. */
void dx_http_body_on_due(struct dx_http_connection *http);

/* ---- http_read.c ---- */

/** The stream's watch: reads and answers, or sends, as the state says. */
void dx_http_read_on_ready(struct dx_watch *watch, unsigned events);

/** Parses what waits already, after an answer. */
void dx_http_read_resume(struct dx_http_connection *http);

/* ---- http_upgrade.c ---- */

/** The operation `upgrade`. */
enum dx_err dx_http_upgrade(struct dx_exchange *exchange, struct dx_connection_start *start,
                            const char *subprotocol, struct dx_connection **connection);

#endif
