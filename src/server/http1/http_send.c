/*
 * http_send.c - answers as bytes: their heads (RFC 9112 section 4), composed on the stack so that
 * one can be given even when memory is short, their bodies, and the rest of them when the peer
 * takes it later.
 */
#include "http/date.h"
#include "http/response.h"
#include "server/core/log.h"
#include "server/http1/http_connection.h"

#include <time.h>

#define HEAD_ROOM 1024
#define HEAD_SLICES (3 + 4 * DX_REPLY_HEADERS_MAX)

static void add_date(struct dx_response_head *response)
{
    char text[DX_DATE_LEN + 1];
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    dx_date_write(now.tv_sec, text);
    dx_response_head_add_text(response, "Date", text);
}

/* The head without the caller's own lines and the empty one. */
static enum dx_err write_head(const struct dx_reply *reply, bool is_chunked, char *text,
                              size_t *len)
{
    struct dx_response_head response;
    enum dx_err err;

    dx_response_head_begin(&response, text, HEAD_ROOM, reply->status);
    add_date(&response);
    if (reply->content_type != NULL)
        dx_response_head_add_text(&response, "Content-Type", reply->content_type);
    if (dx_reply_status_has_body(reply->status) && is_chunked)
        dx_response_head_add_text(&response, "Transfer-Encoding", "chunked");
    else if (dx_reply_status_has_body(reply->status) && reply->len != DX_LEN_UNKNOWN)
        dx_response_head_add_number(&response, "Content-Length", reply->len);
    dx_response_head_security_headers(&response);
    dx_response_head_add_text(&response, "Connection", reply->keeps_alive ? "keep-alive" : "close");
    err = dx_response_head_end(&response, len);
    if (err == DX_OK)
        *len -= 2;
    return err;
}

/*
 * The head as slices, of which the first is written into `text`, and how many they are.
 * DX_ERR_USAGE: the content type is invalid or too long.
 */
static enum dx_err compose(const struct dx_reply *reply, bool is_chunked, char text[HEAD_ROOM],
                           struct dx_slice slices[HEAD_SLICES], size_t *count)
{
    size_t len, at = 0;

    if (write_head(reply, is_chunked, text, &len) != DX_OK)
        return DX_ERR_USAGE;
    slices[at++] = (struct dx_slice){(const uint8_t *)text, len};
    slices[at++] = reply->added;
    for (size_t i = 0; i < reply->header_count; i++) {
        slices[at++] = dx_slice_of(reply->headers[i].name);
        slices[at++] = dx_slice_of(": ");
        slices[at++] = dx_slice_of(reply->headers[i].value);
        slices[at++] = dx_slice_of("\r\n");
    }
    slices[at++] = dx_slice_of("\r\n");
    *count = at;
    return DX_OK;
}

enum dx_err dx_http_send_head_later(struct dx_http_connection *http, const struct dx_reply *reply,
                                    bool is_chunked)
{
    struct dx_slice slices[HEAD_SLICES];
    char text[HEAD_ROOM];
    size_t count;
    enum dx_err err = compose(reply, is_chunked, text, slices, &count);

    if (err == DX_OK)
        err = dx_http_write_later(http, slices, count, 0);
    if (err == DX_OK)
        dx_shard_count_response(http->transport.shard, reply->status);
    return err;
}

/* Afterwards the answer is sent, waits for the peer, or the connection is closed. */
static void begin(struct dx_http_connection *http, const struct dx_slice *slices, size_t count)
{
    if (!(http->file != NULL ? dx_http_file_begin : dx_http_write_or_keep)(http, slices, count))
        return;
    if (http->file == NULL && http->exchange.output.len == 0) {
        dx_http_connection_on_sent(http);
        return;
    }
    dx_http_write_set_deadline(http);
    dx_http_write_wait(http);
}

enum dx_err dx_http_send(struct dx_exchange *exchange, const struct dx_reply *reply)
{
    struct dx_http_connection *http = dx_http_connection_of(exchange);
    struct dx_slice slices[HEAD_SLICES + 1];
    char text[HEAD_ROOM];
    size_t count;
    enum dx_err err = compose(reply, false, text, slices, &count);

    if (err != DX_OK)
        return err;
    if (dx_reply_has_body(reply) && reply->file == NULL && reply->len > 0)
        slices[count++] = (struct dx_slice){reply->body, (size_t)reply->len};
    dx_shard_count_response(http->transport.shard, reply->status);
    http->file = reply->file;
    http->keeps_alive = reply->keeps_alive;
    http->state = DX_HTTP_SENDING;
    dx_transport_end_half_open(&http->transport);
    begin(http, slices, count);
    return DX_OK;
}

void dx_http_send_on_writable(struct dx_http_connection *http)
{
    if (!dx_http_write_output(http))
        return;
    if (http->file != NULL && !dx_http_file_continue(http))
        return;
    dx_http_connection_on_sent(http);
}

void dx_http_send_on_due(struct dx_http_connection *http)
{
    struct dx_log_line line;

    if (http->moved_len >= DX_HTTP_PROGRESS_LEN && !http->is_ending) {
        dx_http_write_set_deadline(http);
        return;
    }
    dx_log_line_init(&line);
    dx_server_log(http->transport.shard->server, DX_LOG_WARN,
                  http->state == DX_HTTP_STREAMING && http->is_ending
                      ? "an answer in pieces was not ended in time"
                      : "a peer did not take its answer in time",
                  &line);
    dx_http_connection_fail(http, http->is_ending ? DX_ERR_CLOSED : DX_ERR_TIMEOUT);
}
