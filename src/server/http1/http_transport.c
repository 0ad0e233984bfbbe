/*
 * http_transport.c - HTTP/1.1 as a transport: how a connection begins, its one timer, how it ends
 * with the server, and its table of operations.
 */
#include "server/http1/http_transport.h"

#include "server/exchange/request.h"
#include "server/http1/http_connection.h"

#include <stdlib.h>
#include <unistd.h>

/* What a refusal has that asks the client to try again. */
/* ---- deadlines ---- */

static void on_due_reading(struct dx_http_connection *http)
{
    static const struct dx_refusal late = {408, "the request did not come in time"};

    if (http->exchange.request == NULL && http->has_answered)
        dx_http_connection_close(http, false); /* idle: the peer does not wait for an answer */
    else
        dx_exchange_refuse_unread(&http->exchange, &late, NULL);
}

static void on_due_unread(struct dx_http_connection *http)
{
    if (http->state == DX_HTTP_READING)
        on_due_reading(http);
    else
        dx_http_body_on_due(http);
    if (http->state == DX_HTTP_SENDING) /* a peer that takes nothing gets no more time */
        dx_http_connection_close(http, true);
}

static void on_due(struct dx_timer *timer)
{
    struct dx_http_connection *http = dx_container_of(timer, struct dx_http_connection, timer);

    if (dx_http_connection_is_reading(http))
        on_due_unread(http);
    else if (http->state == DX_HTTP_SENDING || http->state == DX_HTTP_STREAMING)
        dx_http_send_on_due(http);
    else
        dx_http_connection_close(http, true);
}

/* ---- the server ends ---- */

static const struct dx_refusal ending = {503, "the server is ending"};

/*
 * The application's own headers go with the refusal. It is called last, when the answer has been
 * given; until then the stream is counted, so that the server's end comes afterwards.
 */
static void refuse_undecided(struct dx_http_connection *http)
{
    struct dx_shard *shard = http->transport.shard;
    struct dx_request *request = http->exchange.request;
    struct dx_reply like = {.headers = &dx_reply_retry, .header_count = 1};

    like.added = dx_buf_slice(&request->added);
    like.is_head = dx_request_is_head(request);
    dx_request_log(request, DX_LOG_WARN, "refused", ending.status, ending.detail);
    dx_shard_add_stream(shard);
    http->exchange.request = NULL;
    dx_exchange_refuse(&http->exchange, &ending, &like);
    dx_request_abandon(request);
    dx_shard_forget_stream(shard);
}

/* An answer on its way has close_timeout, or, where there is none, all the time that it takes. */
static void limit_ending(struct dx_http_connection *http)
{
    http->keeps_alive = false;
    http->is_ending = true;
    dx_http_connection_set_deadline(http, http->exchange.limits->close_timeout_ms);
}

static void shut_down(struct dx_transport *transport)
{
    struct dx_http_connection *http =
        dx_container_of(transport, struct dx_http_connection, transport);

    switch (http->state) {
    case DX_HTTP_READING:
        dx_http_connection_close(http, false);
        break;
    case DX_HTTP_BODY:
        dx_request_refuse_with(http->exchange.request, &ending, &dx_reply_retry, false);
        break;
    case DX_HTTP_DECIDING:
        refuse_undecided(http);
        break;
    case DX_HTTP_STREAMING:
    case DX_HTTP_SENDING:
        limit_ending(http);
        break;
    case DX_HTTP_LINGERING:
        dx_http_connection_limit_linger(http);
        break;
    case DX_HTTP_GONE:
        break;
    }
}

static void cut(struct dx_transport *transport)
{
    dx_http_connection_cut(dx_container_of(transport, struct dx_http_connection, transport));
}

static void abort_exchange(struct dx_exchange *exchange, enum dx_err err)
{
    dx_http_connection_fail(dx_http_connection_of(exchange), err);
}

static const struct dx_transport_operations operations = {
    .send = dx_http_send,
    .begin = dx_http_pieces_begin,
    .write = dx_http_pieces_write,
    .end = dx_http_pieces_end,
    .flush = dx_http_pieces_flush,
    .upgrade = dx_http_upgrade,
    .abort = abort_exchange,
    .shut_down = shut_down,
    .cut = cut,
};

/* ---- the beginning ---- */

/*
 * Over TLS a plain answer would be noise, and the handshake for one is what there is no place for.
 */
static void refuse_half_open(struct dx_http_connection *http)
{
    static const struct dx_refusal full = {503, "too many handshakes are begun and not ended"};

    dx_exchange_refuse_unread(&http->exchange, &full, &dx_reply_retry);
    if (http->transport.listener->tls != NULL)
        dx_http_connection_close(http, false);
}

static void resume(struct dx_turn_task *task)
{
    dx_http_read_resume(dx_container_of(task, struct dx_http_connection, resume_task));
}

static struct dx_http_connection *make(struct dx_shard *shard, const struct dx_address *peer,
                                       struct dx_server_listener *listener)
{
    struct dx_http_connection *http = calloc(1, sizeof(*http));

    if (http == NULL)
        return NULL;
    http->transport.operations = &operations;
    http->transport.shard = shard;
    http->transport.listener = listener;
    http->transport.peer = *peer;
    http->exchange.transport = &http->transport;
    http->exchange.limits = &shard->server->settings.connection;
    http->resume_task.run = resume;
    dx_timer_init(&http->timer, on_due);
    dx_output_init(&http->exchange.output, dx_loop_pool(shard->loop));
    return http;
}

static enum dx_err start(struct dx_http_connection *http, int fd)
{
    struct dx_loop *loop = dx_http_connection_loop(http);
    struct dx_stream *stream = &http->transport.stream;
    enum dx_err err = dx_stream_init(stream, loop, fd, http->transport.listener->tls);

    if (err != DX_OK) {
        (void)close(fd);
        return err;
    }
    err = dx_watch_start(loop, &stream->watch, fd, DX_WATCH_READ, dx_http_read_on_ready);
    if (err != DX_OK)
        dx_stream_close(stream, true);
    return err;
}

/* The connection lives from here on, if only to be refused. */
static void begin(struct dx_http_connection *http)
{
    struct dx_shard *shard = http->transport.shard;
    bool has_place;

    dx_transport_insert(&http->transport);
    dx_loop_hold(shard->loop);
    dx_http_connection_set_deadline(http, shard->server->settings.options.handshake_timeout_ms);
    has_place = dx_transport_begin_half_open(&http->transport);
    if (!has_place || http->transport.is_over_limit)
        dx_shard_count_refusal(shard, false);
    if (!has_place)
        refuse_half_open(http);
}

enum dx_err dx_http_transport_new(struct dx_shard *shard, int fd, const struct dx_address *peer,
                                  struct dx_server_listener *listener)
{
    size_t stream_count = atomic_load(&shard->server->stream_count);
    struct dx_http_connection *http = NULL;
    enum dx_err err = DX_ERR_TOO_MANY;

    if (!dx_server_is_full(shard->server, stream_count, DX_SERVER_SPARE_STREAMS)) {
        http = make(shard, peer, listener);
        err = DX_ERR_NOMEM;
    }
    if (http == NULL) {
        (void)close(fd);
        return err;
    }
    err = start(http, fd);
    if (err != DX_OK) {
        free(http);
        return err;
    }
    http->transport.is_over_limit = dx_server_is_full(shard->server, stream_count, 0);
    begin(http);
    return DX_OK;
}
