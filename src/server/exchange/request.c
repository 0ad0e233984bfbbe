/*
 * request.c - a request's life, and what a route can do with it, now or later. What it says is request_facts.c's, how it was
 * judged judge.c's.
 */
#include "server/exchange/request.h"

#include "base/sized.h"
#include "base/text.h"
#include "server/exchange/reply.h"
#include "server/connections/websocket.h"

#include <stdlib.h>
#include <string.h>

/* The longest subprotocol that a head can offer, what is added, and the rest. */
#define HEAD_101_ROOM (8192 + DX_REQUEST_ADDED_MAX + 512)

/* ---- life ---- */

void dx_request_free(struct dx_request *request)
{
    if (request == NULL)
        return;
    dx_request_free_texts(request);
    dx_pool_uncharge(dx_loop_pool(request->http->shard->loop), request->room + request->body_room);
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
    char peer[DX_PEER_TEXT_ROOM];
    struct dx_log_line line;

    dx_peer_text(&request->http->peer, peer);
    dx_log_line_init(&line);
    dx_log_line_text(&line, "peer", peer);
    if (request->target.path.data != NULL) {
        dx_log_line_bytes(&line, "method", method.data, method.len);
        dx_log_line_bytes(&line, "path", request->target.path.data, request->target.path.len);
    }
    if (status != 0)
        dx_log_line_number(&line, "status", status);
    if (why != NULL)
        dx_log_line_text(&line, "why", why);
    dx_server_log(request->http->shard->server, level, message, &line);
}

/* ---- answers ---- */

bool dx_request_detach(struct dx_request *request)
{
    if (request->http->request != request)
        return false;
    request->http->request = NULL;
    return true;
}

void dx_request_respond(struct dx_request *request, uint16_t status, const char *content_type,
                        const char *headers, const void *body, size_t len)
{
    struct dx_reply reply = {.status = status,
                             .content_type = content_type,
                             .headers = headers,
                             .added = dx_buf_slice(&request->added),
                             .body = body,
                             .len = len,
                             .is_head = dx_request_is_head(request),
                             .keeps_alive = request->keeps_alive};

    if (!dx_request_detach(request))
        return;
    dx_reply_send(request->http, &reply);
    dx_request_free(request);
}

void dx_request_refuse_with(struct dx_request *request, const struct dx_refusal *refusal,
                            const char *headers, bool keeps_alive)
{
    const struct dx_reply like = {.headers = headers,
                                  .added = dx_buf_slice(&request->added),
                                  .is_head = dx_request_is_head(request),
                                  .keeps_alive = keeps_alive};

    if (!dx_request_detach(request))
        return;
    /* That something is not there is nobody's fault. */
    dx_request_log(request, refusal->status == 404 ? DX_LOG_INFO : DX_LOG_WARN, "refused",
                   refusal->status, refusal->detail);
    dx_reply_refuse_like(request->http, refusal, &like);
    dx_request_free(request);
}

void dx_request_refuse(struct dx_request *request, uint16_t status, const char *why,
                       const char *headers)
{
    struct dx_refusal refusal = {status, why};

    dx_request_refuse_with(request, &refusal, headers, request->keeps_alive);
}

/* ---- becoming a WebSocket ---- */

static struct dx_slice early_of(const struct dx_http_connection *http)
{
    if (http->is_feeding)
        return http->rest;
    return (struct dx_slice){http->early + http->early_start, http->early_end - http->early_start};
}

static enum dx_err write_101(const struct dx_request *request, char *text, size_t *len)
{
    struct dx_slice added = dx_buf_slice(&request->added);
    struct dx_response_head response;
    enum dx_err err;

    dx_handshake_respond(&response, text, HEAD_101_ROOM - added.len, &request->handshake,
                         dx_request_subprotocol(request), NULL);
    err = dx_response_head_end(&response, len);
    if (err != DX_OK || added.len == 0)
        return err;
    /* In front of the empty line. */
    memcpy(text + *len - 2, added.data, added.len);
    memcpy(text + *len - 2 + added.len, "\r\n", 2);
    *len += added.len;
    return DX_OK;
}

/* The server's own text of that subprotocol, which outlives the connection; NULL when it is none of the server's. */
static const char *find_own(const struct dx_request *request, const char *subprotocol)
{
    const struct dx_server_options *options = &request->http->shard->server->settings.options;

    for (size_t i = 0; subprotocol != NULL && i < options->subprotocol_count; i++)
        if (strcmp(options->subprotocols[i], subprotocol) == 0)
            return options->subprotocols[i];
    return NULL;
}

static enum dx_err connect_stream(struct dx_request *request,
                                  const struct dx_connection_handlers *handlers, void *user,
                                  struct dx_connection **connection)
{
    struct dx_http_connection *http = request->http;
    struct dx_slice early = early_of(http);
    const char *agreed = dx_request_subprotocol(request);
    const char *own = find_own(request, agreed);
    char head[HEAD_101_ROOM];
    char peer[DX_PEER_TEXT_ROOM];
    struct dx_connection_start start = {.kind = &request->route->kind,
                                        .handlers = handlers,
                                        .user = user,
                                        .traffic = &http->shard->traffic,
                                        .subprotocol = own,
                                        .head = head,
                                        .early = early.data,
                                        .early_len = early.len};
    enum dx_err err = write_101(request, head, &start.head_len);
    size_t own_len;

    if (err != DX_OK)
        return err;
    dx_peer_text(&http->peer, peer);
    own_len = dx_server_websocket_len(peer, request->target.path);
    /* One that only the application knows is copied behind; other connections are not larger for it. */
    start.owner_len = own_len + (agreed != own ? strlen(agreed) + 1 : 0);
    err = dx_registry_reserve(&http->shard->registry, &start.id);
    if (err != DX_OK)
        return err;
    dx_watch_stop(http->shard->loop, &http->stream.watch);
    err = dx_connection_new(http->shard->loop, &http->stream, &start, connection);
    if (err != DX_OK) {
        dx_registry_remove(&http->shard->registry, start.id);
        return err;
    }
    dx_server_websocket_open(*connection, peer, request->target.path);
    dx_shard_count_response(http->shard, 101);
    if (agreed != own)
        dx_connection_set_subprotocol(
            *connection, strcpy((char *)dx_connection_owner(*connection) + own_len, agreed));
    return DX_OK;
}

static void refuse_accepted(struct dx_request *request)
{
    static const struct dx_refusal short_of_memory = {503, "the server is short of memory"};

    dx_request_refuse_with(request, &short_of_memory, "Retry-After: 1\r\n", false);
}

enum dx_err dx_request_accept(struct dx_request *request,
                              const struct dx_connection_handlers *handlers, void *user,
                              struct dx_connection **connection)
{
    struct dx_http_connection *http = request->http;
    enum dx_err err;

    if (http->request != request)
        return DX_ERR_CLOSED;
    if (!request->is_upgrade) {
        dx_request_refuse(request, 500, "a plain request was accepted as a WebSocket", NULL);
        return DX_ERR_STATE;
    }
    if (handlers == NULL ||
        DX_SIZED_CHECK(struct dx_connection_handlers, on_ping, handlers) != DX_OK) {
        dx_request_refuse(request, 500, "handlers without a size", NULL);
        return DX_ERR_USAGE;
    }
    err = connect_stream(request, handlers, user, connection);
    if (err != DX_OK) {
        if (dx_http_connection_watch_again(http))
            refuse_accepted(request);
        else
            dx_http_connection_close(http, true); /* frees the request */
        return err;
    }
    dx_http_connection_leave(http); /* frees the request */
    return DX_OK;
}

void dx_request_accept_all(struct dx_request *request, void *handlers)
{
    struct dx_connection *connection;

    if (dx_request_accept(request, handlers, NULL, &connection) != DX_OK)
        return; /* the request is answered all the same */
}
