/*
 * http_send.c - an answer on its way out: what the peer takes at once, then what waits, then a file. Not responsible for
 * what an answer says, nor for how a file leaves (file_body.c).
 */
#include "server/http1/http_connection.h"

#include "server/http1/file_body.h"
#include "server/core/log.h"
#include "server/exchange/request.h"

#define SLICES_MAX 16

static struct dx_loop *loop_of(const struct dx_http_connection *http)
{
    return http->shard->loop;
}

void dx_http_send_wait(struct dx_http_connection *http)
{
    unsigned wants = dx_stream_wants(&http->stream);

    if (wants == 0)
        wants = DX_WATCH_WRITE;
    wants |= http->state == DX_HTTP_SENDING ? DX_WATCH_QUIET : dx_http_connection_wants(http);
    if (dx_watch_set(loop_of(http), &http->stream.watch, wants) != DX_OK)
        dx_http_connection_close(http, true);
}

void dx_http_send_set_deadline(struct dx_http_connection *http)
{
    uint32_t timeout_ms = dx_http_connection_limits(http)->write_timeout_ms;

    http->moved_len = 0;
    if (http->is_ending)
        return;
    if (timeout_ms == 0)
        dx_wheel_unset(dx_loop_wheel(loop_of(http)), &http->timer);
    else
        dx_http_connection_set_deadline(http, timeout_ms);
}

bool dx_http_send_put(struct dx_http_connection *http, const struct dx_slice *slices, size_t count,
                      size_t *put)
{
    enum dx_err err = dx_stream_write(&http->stream, slices, count, put);

    if (err == DX_OK)
        return true;
    *put = 0;
    if (err == DX_ERR_AGAIN)
        return true;
    dx_http_connection_fail(http, err);
    return false;
}

enum dx_err dx_http_send_keep(struct dx_http_connection *http, const struct dx_slice *slices,
                              size_t count, size_t put)
{
    enum dx_err err = DX_OK;

    for (size_t index = 0; index < count && err == DX_OK; index++) {
        size_t skip = put < slices[index].len ? put : slices[index].len;

        put -= skip;
        if (slices[index].len > skip)
            err = dx_output_append(&http->output, slices[index].data + skip,
                                   slices[index].len - skip);
    }
    return err;
}

void dx_http_connection_send(struct dx_http_connection *http, const struct dx_slice *slices,
                             size_t count, struct dx_file_body *file, bool keeps_alive)
{
    size_t put = 0;

    http->file = file;
    http->keeps_alive = keeps_alive;
    http->state = DX_HTTP_SENDING;
    dx_http_connection_end_half_open(http);
    if (file != NULL) {
        dx_file_body_begin(http, slices, count);
        return;
    }
    if (http->output.len == 0 && /* else a 100 waits */
        !dx_http_send_put(http, slices, count, &put))
        return;
    if (dx_http_send_keep(http, slices, count, put) != DX_OK) {
        dx_http_connection_close(http,
                                 true); /* part of an answer may be out: no other can follow */
        return;
    }
    if (http->output.len == 0) {
        dx_http_connection_on_sent(http);
        return;
    }
    dx_http_send_set_deadline(http);
    dx_http_send_wait(http);
}

bool dx_http_send_output(struct dx_http_connection *http)
{
    struct dx_slice slices[SLICES_MAX];
    size_t put;

    while (http->output.len > 0) {
        size_t count = dx_output_peek(&http->output, slices, SLICES_MAX);

        if (!dx_http_send_put(http, slices, count, &put))
            return false;
        if (put == 0) {
            dx_http_send_wait(http);
            return false;
        }
        dx_output_consume(&http->output, put);
        http->moved_len += put;
    }
    return true;
}

void dx_http_send_on_writable(struct dx_http_connection *http)
{
    if (!dx_http_send_output(http))
        return;
    if (http->file != NULL && !dx_file_body_go_on(http))
        return;
    dx_http_connection_on_sent(http);
}

void dx_http_send_on_due(struct dx_http_connection *http)
{
    struct dx_log_line line;

    if (http->moved_len >= DX_HTTP_PROGRESS_LEN && !http->is_ending) {
        dx_http_send_set_deadline(http);
        return;
    }
    dx_log_line_init(&line);
    dx_server_log(http->shard->server, DX_LOG_WARN,
                  http->state == DX_HTTP_STREAMING && http->is_ending
                      ? "an answer in pieces was not ended in time"
                      : "a peer did not take its answer in time",
                  &line);
    dx_http_connection_fail(http, http->is_ending ? DX_ERR_CLOSED : DX_ERR_TIMEOUT);
}
