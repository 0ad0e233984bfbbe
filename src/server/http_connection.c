/*
 * http_connection.c - the states of an accepted stream: reading a request, deciding, sending, lingering, gone; one small
 * function each. Not responsible for what a request means (judge.c) nor for how an answer looks (reply.c).
 */
#include "server/http_connection.h"

#include "server/files.h"
#include "server/judge.h"
#include "server/log.h"
#include "server/peer.h"
#include "server/reply.h"
#include "server/request.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long, and for how many bytes, a peer may go on sending after the last answer before it is cut. Closing at once would
 * send a reset that can take the answer away from a peer that has not read it yet (RFC 9112 9.6). */
#define LINGER_MS 2000
#define LINGER_ENDING_MS 500 /* while the server ends */
#define LINGER_LEN 1048576

static void on_due(struct dx_timer *timer);
static void resume(struct dx_turn_task *task);
static void on_ready(struct dx_watch *watch, unsigned events);

static struct dx_loop *loop_of(const struct dx_http_connection *http)
{
    return http->shard->loop;
}

const struct dx_connection_options *dx_http_connection_limits(const struct dx_http_connection *http)
{
    return &http->shard->server->settings.options.connection;
}

void dx_http_connection_set_deadline(struct dx_http_connection *http, uint64_t delay_ms)
{
    dx_wheel_set(dx_loop_wheel(loop_of(http)), &http->timer,
                 dx_loop_now_ms(loop_of(http)) + delay_ms);
}

/* ---- the end ---- */

static void drop_early(struct dx_http_connection *http)
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
    drop_early(http);
    dx_request_free(http->request);
    http->request = NULL;
    dx_loop_let_go(loop);
    dx_loop_free_later(loop, &http->free_task);
}

void dx_http_connection_close(struct dx_http_connection *http, bool abort)
{
    if (http->state == DX_HTTP_GONE)
        return;
    dx_watch_stop(loop_of(http), &http->stream.watch);
    dx_stream_close(&http->stream, abort);
    dx_http_connection_leave(http);
    dx_shard_forget_stream(http->shard);
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
    drop_early(http);
    http->state = DX_HTTP_LINGERING;
    http->moved_len = 0;
    if (dx_watch_set(loop_of(http), &http->stream.watch, DX_WATCH_READ) != DX_OK) {
        dx_http_connection_close(http, false);
        return;
    }
    dx_stream_shutdown(&http->stream);
    dx_http_connection_set_deadline(http, http->shard->is_closing ? LINGER_ENDING_MS : LINGER_MS);
}

void dx_http_connection_shut_down(struct dx_http_connection *http)
{
    static const struct dx_refusal ending = {503, "the server is ending"};

    if (http->state == DX_HTTP_DECIDING) {
        bool is_head = dx_request_is_head(http->request);

        dx_request_log(http->request, DX_LOG_WARN, "refused", ending.status, ending.detail);
        http->state = DX_HTTP_SENDING;
        abandon(http);
        dx_reply_refuse(http, &ending, "Retry-After: 1\r\n", is_head, false);
    } else if (http->state == DX_HTTP_SENDING) {
        http->keeps_alive = false;
        http->is_ending = true;
        dx_http_connection_set_deadline(http, dx_http_connection_limits(http)->close_timeout_ms);
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
                          on_ready) == DX_OK;
}

/* ---- the beginning ---- */

static bool takes_place_among_half_open(struct dx_http_connection *http)
{
    http->is_half_open = true;
    return dx_half_open_add(&http->shard->server->half_open, &http->peer);
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

    dx_http_connection_end_half_open(http);
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
    err = dx_watch_start(shard->loop, &http->stream.watch, fd, DX_WATCH_READ, on_ready);
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

/* ---- reading ---- */

/* Parses and answers request after request, as long as each answer is sent at once. Returns how many bytes were used. */
static size_t feed(struct dx_http_connection *http, const uint8_t *data, size_t len)
{
    size_t used = 0;

    http->is_feeding = true;
    while (used < len && http->state == DX_HTTP_READING) {
        size_t taken = dx_request_read(http, data + used, len - used);

        used += taken;
        if (http->state == DX_HTTP_READING && http->request != NULL &&
            dx_request_is_complete(http->request)) {
            http->rest = (struct dx_slice){data + used, len - used};
            dx_judge_request(http->request);
        }
    }
    http->is_feeding = false;
    return http->state == DX_HTTP_GONE ? len : used;
}

static bool grow_early(struct dx_http_connection *http, size_t len)
{
    struct dx_pool *pool = dx_loop_pool(loop_of(http));
    size_t room = http->early_room == 0 ? len : http->early_room;
    uint8_t *grown;

    /* What was used makes room first: a peer that always asks ahead must not make this grow for ever. */
    if (http->early_start > 0) {
        http->early_end -= http->early_start;
        memmove(http->early, http->early + http->early_start, http->early_end);
        http->early_start = 0;
    }
    while (room < http->early_end + len)
        room *= 2;
    if (room <= http->early_room)
        return true;
    if (dx_pool_charge(pool, room - http->early_room) != DX_OK)
        return false;
    grown = realloc(http->early, room);
    if (grown == NULL) {
        dx_pool_uncharge(pool, room - http->early_room);
        return false;
    }
    http->early = grown;
    http->early_room = (uint32_t)room;
    return true;
}

/* Keeps what stands behind a request that has no answer yet; at most one read of it comes here. */
static void keep_early(struct dx_http_connection *http, const uint8_t *data, size_t len)
{
    if (len == 0 || (http->state != DX_HTTP_DECIDING && http->state != DX_HTTP_SENDING))
        return;
    if (!grow_early(http, len)) {
        dx_http_connection_cut(http);
        return;
    }
    memcpy(http->early + http->early_end, data, len);
    http->early_end += (uint32_t)len;
}

static void feed_early(struct dx_http_connection *http)
{
    while (http->state == DX_HTTP_READING && http->early_start < http->early_end) {
        size_t used =
            feed(http, http->early + http->early_start, http->early_end - http->early_start);

        if (http->early != NULL) /* else the answer has ended the connection */
            http->early_start += (uint32_t)used;
    }
    if (http->early != NULL && http->early_start == http->early_end)
        drop_early(http);
}

static void log_tls_failure(const struct dx_http_connection *http)
{
    char peer[DX_PEER_TEXT_ROOM];
    struct dx_log_line line;

    dx_peer_text(&http->peer, peer);
    dx_log_line_init(&line);
    dx_log_line_text(&line, "peer", peer);
    dx_log_line_text(&line, "why", "it does not speak TLS as this server does");
    dx_server_log(http->shard->server, DX_LOG_WARN, "refused", &line);
}

static void peer_is_done(struct dx_http_connection *http, enum dx_err err)
{
    if (err == DX_ERR_TLS && http->state == DX_HTTP_READING)
        log_tls_failure(http);
    else if (http->request != NULL && http->state == DX_HTTP_READING)
        dx_request_log(http->request, DX_LOG_DEBUG, "hung up inside a request", 0, NULL);
    dx_http_connection_cut(http);
}

/* Reads once. False: nothing came, or the connection is at its end. */
static bool read_some(struct dx_http_connection *http, size_t len, size_t *got)
{
    enum dx_err err = dx_stream_read(&http->stream, dx_loop_read_buffer(loop_of(http)), len, got);
    unsigned wants;

    if (err == DX_OK)
        return true;
    if (err != DX_ERR_AGAIN) {
        peer_is_done(http, err);
        return false;
    }
    wants = dx_stream_wants(&http->stream);
    if (dx_watch_set(loop_of(http), &http->stream.watch, wants != 0 ? wants : DX_WATCH_READ) !=
        DX_OK)
        dx_http_connection_cut(http);
    return false;
}

static void on_readable_reading(struct dx_http_connection *http)
{
    const uint8_t *buffer = dx_loop_read_buffer(loop_of(http));
    size_t got, used;

    do {
        if (!read_some(http, DX_READ_SIZE, &got))
            return;
        used = feed(http, buffer, got);
        keep_early(http, buffer + used, got - used);
    } while (http->state == DX_HTTP_READING && dx_stream_has_pending(&http->stream));
}

/* Bytes that come before the answer wait, 64 KiB of them; then the peer has to. */
static void on_readable_deciding(struct dx_http_connection *http, unsigned events)
{
    size_t room = DX_HTTP_EARLY_MAX - (http->early_end - http->early_start);
    size_t got;

    if (room == 0) {
        if (events & DX_WATCH_HANG_UP)
            peer_is_done(http, DX_ERR_RESET);
        else if (dx_watch_set(loop_of(http), &http->stream.watch, 0) != DX_OK)
            dx_http_connection_cut(http);
        return;
    }
    if (read_some(http, room, &got))
        keep_early(http, dx_loop_read_buffer(loop_of(http)), got);
}

static void on_readable_lingering(struct dx_http_connection *http)
{
    size_t got;

    if (!read_some(http, DX_READ_SIZE, &got))
        return;
    http->moved_len += got;
    if (http->moved_len > LINGER_LEN)
        dx_http_connection_close(http, true);
}

static void on_ready(struct dx_watch *watch, unsigned events)
{
    struct dx_http_connection *http =
        (struct dx_http_connection *)(void *)((char *)watch -
                                              offsetof(struct dx_http_connection, stream.watch));

    if (http->early != NULL && http->state == DX_HTTP_READING)
        feed_early(http);
    switch (http->state) {
    case DX_HTTP_READING:
        on_readable_reading(http);
        break;
    case DX_HTTP_DECIDING:
        on_readable_deciding(http, events);
        break;
    case DX_HTTP_SENDING:
        if (events & DX_WATCH_ERROR)
            dx_http_connection_close(http, true);
        else
            dx_http_send_on_writable(http);
        break;
    case DX_HTTP_LINGERING:
        on_readable_lingering(http);
        break;
    case DX_HTTP_GONE:
        break;
    }
}

/* ---- deadlines ---- */

static void on_due_reading(struct dx_http_connection *http)
{
    static const struct dx_refusal late = {408, "the request did not come in time"};

    if (http->request == NULL && http->has_answered)
        dx_http_connection_close(http, false); /* an idle connection: nobody waits for an answer */
    else
        dx_reply_refuse_unread(http, &late, NULL);
    if (http->state == DX_HTTP_SENDING) /* a peer that takes nothing gets no more time */
        dx_http_connection_close(http, true);
}

static void on_due(struct dx_timer *timer)
{
    struct dx_http_connection *http =
        (struct dx_http_connection *)(void *)((char *)timer -
                                              offsetof(struct dx_http_connection, timer));

    if (http->state == DX_HTTP_READING)
        on_due_reading(http);
    else if (http->state == DX_HTTP_SENDING)
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

void dx_http_connection_on_sent(struct dx_http_connection *http)
{
    http->has_answered = true;
    if (!http->keeps_alive || http->shard->is_closing) {
        linger(http);
        return;
    }
    http->state = DX_HTTP_READING;
    dx_http_connection_set_deadline(http,
                                    http->shard->server->settings.options.handshake_timeout_ms);
    if (dx_watch_set(loop_of(http), &http->stream.watch, DX_WATCH_READ) != DX_OK)
        dx_http_connection_close(http, true);
    else if (!http->is_feeding)
        dx_loop_flush_later(loop_of(http), &http->resume_task);
}

static void resume(struct dx_turn_task *task)
{
    struct dx_http_connection *http =
        (struct dx_http_connection *)(void *)((char *)task -
                                              offsetof(struct dx_http_connection, resume_task));

    feed_early(http);
    if (http->state == DX_HTTP_READING && dx_stream_has_pending(&http->stream))
        on_readable_reading(http);
}
