/*
 * http_connection.c - an accepted stream's life: its deadlines, the way from one request to the
 * next, its end. Not responsible for what comes in (http_read.c) and goes out (http_send.c), nor
 * for what requests mean (exchange/).
 */
#include "server/http1/http_connection.h"

#include "server/exchange/request.h"
#include "server/exchange/response.h"

#include <stdlib.h>

/*
 * How long a peer may continue to send after the last answer before it is cut. Closing at once
 * would send a reset, which can take the answer away from a peer that has not read it yet (RFC 9112
 * section 9.6).
 */
#define LINGER_MS 2000
#define LINGER_ENDING_MS 500 /* while the server ends */

/* ---- waiting ---- */

void dx_http_connection_set_deadline(struct dx_http_connection *http, uint64_t delay_ms)
{
    struct dx_loop *loop = dx_http_connection_loop(http);

    if (delay_ms == 0)
        dx_wheel_unset(dx_loop_wheel(loop), &http->timer);
    else
        dx_wheel_set(dx_loop_wheel(loop), &http->timer, dx_loop_now_ms(loop) + delay_ms);
}

size_t dx_http_connection_early_room(const struct dx_http_connection *http)
{
    return DX_HTTP_EARLY_MAX - (http->early_end - http->early_start);
}

void dx_http_connection_drop_early(struct dx_http_connection *http)
{
    dx_pool_uncharge(dx_loop_pool(dx_http_connection_loop(http)), http->early_room);
    free(http->early);
    http->early = NULL;
    http->early_start = http->early_end = http->early_room = 0;
}

unsigned dx_http_connection_wants(const struct dx_http_connection *http)
{
    bool is_full = !dx_http_connection_is_reading(http) && dx_http_connection_early_room(http) == 0;
    bool must_write = http->state == DX_HTTP_BODY
                          ? http->exchange.output.len > 0
                          : http->state == DX_HTTP_STREAMING && http->exchange.is_blocked;

    return (is_full ? 0 : DX_WATCH_READ) | (must_write ? DX_WATCH_WRITE : 0);
}

/* ---- the end ---- */

static void on_free(struct dx_turn_task *task)
{
    free(dx_container_of(task, struct dx_http_connection, free_task));
}

void dx_http_connection_leave(struct dx_http_connection *http)
{
    struct dx_loop *loop = dx_http_connection_loop(http);

    http->state = DX_HTTP_GONE;
    http->free_task.run = on_free;
    dx_transport_end_half_open(&http->transport);
    dx_transport_remove(&http->transport);
    dx_wheel_unset(dx_loop_wheel(loop), &http->timer);
    dx_loop_flush_cancel(loop, &http->resume_task);
    dx_output_clear(&http->exchange.output);
    dx_file_body_free(http->file);
    http->file = NULL;
    dx_http_connection_drop_early(http);
    dx_request_free(http->exchange.request);
    http->exchange.request = NULL;
    dx_loop_let_go(loop);
    dx_loop_free_later(loop, &http->free_task);
}

void dx_http_connection_close(struct dx_http_connection *http, bool abort)
{
    struct dx_response *response = http->exchange.response;

    if (http->state == DX_HTTP_GONE)
        return;
    dx_watch_stop(dx_http_connection_loop(http), &http->transport.stream.watch);
    dx_stream_close(&http->transport.stream, abort || response != NULL);
    http->exchange.response = NULL;
    if (response != NULL)
        dx_response_lose(response); /* the shard counts the stream until its on_close */
    else
        dx_shard_forget_stream(http->transport.shard);
    dx_http_connection_leave(http);
}

void dx_http_connection_fail(struct dx_http_connection *http, enum dx_err err)
{
    if (http->exchange.response != NULL)
        dx_response_note(http->exchange.response, err);
    dx_http_connection_close(http, true);
}

/*
 * The application is called last, when nothing here is left that it could change: only the stream
 * is still open, for what the request says of it, and still counted, so that the server's end comes
 * afterwards.
 */
static void abandon(struct dx_http_connection *http)
{
    struct dx_shard *shard = http->transport.shard;
    struct dx_request *request = http->exchange.request;

    http->exchange.request = NULL;
    dx_watch_stop(shard->loop, &http->transport.stream.watch);
    dx_http_connection_leave(http);
    dx_request_abandon(request);
    dx_stream_close(&http->transport.stream, false);
    dx_shard_forget_stream(shard);
}

void dx_http_connection_cut(struct dx_http_connection *http)
{
    if (http->state == DX_HTTP_DECIDING && http->exchange.request != NULL)
        abandon(http);
    else
        dx_http_connection_close(http, false);
}

void dx_http_connection_limit_linger(struct dx_http_connection *http)
{
    bool is_ending = dx_shard_is_closing(http->transport.shard);

    dx_http_connection_set_deadline(http, is_ending ? LINGER_ENDING_MS : LINGER_MS);
}

static void linger(struct dx_http_connection *http)
{
    dx_http_connection_drop_early(http);
    http->state = DX_HTTP_LINGERING;
    http->moved_len = 0;
    if (dx_watch_set(dx_http_connection_loop(http), &http->transport.stream.watch, DX_WATCH_READ) !=
        DX_OK) {
        dx_http_connection_close(http, false);
        return;
    }
    dx_stream_shutdown(&http->transport.stream);
    dx_http_connection_limit_linger(http);
}

/* ---- between one request and the next ---- */

void dx_http_connection_wait(struct dx_http_connection *http)
{
    http->state = DX_HTTP_DECIDING;
    dx_http_connection_set_deadline(http, 0);
}

static void read_next(struct dx_http_connection *http)
{
    const struct dx_server_settings *settings = &http->transport.shard->server->settings;
    struct dx_loop *loop = dx_http_connection_loop(http);

    http->state = DX_HTTP_READING;
    http->exchange.limits = &settings->connection;
    dx_http_connection_set_deadline(http, settings->options.handshake_timeout_ms);
    if (dx_watch_set(loop, &http->transport.stream.watch, DX_WATCH_READ) != DX_OK)
        dx_http_connection_close(http, true);
    else if (!http->is_feeding)
        dx_loop_flush_later(loop, &http->resume_task);
}

void dx_http_connection_on_sent(struct dx_http_connection *http)
{
    struct dx_response *response = http->exchange.response;

    http->exchange.response = NULL;
    http->has_answered = true;
    if (!http->keeps_alive || dx_shard_is_closing(http->transport.shard))
        linger(http);
    else
        read_next(http);
    if (response != NULL)
        dx_response_finish(response);
}
