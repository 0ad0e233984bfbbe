/*
 * http_read.c - what an accepted stream has to say, in each of its states: requests and their bodies, what comes before an
 * answer is there, what nobody wants any more. Not responsible for what a request means (judge.c).
 */
#include "server/http1/http_connection.h"

#include "server/exchange/judge.h"
#include "server/core/log.h"
#include "server/admission/peer.h"
#include "server/exchange/request.h"
#include "server/exchange/response.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* How many bytes a peer may go on sending after the last answer before it is cut. */
#define LINGER_LEN 1048576

/* So many of the requests that came at once are answered in one go. 64 KiB of the shortest would hold up the loop for as long as all
 * 1,500 take: beside one such peer others waited 46 ms for an answer, and wait 2 now. */
#define REQUESTS_A_GO 16

static struct dx_loop *loop_of(const struct dx_http_connection *http)
{
    return http->shard->loop;
}

/* Whether what comes has to wait for an answer. */
static bool is_answering(const struct dx_http_connection *http)
{
    return http->state == DX_HTTP_DECIDING || http->state == DX_HTTP_STREAMING ||
           http->state == DX_HTTP_SENDING;
}

/*
 * Parses and answers request after request, as long as each answer is sent at once and it is not too many. Returns how many
 * bytes were used.
 */
static size_t feed(struct dx_http_connection *http, const uint8_t *data, size_t len)
{
    unsigned count = 0;
    size_t used = 0;

    http->is_feeding = true;
    http->turn_len = 0;
    while (used < len && dx_http_connection_is_reading(http) && count < REQUESTS_A_GO) {
        size_t taken = http->state == DX_HTTP_READING
                           ? dx_request_read(http, data + used, len - used)
                           : dx_request_read_body(http, data + used, len - used);

        used += taken;
        if (http->state == DX_HTTP_READING && http->request != NULL &&
            dx_request_is_complete(http->request)) {
            http->rest = (struct dx_slice){data + used, len - used};
            count++;
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

/* What was kept is parsed in the next go. */
static void feed_later(struct dx_http_connection *http)
{
    if (dx_http_connection_is_reading(http))
        dx_loop_flush_later(loop_of(http), &http->resume_task);
}

/* Keeps what stands behind a request that has no answer yet, or behind those of one go; at most one read of it comes here. */
static void keep_early(struct dx_http_connection *http, const uint8_t *data, size_t len)
{
    if (len == 0 || !(is_answering(http) || dx_http_connection_is_reading(http)))
        return;
    if (!grow_early(http, len)) {
        dx_http_connection_cut(http);
        return;
    }
    memcpy(http->early + http->early_end, data, len);
    http->early_end += (uint32_t)len;
    feed_later(http);
}

static void feed_early(struct dx_http_connection *http)
{
    size_t used;

    if (http->early == NULL || !dx_http_connection_is_reading(http))
        return;
    used = feed(http, http->early + http->early_start, http->early_end - http->early_start);
    if (http->early == NULL) /* the answer has ended the connection */
        return;
    http->early_start += (uint32_t)used;
    if (http->early_start == http->early_end)
        dx_http_connection_drop_early(http);
    else
        feed_later(http);
}

static void log_tls_failure(const struct dx_http_connection *http)
{
    char why[DX_STREAM_WHY_ROOM];
    char peer[DX_PEER_TEXT_ROOM];
    struct dx_log_line line;

    dx_peer_text(&http->peer, peer);
    dx_log_line_init(&line);
    dx_log_line_text(&line, "peer", peer);
    dx_stream_tls_why(&http->stream, why, sizeof(why));
    dx_log_line_text(&line, "why", why);
    dx_server_log(http->shard->server, DX_LOG_WARN, "refused", &line);
}

static void peer_is_done(struct dx_http_connection *http, enum dx_err err)
{
    if (err == DX_ERR_TLS && http->state == DX_HTTP_READING)
        log_tls_failure(http);
    else if (http->request != NULL && dx_http_connection_is_reading(http))
        dx_request_log(http->request, DX_LOG_DEBUG, "hung up inside a request", 0, NULL);
    if (http->state == DX_HTTP_STREAMING)
        dx_http_connection_fail(http, err);
    else
        dx_http_connection_cut(http);
}

static size_t early_room(const struct dx_http_connection *http)
{
    return DX_HTTP_EARLY_MAX - (http->early_end - http->early_start);
}

unsigned dx_http_connection_wants(const struct dx_http_connection *http)
{
    unsigned wants = is_answering(http) && early_room(http) == 0 ? 0 : DX_WATCH_READ;

    if (http->state == DX_HTTP_BODY
            ? http->output.len > 0
            : http->state == DX_HTTP_STREAMING && dx_response_is_blocked(http->response))
        wants |= DX_WATCH_WRITE;
    return wants;
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
    wants = dx_http_connection_wants(http);
    if (dx_stream_wants(&http->stream) != 0) /* TLS is to be helped first */
        wants = (wants & DX_WATCH_WRITE) | dx_stream_wants(&http->stream);
    if (dx_watch_set(loop_of(http), &http->stream.watch, wants) != DX_OK)
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
    } while (dx_http_connection_is_reading(http) && http->early == NULL &&
             dx_stream_has_pending(&http->stream));
}

static bool may_be_readable(const struct dx_http_connection *http, unsigned events)
{
    return (events & ~DX_WATCH_WRITE) != 0 || http->stream.tls != NULL;
}

/* A 100 that the peer did not take at once. */
static void on_ready_body(struct dx_http_connection *http, unsigned events)
{
    if (http->output.len > 0 && (events & DX_WATCH_WRITE) && dx_http_send_output(http) &&
        dx_watch_set(loop_of(http), &http->stream.watch, DX_WATCH_READ) != DX_OK)
        dx_http_connection_cut(http);
    if (dx_http_connection_is_reading(http) && may_be_readable(http, events))
        on_readable_reading(http);
}

/* Bytes that come before the answer wait, 64 KiB of them; then the peer has to. */
static void on_readable_deciding(struct dx_http_connection *http, unsigned events)
{
    size_t room = early_room(http);
    size_t got;

    if (room == 0) {
        if (events & DX_WATCH_HANG_UP)
            peer_is_done(http, DX_ERR_RESET);
        else if (dx_watch_set(loop_of(http), &http->stream.watch, dx_http_connection_wants(http)) !=
                 DX_OK)
            dx_http_connection_cut(http);
        return;
    }
    if (read_some(http, room, &got))
        keep_early(http, dx_loop_read_buffer(loop_of(http)), got);
}

static void on_ready_streaming(struct dx_http_connection *http, unsigned events)
{
    if (dx_response_is_blocked(http->response))
        dx_response_on_writable(http->response);
    if (http->state == DX_HTTP_STREAMING && may_be_readable(http, events))
        on_readable_deciding(http, events);
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

void dx_http_read_on_ready(struct dx_watch *watch, unsigned events)
{
    struct dx_http_connection *http =
        (struct dx_http_connection *)(void *)((char *)watch -
                                              offsetof(struct dx_http_connection, stream.watch));

    /* First what came before, in its own time. */
    if (http->early != NULL && dx_http_connection_is_reading(http)) {
        feed_later(http);
        return;
    }
    switch (http->state) {
    case DX_HTTP_READING:
        on_readable_reading(http);
        break;
    case DX_HTTP_BODY:
        on_ready_body(http, events);
        break;
    case DX_HTTP_DECIDING:
        on_readable_deciding(http, events);
        break;
    case DX_HTTP_STREAMING:
        on_ready_streaming(http, events);
        break;
    case DX_HTTP_SENDING:
        if (events & DX_WATCH_ERROR)
            dx_http_connection_fail(http, DX_ERR_RESET);
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

void dx_http_read_go_on(struct dx_http_connection *http)
{
    feed_early(http);
    if (dx_http_connection_is_reading(http) && http->early == NULL &&
        dx_stream_has_pending(&http->stream))
        on_readable_reading(http);
}
