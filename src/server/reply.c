/*
 * reply.c - composes an answer's head on the stack, so that one can be given even when memory is short. How bytes leave is
 * http_send.c's.
 */
#include "server/reply.h"

#include "base/text.h"
#include "http/date.h"
#include "http/response.h"
#include "server/files.h"
#include "server/log.h"
#include "server/peer.h"
#include "server/request.h"

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
    if (!has_no_body(reply->status))
        dx_response_head_add_number(&response, "Content-Length", reply->len);
    dx_response_head_security_headers(&response);
    dx_response_head_add_text(&response, "Connection", reply->keeps_alive ? "keep-alive" : "close");
    err = dx_response_head_end(&response, len);
    if (err == DX_OK)
        *len -= 2;
    return err;
}

/* Whether these are header lines and nothing else: what they say may come from a peer or a program. */
static bool are_lines(const char *headers)
{
    while (*headers != '\0') {
        size_t name_len = strcspn(headers, ":\r\n");
        const char *end = strstr(headers, "\r\n");

        if (end == NULL || headers[name_len] != ':' || name_len == 0)
            return false;
        for (const char *at = headers; at < end; at++)
            if (((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7f ||
                (at < headers + name_len && (*at == ' ' || *at == '\t')))
                return false;
        headers = end + 2;
    }
    return true;
}

static void send_with(struct dx_http_connection *http, const struct dx_reply *reply,
                      const char *headers)
{
    bool is_bodiless = reply->is_head || reply->file != NULL || has_no_body(reply->status);
    char text[HEAD_ROOM];
    struct dx_slice slices[4];
    size_t count = 3, len;

    if (write_head(reply, text, &len) != DX_OK) {
        dx_file_body_free(reply->file);
        dx_http_connection_close(http, true); /* a content type that is none */
        return;
    }
    dx_shard_count_response(http->shard, reply->status);
    slices[0] = (struct dx_slice){(const uint8_t *)text, len};
    slices[1] = dx_slice_of(headers);
    slices[2] = dx_slice_of("\r\n");
    if (!is_bodiless && reply->len > 0)
        slices[count++] = (struct dx_slice){reply->body, (size_t)reply->len};
    dx_http_connection_send(http, slices, count, reply->file, reply->keeps_alive);
}

void dx_reply_send(struct dx_http_connection *http, const struct dx_reply *reply)
{
    static const struct dx_refusal broken = {500, "the answer could not be composed"};

    if (reply->headers == NULL || are_lines(reply->headers)) {
        send_with(http, reply, reply->headers != NULL ? reply->headers : "");
        return;
    }
    dx_file_body_free(reply->file);
    dx_reply_refuse(http, &broken, NULL, reply->is_head, false);
}

void dx_reply_refuse(struct dx_http_connection *http, const struct dx_refusal *refusal,
                     const char *headers, bool is_head, bool keeps_alive)
{
    char text[TEXT_ROOM];
    int len = snprintf(text, sizeof(text), "%u %s: %s\n", refusal->status,
                       dx_status_text(refusal->status), refusal->detail);
    struct dx_reply reply = {.status = refusal->status,
                             .content_type = "text/plain; charset=utf-8",
                             .headers = headers,
                             .body = text,
                             .len = len < (int)sizeof(text) ? (uint64_t)len : sizeof(text) - 1,
                             .is_head = is_head,
                             .keeps_alive = keeps_alive};

    dx_reply_send(http, &reply);
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
