/*
 * http_connection.h - an accepted stream from its first byte until it becomes a WebSocket or is closed: one request after
 * another, each read, judged, answered (RFC 9112).
 */
#ifndef DX_SERVER_HTTP_CONNECTION_H
#define DX_SERVER_HTTP_CONNECTION_H

#include "base/output.h"
#include "net/socket/address.h"
#include "net/socket/stream.h"
#include "server/core/shard.h"

#define DX_HTTP_EARLY_MAX                                                                          \
 65536 /* bytes kept that came behind a request before its answer was there */

/* Less than this within a deadline is no progress (see <duplex/connection.h>). */
#define DX_HTTP_PROGRESS_LEN 16384

struct dx_request;
struct dx_response;
struct dx_file_body;

enum dx_http_state {
    DX_HTTP_READING = 0, /* waits for a request's head; dx_http_connection.deadline runs */
    DX_HTTP_BODY,        /* waits for a request's body; its deadline runs */
    DX_HTTP_DECIDING,    /* on_request has kept the request for later */
    DX_HTTP_STREAMING,   /* the answer is given in pieces and has not ended */
    DX_HTTP_SENDING,     /* the answer waits for the peer; the write deadline runs */
    DX_HTTP_LINGERING, /* everything is sent and our side ended: what still comes is thrown away, for a while */
    DX_HTTP_GONE, /* closed, or a WebSocket now; memory goes at the turn's end */
};

/* An answer that waits is `output`, then what is left of `file`. In BODY a 100 may wait in `output`. */
struct dx_http_connection {
    struct dx_http_connection *next;
    struct dx_http_connection **previous_next;
    struct dx_shard *shard;
    struct dx_server_listener *listener;
    struct dx_stream stream;
    struct dx_address peer;
    struct dx_timer timer;
    struct dx_turn_task resume_task; /* goes on after an answer that came later */
    struct dx_turn_task free_task;
    const struct dx_connection_options *limits; /* of the route, while a request has one */
    struct dx_request *request;                 /* being read, or being decided */
    struct dx_slice
        rest;       /* while is_feeding: what stands behind the request in the caller's buffer */
    uint8_t *early; /* else: those bytes, from early_start to early_end */
    uint32_t early_start;
    uint32_t early_end;
    uint32_t early_room;
    enum dx_http_state state;
    bool is_half_open;  /* counted as such */
    bool is_over_limit; /* accepted above max_connections: its request gets 503 */
    bool is_feeding;    /* requests are being parsed further down the stack */
    bool is_ending;     /* the server ends: the answer being sent has close_timeout, and no more */
    bool keeps_alive;   /* after the answer being sent */
    bool has_answered;  /* a request before: silence now is no failure */
    uint64_t
        moved_len; /* sent since the deadline was set; BODY: read since then; LINGERING: thrown away */
    uint64_t turn_len; /* of files, sent while these requests are fed */
    struct dx_output output;
    struct dx_file_body *file;
    struct dx_response
        *response; /* not NULL: the answer is one in pieces, not yet sent to its end */
};

/** Takes a descriptor over; closes it on failure. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_SYSTEM, DX_ERR_TLS, DX_ERR_TOO_MANY. */
DX_MUST_CHECK enum dx_err dx_http_connection_new(struct dx_shard *shard, int fd,
                                                 const struct dx_address *peer,
                                                 struct dx_server_listener *listener);

/** The server ends: closed at once when idle, 503 to what is undecided, and the last answer otherwise. */
void dx_http_connection_shut_down(struct dx_http_connection *http);

/** Closes at once. A request that was kept for later is abandoned. */
void dx_http_connection_cut(struct dx_http_connection *http);

/** Closes at once, with or without a reset: always with one when an answer in pieces is not whole. No callback from inside. */
void dx_http_connection_close(struct dx_http_connection *http, bool abort);

/** Closes at once with a reset; `err` is what an answer in pieces is told. */
void dx_http_connection_fail(struct dx_http_connection *http, enum dx_err err);

/** The stream has become a WebSocket's: forgets it without closing it. The shard still counts it. */
void dx_http_connection_leave(struct dx_http_connection *http);

/** Watches the stream again, if it is not watched. False: the system refused. */
bool dx_http_connection_watch_again(struct dx_http_connection *http);

/** The request is complete: the handshake's deadline and its place among the half-open ones end. */
void dx_http_connection_end_half_open(struct dx_http_connection *http);

/** Keeps the request, whose on_request has returned without an answer. */
void dx_http_connection_wait(struct dx_http_connection *http);

/**
 * Sends an answer: slices in one go, what the peer does not take now is copied. Then `file`, which it takes over, if not
 * NULL. The request must have been released. Afterwards the state is SENDING, READING, LINGERING or GONE.
 */
void dx_http_connection_send(struct dx_http_connection *http, const struct dx_slice *slices,
                             size_t count, struct dx_file_body *file, bool keeps_alive);

/* ---- http_read.c, for its neighbours ---- */

/** The stream's watch: reads and answers, or sends, as the state says. */
void dx_http_read_on_ready(struct dx_watch *watch, unsigned events);

/** Goes on with what waits already, after an answer. */
void dx_http_read_go_on(struct dx_http_connection *http);

/* ---- http_send.c, for its neighbours ---- */

/** Writes what the peer takes now; `*put` may be 0. False: the connection is cut. */
bool dx_http_send_put(struct dx_http_connection *http, const struct dx_slice *slices, size_t count,
                      size_t *put);

/** Queues a copy of what is left of the slices behind `put`. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY: some of it may be queued. */
DX_MUST_CHECK enum dx_err dx_http_send_keep(struct dx_http_connection *http,
                                            const struct dx_slice *slices, size_t count,
                                            size_t put);

/** Sends what waits. False: the peer takes no more now and is waited for, or the connection is cut. */
bool dx_http_send_output(struct dx_http_connection *http);

/** Waits for the peer. That it has ended its side says nothing here: it may have asked its last question. */
void dx_http_send_wait(struct dx_http_connection *http);

/** Begins the span in which the peer has to take DX_HTTP_PROGRESS_LEN bytes. */
void dx_http_send_set_deadline(struct dx_http_connection *http);

/* ---- among http_connection.c, http_read.c and http_send.c ---- */

static inline bool dx_http_connection_is_reading(const struct dx_http_connection *http)
{
    return http->state == DX_HTTP_READING || http->state == DX_HTTP_BODY;
}

/** Frees what waits to be parsed. */
void dx_http_connection_drop_early(struct dx_http_connection *http);

/** Judges the write deadline. */
void dx_http_send_on_due(struct dx_http_connection *http);

/** Goes on sending, when the peer takes bytes again. */
void dx_http_send_on_writable(struct dx_http_connection *http);

/** Everything is sent: the next request, or the end. */
void dx_http_connection_on_sent(struct dx_http_connection *http);

/** Which of DX_WATCH_READ/WRITE the connection waits for while it does not only send. */
unsigned dx_http_connection_wants(const struct dx_http_connection *http);

/** Sets the one timer. */
void dx_http_connection_set_deadline(struct dx_http_connection *http, uint64_t delay_ms);

/** The route's options for its connections, the server's while there is no request that has one. */
const struct dx_connection_options *
dx_http_connection_limits(const struct dx_http_connection *http);

#endif
