/*
 * http_read.c - what comes in, in each state of a connection: requests and their bodies, bytes that
 * come before an answer is there, bytes that are dropped. Not responsible for what a request means
 * (exchange/).
 */
#include "server/http1/http_connection.h"

#include "server/core/log.h"
#include "server/exchange/request.h"

#include <stdlib.h>
#include <string.h>

/* How many bytes a peer may send after the last answer before it is cut. */
#define LINGER_LEN 1048576

/*
 * How many requests that came at once are answered at once. 64 KiB hold 1,500 of the shortest: with
 * all of them answered in one go, other peers waited 46 ms for an answer; now they wait 2.
 */
#define REQUESTS_A_GO 16

/* Judges a request that is complete; hands it over, or begins to read its body. */
static void take_up(struct dx_http_connection *http)
{
    struct dx_request *request = http->exchange.request;

    if (request->body_is_whole) {
        dx_request_hand_over(request);
    } else if (dx_request_dispatch(request)) {
        dx_http_body_begin(http, http->rest.len);
        return;
    }
    /* A request that was answered is freed: only its place in the exchange is looked at. */
    if (http->state == DX_HTTP_READING && http->exchange.request == request)
        dx_http_connection_wait(http);
}

/*
 * Parses and answers request after request, as long as each answer is sent at once and it is not
 * too many. Returns how many bytes were used.
 */
static size_t feed(struct dx_http_connection *http, const uint8_t *data, size_t len)
{
    unsigned count = 0;
    size_t used = 0;

    http->is_feeding = true;
    http->turn_len = 0;
    while (used < len && dx_http_connection_is_reading(http) && count < REQUESTS_A_GO) {
        size_t taken = http->state == DX_HTTP_READING
                           ? dx_http_request_read(http, data + used, len - used)
                           : dx_http_body_read(http, data + used, len - used);

        used += taken;
        if (http->state == DX_HTTP_READING && http->exchange.request != NULL &&
            http->exchange.request->is_complete) {
            http->rest = (struct dx_slice){data + used, len - used};
            count++;
            take_up(http);
        }
    }
    http->is_feeding = false;
    return http->state == DX_HTTP_GONE ? len : used;
}

static bool grow_early(struct dx_http_connection *http, size_t len)
{
    struct dx_pool *pool = dx_loop_pool(dx_http_connection_loop(http));
    size_t room = http->early_room == 0 ? len : http->early_room;
    uint8_t *grown;

    /*
     * What was used makes room first: a peer that always sends ahead must not make this grow
     * without end.
     */
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

/* What was kept is parsed at the turn's end. */
static void feed_later(struct dx_http_connection *http)
{
    if (dx_http_connection_is_reading(http))
        dx_loop_flush_later(dx_http_connection_loop(http), &http->resume_task);
}

/*
 * Keeps what follows a request that has no answer yet, or those of one go; at most one read of it
 * comes here.
 */
static void keep_early(struct dx_http_connection *http, const uint8_t *data, size_t len)
{
    if (len == 0 || http->state == DX_HTTP_LINGERING || http->state == DX_HTTP_GONE)
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
    struct dx_log_line line;

    dx_stream_tls_why(&http->transport.stream, why, sizeof(why));
    dx_log_line_init(&line);
    dx_log_line_peer(&line, &http->transport.peer);
    dx_log_line_text(&line, "why", why);
    dx_server_log(http->transport.shard->server, DX_LOG_WARN, "refused", &line);
}

static void peer_is_done(struct dx_http_connection *http, enum dx_err err)
{
    if (err == DX_ERR_TLS && http->state == DX_HTTP_READING)
        log_tls_failure(http);
    else if (http->exchange.request != NULL && dx_http_connection_is_reading(http))
        dx_request_log(http->exchange.request, DX_LOG_DEBUG, "hung up inside a request", 0, NULL);
    if (http->state == DX_HTTP_STREAMING)
        dx_http_connection_fail(http, err);
    else
        dx_http_connection_cut(http);
}

/* Reads once. False: nothing came, or the connection is at its end. */
static bool read_some(struct dx_http_connection *http, size_t len, size_t *got)
{
    enum dx_err err = dx_stream_read(&http->transport.stream,
                                     dx_loop_read_buffer(dx_http_connection_loop(http)), len, got);
    unsigned wants;

    if (err == DX_OK)
        return true;
    if (err != DX_ERR_AGAIN) {
        peer_is_done(http, err);
        return false;
    }
    wants = dx_http_connection_wants(http);
    if (dx_stream_wants(&http->transport.stream) != 0) /* TLS is to be helped first */
        wants = (wants & DX_WATCH_WRITE) | dx_stream_wants(&http->transport.stream);
    if (dx_watch_set(dx_http_connection_loop(http), &http->transport.stream.watch, wants) != DX_OK)
        dx_http_connection_cut(http);
    return false;
}

static void on_readable_reading(struct dx_http_connection *http)
{
    const uint8_t *buffer = dx_loop_read_buffer(dx_http_connection_loop(http));
    size_t got, used;

    do {
        if (!read_some(http, DX_READ_SIZE, &got))
            return;
        used = feed(http, buffer, got);
        keep_early(http, buffer + used, got - used);
    } while (dx_http_connection_is_reading(http) && http->early == NULL &&
             dx_stream_has_pending(&http->transport.stream));
}

static bool may_be_readable(const struct dx_http_connection *http, unsigned events)
{
    return (events & ~DX_WATCH_WRITE) != 0 || http->transport.stream.tls != NULL;
}

/* A 100 that the peer did not take at once. */
static void on_ready_body(struct dx_http_connection *http, unsigned events)
{
    if (http->exchange.output.len > 0 && (events & DX_WATCH_WRITE) && dx_http_write_output(http) &&
        dx_watch_set(dx_http_connection_loop(http), &http->transport.stream.watch, DX_WATCH_READ) !=
            DX_OK)
        dx_http_connection_cut(http);
    if (dx_http_connection_is_reading(http) && may_be_readable(http, events))
        on_readable_reading(http);
}

/* Bytes that come before the answer wait, 64 KiB of them; then the peer has to. */
static void on_readable_deciding(struct dx_http_connection *http, unsigned events)
{
    size_t room = dx_http_connection_early_room(http);
    size_t got;

    if (room == 0) {
        if (events & DX_WATCH_HANG_UP)
            peer_is_done(http, DX_ERR_RESET);
        else if (dx_watch_set(dx_http_connection_loop(http), &http->transport.stream.watch,
                              dx_http_connection_wants(http)) != DX_OK)
            dx_http_connection_cut(http);
        return;
    }
    if (read_some(http, room, &got))
        keep_early(http, dx_loop_read_buffer(dx_http_connection_loop(http)), got);
}

static void on_ready_streaming(struct dx_http_connection *http, unsigned events)
{
    if (http->exchange.is_blocked)
        dx_http_pieces_on_writable(http);
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
        dx_container_of(watch, struct dx_http_connection, transport.stream.watch);

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

void dx_http_read_resume(struct dx_http_connection *http)
{
    feed_early(http);
    if (dx_http_connection_is_reading(http) && http->early == NULL &&
        dx_stream_has_pending(&http->transport.stream))
        on_readable_reading(http);
}
