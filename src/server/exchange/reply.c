/*
 * reply.c - composes an answer's head on the stack, so that one can be given even when memory is short. How bytes leave is
 * http_send.c's.
 */
#include "server/exchange/reply.h"

#include "base/text.h"
#include "http/date.h"
#include "http/response.h"
#include "server/http1/file_body.h"
#include "server/core/log.h"
#include "server/admission/peer.h"
#include "server/exchange/request.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define HEAD_ROOM 1024
#define TEXT_ROOM 512

static bool has_no_body(unsigned status)
{
    return status < 200 || status == 204 || status == 304;
}

static void add_date(struct dx_response_head *response)
{
    char text[DX_DATE_LEN + 1];
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    dx_date_write(now.tv_sec, text);
    dx_response_head_add_text(response, "Date", text);
}

/* The head but for the caller's own lines and the empty one. */
static enum dx_err write_head(const struct dx_reply *reply, char *text, size_t *len)
{
    struct dx_response_head response;
    enum dx_err err;

    dx_response_head_begin(&response, text, HEAD_ROOM, reply->status);
    add_date(&response);
    if (reply->content_type != NULL)
        dx_response_head_add_text(&response, "Content-Type", reply->content_type);
    if (!has_no_body(reply->status) && reply->framing == DX_FRAMING_LENGTH)
        dx_response_head_add_number(&response, "Content-Length", reply->len);
    else if (!has_no_body(reply->status) && reply->framing == DX_FRAMING_CHUNKED)
        dx_response_head_add_text(&response, "Transfer-Encoding", "chunked");
    dx_response_head_security_headers(&response);
    dx_response_head_add_text(&response, "Connection", reply->keeps_alive ? "keep-alive" : "close");
    err = dx_response_head_end(&response, len);
    if (err == DX_OK)
        *len -= 2;
    return err;
}

#define HEAD_SLICES 4

/* The head as slices, of which the first is written into `text`. DX_ERR_USAGE: the status, lines or content type are none. */
static enum dx_err compose(const struct dx_reply *reply, char text[HEAD_ROOM],
                           struct dx_slice slices[HEAD_SLICES])
{
    const char *headers = reply->headers != NULL ? reply->headers : "";
    size_t len;

    if (reply->status < 200 || reply->status > 999 || !dx_response_are_lines(headers) ||
        write_head(reply, text, &len) != DX_OK)
        return DX_ERR_USAGE;
    slices[0] = (struct dx_slice){(const uint8_t *)text, len};
    slices[1] = reply->added;
    slices[2] = dx_slice_of(headers);
    slices[3] = dx_slice_of("\r\n");
    return DX_OK;
}

enum dx_err dx_reply_queue_head(struct dx_http_connection *http, const struct dx_reply *reply)
{
    struct dx_slice slices[HEAD_SLICES];
    char text[HEAD_ROOM];
    enum dx_err err = compose(reply, text, slices);

    if (err == DX_OK)
        err = dx_http_send_keep(http, slices, HEAD_SLICES, 0);
    if (err == DX_OK)
        dx_shard_count_response(http->shard, reply->status);
    return err;
}

void dx_reply_send(struct dx_http_connection *http, const struct dx_reply *reply)
{
    static const struct dx_refusal broken = {500, "the answer could not be composed"};
    const struct dx_reply bare = {.is_head = reply->is_head, .added = reply->added};
    bool is_bodiless = reply->is_head || reply->file != NULL || has_no_body(reply->status);
    struct dx_slice slices[HEAD_SLICES + 1];
    size_t count = HEAD_SLICES;
    char text[HEAD_ROOM];

    if (compose(reply, text, slices) != DX_OK) {
        dx_file_body_free(reply->file);
        dx_reply_refuse_like(http, &broken, &bare);
        return;
    }
    dx_shard_count_response(http->shard, reply->status);
    if (!is_bodiless && reply->len > 0)
        slices[count++] = (struct dx_slice){reply->body, (size_t)reply->len};
    dx_http_connection_send(http, slices, count, reply->file, reply->keeps_alive);
}

void dx_reply_refuse_like(struct dx_http_connection *http, const struct dx_refusal *refusal,
                          const struct dx_reply *like)
{
    char text[TEXT_ROOM];
    int len = snprintf(text, sizeof(text), "%u %s: %s\n", refusal->status,
                       dx_status_text(refusal->status), refusal->detail);
    struct dx_reply reply = {.status = refusal->status,
                             .content_type = "text/plain; charset=utf-8",
                             .headers = like->headers,
                             .added = like->added,
                             .body = text,
                             .len = len < (int)sizeof(text) ? (uint64_t)len : sizeof(text) - 1,
                             .is_head = like->is_head,
                             .keeps_alive = like->keeps_alive};

    dx_reply_send(http, &reply);
}

void dx_reply_refuse(struct dx_http_connection *http, const struct dx_refusal *refusal,
                     const char *headers, bool is_head, bool keeps_alive)
{
    const struct dx_reply like = {
        .headers = headers, .is_head = is_head, .keeps_alive = keeps_alive};

    dx_reply_refuse_like(http, refusal, &like);
}

void dx_reply_refuse_unread(struct dx_http_connection *http, const struct dx_refusal *refusal,
                            const char *headers)
{
    char peer_text[DX_PEER_TEXT_ROOM];
    struct dx_log_line line;

    dx_peer_text(&http->peer, peer_text);
    dx_log_line_init(&line);
    dx_log_line_text(&line, "peer", peer_text);
    dx_log_line_number(&line, "status", refusal->status);
    dx_log_line_text(&line, "why", refusal->detail);
    dx_server_log(http->shard->server, DX_LOG_WARN, "refused", &line);
    dx_request_free(http->request);
    http->request = NULL;
    dx_reply_refuse(http, refusal, headers, false, false);
}
