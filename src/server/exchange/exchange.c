/*
 * exchange.c - answers that need no route: checks what an answer says and composes refusals. How
 * bytes are made of it and leave is the transport's.
 */
#include "server/exchange/exchange.h"

#include "http/response.h"
#include "server/core/log.h"
#include "server/exchange/request.h"

#include <stdio.h>

#define TEXT_ROOM 512

const struct dx_header dx_reply_retry = {"Retry-After", "1"};

static const struct dx_transport_operations *operations_of(const struct dx_exchange *exchange)
{
    return exchange->transport->operations;
}

static bool is_valid(const struct dx_reply *reply)
{
    if (reply->status < 200 || reply->status > 999 || reply->header_count > DX_REPLY_HEADERS_MAX)
        return false;
    for (size_t i = 0; i < reply->header_count; i++)
        if (!dx_response_is_header(&reply->headers[i]))
            return false;
    return true;
}

enum dx_err dx_exchange_begin(struct dx_exchange *exchange, const struct dx_reply *reply)
{
    return is_valid(reply) ? operations_of(exchange)->begin(exchange, reply) : DX_ERR_USAGE;
}

void dx_exchange_answer(struct dx_exchange *exchange, const struct dx_reply *reply)
{
    static const struct dx_refusal broken = {500, "the answer could not be composed"};
    const struct dx_reply bare = {.is_head = reply->is_head, .added = reply->added};

    if (is_valid(reply) && operations_of(exchange)->send(exchange, reply) == DX_OK)
        return;
    dx_file_body_free(reply->file);
    dx_exchange_refuse(exchange, &broken, &bare);
}

void dx_exchange_refuse(struct dx_exchange *exchange, const struct dx_refusal *refusal,
                        const struct dx_reply *like)
{
    char text[TEXT_ROOM];
    int len = snprintf(text, sizeof(text), "%u %s: %s\n", refusal->status,
                       dx_status_text(refusal->status), refusal->detail);
    struct dx_reply reply = {.status = refusal->status,
                             .content_type = "text/plain; charset=utf-8",
                             .headers = like->headers,
                             .header_count = like->header_count,
                             .added = like->added,
                             .body = text,
                             .len = len < (int)sizeof(text) ? (uint64_t)len : sizeof(text) - 1,
                             .is_head = like->is_head,
                             .keeps_alive = like->keeps_alive};

    dx_exchange_answer(exchange, &reply);
}

void dx_exchange_refuse_unread(struct dx_exchange *exchange, const struct dx_refusal *refusal,
                               const struct dx_header *header)
{
    const struct dx_reply like = {.headers = header, .header_count = header != NULL};
    struct dx_log_line line;

    dx_log_line_init(&line);
    dx_log_line_peer(&line, &exchange->transport->peer);
    dx_log_line_number(&line, "status", refusal->status);
    dx_log_line_text(&line, "why", refusal->detail);
    dx_server_log(dx_exchange_shard(exchange)->server, DX_LOG_WARN, "refused", &line);
    dx_request_free(exchange->request);
    exchange->request = NULL;
    dx_exchange_refuse(exchange, refusal, &like);
}
