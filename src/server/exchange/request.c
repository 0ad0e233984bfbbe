/*
 * request.c - a request's life. What it says is in request_facts.c, how it is answered in
 * request_answer.c, request_accept.c and response.c.
 */
#include "server/exchange/request.h"

#include "server/core/log.h"

#include <stdlib.h>

struct dx_request *dx_request_new(struct dx_exchange *exchange)
{
    struct dx_request *request = calloc(1, sizeof(*request));

    if (request == NULL)
        return NULL;
    request->exchange = exchange;
    dx_head_init(&request->head, DX_HEAD_REQUEST);
    dx_buf_init(&request->added, DX_REQUEST_ADDED_MAX);
    exchange->request = request;
    return request;
}

void dx_request_free(struct dx_request *request)
{
    if (request == NULL)
        return;
    dx_request_free_texts(request);
    dx_pool_uncharge(dx_loop_pool(dx_exchange_loop(request->exchange)),
                     request->room + request->body_room);
    dx_buf_release(&request->added);
    free(request->subprotocol);
    free(request->bytes);
    free(request->body);
    free(request->params);
    free(request->path);
    free(request);
}

void dx_request_abandon(struct dx_request *request)
{
    const struct dx_route *route = &request->route->route;

    if (route->on_abandoned != NULL)
        route->on_abandoned(request, route->user);
    dx_request_free(request);
}

void dx_request_log(const struct dx_request *request, enum dx_log_level level, const char *message,
                    unsigned status, const char *why)
{
    struct dx_slice method = dx_head_slice(&request->head, request->head.method);
    struct dx_log_line line;

    dx_log_line_init(&line);
    dx_log_line_peer(&line, &request->exchange->transport->peer);
    if (request->target.path.data != NULL) {
        dx_log_line_bytes(&line, "method", method.data, method.len);
        dx_log_line_bytes(&line, "path", request->target.path.data, request->target.path.len);
    }
    if (status != 0)
        dx_log_line_number(&line, "status", status);
    if (why != NULL)
        dx_log_line_text(&line, "why", why);
    dx_server_log(dx_exchange_shard(request->exchange)->server, level, message, &line);
}
