/*
 * http_connection.c - an accepted stream's life: its beginning, its end, its deadlines, and the way from one request to the
 * next. Not responsible for what comes in (http_read.c), what a request means (judge.c), nor how an answer looks (reply.c).
 */
#include "server/http1/http_connection.h"

#include "server/http1/file_body.h"
#include "server/core/log.h"
#include "server/admission/peer.h"
#include "server/exchange/reply.h"
#include "server/exchange/request.h"
#include "server/exchange/response.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long a peer may go on sending after the last answer before it is cut. Closing at once would send a reset that can
 * take the answer away from a peer that has not read it yet (RFC 9112 9.6). */
#define LINGER_MS 2000
#define LINGER_ENDING_MS 500 /* while the server ends */

static void on_due(struct dx_timer *timer);
static void resume(struct dx_turn_task *task);

static struct dx_loop *loop_of(const struct dx_http_connection *http)
{
    return http->shard->loop;
}

const struct dx_connection_options *dx_http_connection_limits(const struct dx_http_connection *http)
{
    return http->limits;
}

void dx_http_connection_set_deadline(struct dx_http_connection *http, uint64_t delay_ms)
{
    dx_wheel_set(dx_loop_wheel(loop_of(http)), &http->timer,
                 dx_loop_now_ms(loop_of(http)) + delay_ms);
}

/* ---- the end ---- */

void dx_http_connection_drop_early(struct dx_http_connection *http)
{
    dx_pool_uncharge(dx_loop_pool(loop_of(http)), http->early_room);
    free(http->early);
    http->early = NULL;
    http->early_start = http->early_end = http->early_room = 0;
}

static void on_free(struct dx_turn_task *task)
{
    free((char *)task - offsetof(struct dx_http_connection, free_task));
}

void dx_http_connection_leave(struct dx_http_connection *http)
{
    struct dx_loop *loop = loop_of(http);

    http->state = DX_HTTP_GONE;
    dx_http_connection_end_half_open(http);
    dx_wheel_unset(dx_loop_wheel(loop), &http->timer);
    dx_loop_flush_cancel(loop, &http->resume_task);
    *http->previous_next = http->next;
    if (http->next != NULL)
        http->next->previous_next = http->previous_next;
    dx_output_clear(&http->output);
    dx_file_body_free(http->file);
    http->file = NULL;
    dx_http_connection_drop_early(http);
    dx_request_free(http->request);
    http->request = NULL;
    dx_loop_let_go(loop);
    dx_loop_free_later(loop, &http->free_task);
}

void dx_http_connection_close(struct dx_http_connection *http, bool abort)
{
    struct dx_response *response = http->response;

    if (http->state == DX_HTTP_GONE)
        return;
    dx_watch_stop(loop_of(http), &http->stream.watch);
    dx_stream_close(&http->stream, abort || response != NULL);
    http->response = NULL;
    if (response != NULL)
        dx_response_lose(response); /* the shard counts the stream until its on_close */
    else
        dx_shard_forget_stream(http->shard);
    dx_http_connection_leave(http);
}

void dx_http_connection_fail(struct dx_http_connection *http, enum dx_err err)
{
    if (http->response != NULL)
        dx_response_note(http->response, err);
    dx_http_connection_close(http, true);
}

/* The request goes out of the connection's hands first, so that whatever its owner does about it changes nothing here. */
static void abandon(struct dx_http_connection *http)
{
    struct dx_request *request = http->request;

    http->request = NULL;
    if (request != NULL)
        dx_request_abandon(request);
}

void dx_http_connection_cut(struct dx_http_connection *http)
{
    bool is_deciding = http->state == DX_HTTP_DECIDING;

    if (http->state == DX_HTTP_GONE)
        return;
    http->state = DX_HTTP_LINGERING;
    if (is_deciding)
        abandon(http);
    dx_http_connection_close(http, false);
}

static void linger(struct dx_http_connection *http)
{
    dx_http_connection_drop_early(http);
    http->state = DX_HTTP_LINGERING;
    http->moved_len = 0;
    if (dx_watch_set(loop_of(http), &http->stream.watch, DX_WATCH_READ) != DX_OK) {
        dx_http_connection_close(http, false);
        return;
    }
    dx_stream_shutdown(&http->stream);
    dx_http_connection_set_deadline(http, http->shard->is_closing ? LINGER_ENDING_MS : LINGER_MS);
}

static const struct dx_refusal ending = {503, "the server is ending"};

/* What the application has added goes along, but the request is told first, and gone then. */
static void refuse_undecided(struct dx_http_connection *http)
{
    struct dx_request *request = http->request;
    struct dx_buf added = request->added;
    const struct dx_reply like = {.headers = "Retry-After: 1\r\n",
                                  .added = dx_buf_slice(&added),
                                  .is_head = dx_request_is_head(request)};

    dx_request_log(request, DX_LOG_WARN, "refused", ending.status, ending.detail);
    http->state = DX_HTTP_SENDING;
    dx_buf_init(&request->added, 0);
    abandon(http);
    if (http->state != DX_HTTP_GONE) /* else its owner has freed the server */
        dx_reply_refuse_like(http, &ending, &like);
    dx_buf_release(&added);
}

/* An answer on its way has close_timeout, or, where there is none, all the time that it takes. */
static void limit_ending(struct dx_http_connection *http)
{
    uint32_t timeout_ms = dx_http_connection_limits(http)->close_timeout_ms;

    http->keeps_alive = false;
    http->is_ending = true;
    if (timeout_ms == 0)
        dx_wheel_unset(dx_loop_wheel(loop_of(http)), &http->timer);
    else
        dx_http_connection_set_deadline(http, timeout_ms);
}

void dx_http_connection_shut_down(struct dx_http_connection *http)
{
    if (http->state == DX_HTTP_DECIDING) {
        refuse_undecided(http);
    } else if (http->state == DX_HTTP_BODY) {
        dx_request_refuse_with(http->request, &ending, "Retry-After: 1\r\n", false);
    } else if (http->state == DX_HTTP_SENDING || http->state == DX_HTTP_STREAMING) {
        limit_ending(http);
    } else if (http->state == DX_HTTP_LINGERING) {
        dx_http_connection_set_deadline(http, LINGER_ENDING_MS);
    } else if (http->state == DX_HTTP_READING) {
        dx_http_connection_close(http, false);
    }
}

bool dx_http_connection_watch_again(struct dx_http_connection *http)
{
    return dx_watch_is_started(&http->stream.watch) ||
           dx_watch_start(loop_of(http), &http->stream.watch, http->stream.watch.fd, DX_WATCH_READ,
                          dx_http_read_on_ready) == DX_OK;
}

/* ---- the beginning ---- */

static bool takes_place_among_half_open(struct dx_http_connection *http)
{
    http->is_half_open = dx_half_open_add(&http->shard->server->half_open, &http->peer);
    return http->is_half_open;
}

void dx_http_connection_end_half_open(struct dx_http_connection *http)
{
    if (http->is_half_open)
        dx_half_open_remove(&http->shard->server->half_open, &http->peer);
    http->is_half_open = false;
}

/* Over TLS a plain answer would be none, and a handshake for it is what there is no place for. */
static void refuse_half_open(struct dx_http_connection *http)
{
    static const struct dx_refusal full = {503, "too many handshakes are begun and not ended"};

    dx_reply_refuse_unread(http, &full, "Retry-After: 1\r\n");
    if (http->listener->tls != NULL)
        dx_http_connection_close(http, false);
}

static void insert(struct dx_http_connection *http)
{
    struct dx_shard *shard = http->shard;

    http->next = shard->http_connections;
    http->previous_next = &shard->http_connections;
    if (http->next != NULL)
        http->next->previous_next = &http->next;
    shard->http_connections = http;
}

static struct dx_http_connection *make(struct dx_shard *shard, struct dx_server_listener *listener)
{
    struct dx_http_connection *http = calloc(1, sizeof(*http));

    if (http == NULL)
        return NULL;
    http->shard = shard;
    http->listener = listener;
    http->limits = &shard->server->settings.connection;
    http->resume_task.run = resume;
    http->free_task.run = on_free;
    dx_timer_init(&http->timer, on_due);
    dx_output_init(&http->output, dx_loop_pool(shard->loop));
    return http;
}

static enum dx_err start(struct dx_http_connection *http, int fd)
{
    struct dx_shard *shard = http->shard;
    enum dx_err err = dx_stream_init(&http->stream, shard->loop, fd, http->listener->tls);

    if (err != DX_OK) {
        (void)close(fd);
        return err;
    }
    err =
        dx_watch_start(shard->loop, &http->stream.watch, fd, DX_WATCH_READ, dx_http_read_on_ready);
    if (err != DX_OK)
        dx_stream_close(&http->stream, true);
    return err;
}

enum dx_err dx_http_connection_new(struct dx_shard *shard, int fd, const struct dx_address *peer,
                                   struct dx_server_listener *listener)
{
    struct dx_server *server = shard->server;
    size_t stream_count = atomic_load(&server->stream_count);
    struct dx_http_connection *http = NULL;
    enum dx_err err = DX_ERR_TOO_MANY;
    bool has_place;

    if (!dx_server_is_full(server, stream_count, DX_SERVER_SPARE_STREAMS)) {
        http = make(shard, listener);
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
    http->peer = *peer;
    http->is_over_limit = dx_server_is_full(server, stream_count, 0);
    insert(http);
    dx_loop_hold(shard->loop);
    dx_http_connection_set_deadline(http, server->settings.options.handshake_timeout_ms);
    has_place = takes_place_among_half_open(http);
    if (!has_place || http->is_over_limit)
        dx_shard_count_refusal(shard, false);
    if (!has_place)
        refuse_half_open(http);
    return DX_OK;
}

/* ---- deadlines ---- */

static void on_due_reading(struct dx_http_connection *http)
{
    static const struct dx_refusal late = {408, "the request did not come in time"};

    if (http->request == NULL && http->has_answered)
        dx_http_connection_close(http, false); /* an idle connection: nobody waits for an answer */
    else
        dx_reply_refuse_unread(http, &late, NULL);
}

static void on_due_unread(struct dx_http_connection *http)
{
    if (http->state == DX_HTTP_READING)
        on_due_reading(http);
    else
        dx_request_on_body_due(http->request);
    if (http->state == DX_HTTP_SENDING) /* a peer that takes nothing gets no more time */
        dx_http_connection_close(http, true);
}

static void on_due(struct dx_timer *timer)
{
    struct dx_http_connection *http =
        (struct dx_http_connection *)(void *)((char *)timer -
                                              offsetof(struct dx_http_connection, timer));

    if (dx_http_connection_is_reading(http))
        on_due_unread(http);
    else if (http->state == DX_HTTP_SENDING || http->state == DX_HTTP_STREAMING)
        dx_http_send_on_due(http);
    else
        dx_http_connection_close(http, true);
}

/* ---- between one request and the next ---- */

void dx_http_connection_wait(struct dx_http_connection *http)
{
    http->state = DX_HTTP_DECIDING;
    dx_wheel_unset(dx_loop_wheel(loop_of(http)), &http->timer);
}

static void read_next(struct dx_http_connection *http)
{
    http->state = DX_HTTP_READING;
    http->limits = &http->shard->server->settings.connection;
    dx_http_connection_set_deadline(http,
                                    http->shard->server->settings.options.handshake_timeout_ms);
    if (dx_watch_set(loop_of(http), &http->stream.watch, DX_WATCH_READ) != DX_OK)
        dx_http_connection_close(http, true);
    else if (!http->is_feeding)
        dx_loop_flush_later(loop_of(http), &http->resume_task);
}

void dx_http_connection_on_sent(struct dx_http_connection *http)
{
    struct dx_response *response = http->response;

    http->response = NULL;
    http->has_answered = true;
    if (!http->keeps_alive || http->shard->is_closing)
        linger(http);
    else
        read_next(http);
    if (response != NULL)
        dx_response_finish(response);
}

static void resume(struct dx_turn_task *task)
{
    struct dx_http_connection *http =
        (struct dx_http_connection *)(void *)((char *)task -
                                              offsetof(struct dx_http_connection, resume_task));

    dx_http_read_go_on(http);
}
