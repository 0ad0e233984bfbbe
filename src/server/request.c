/*
 * request.c - what a route sees of a request, and what it can do with it, now or later. How it was judged is judge.c's.
 */
#include "server/request.h"

#include "base/text.h"
#include "server/reply.h"
#include "server/websocket.h"

#include <stdlib.h>
#include <string.h>

#define HEAD_101_ROOM 512

/* Several lines of one name as one text; kept until the request is gone. */
struct dx_joined_value {
    struct dx_joined_value *next;
    char text[];
};

/* ---- life ---- */

void dx_request_free(struct dx_request *request)
{
    struct dx_joined_value *next;

    if (request == NULL)
        return;
    for (struct dx_joined_value *joined = request->joined; joined != NULL; joined = next) {
        next = joined->next;
        free(joined);
    }
    dx_pool_uncharge(dx_loop_pool(request->http->shard->loop), request->room);
    free(request->bytes);
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

/* ---- what it says ---- */

static const char *text_at(const struct dx_request *request, struct dx_span span)
{
    return (const char *)request->bytes + span.at;
}

bool dx_request_is_head(const struct dx_request *request)
{
    return strcmp(dx_request_method(request), "HEAD") == 0;
}

bool dx_request_is_upgrade(const struct dx_request *request)
{
    return request->is_upgrade;
}

const char *dx_request_method(const struct dx_request *request)
{
    return text_at(request, request->head.method);
}

const char *dx_request_target(const struct dx_request *request)
{
    return text_at(request, request->head.target);
}

const char *dx_request_path(const struct dx_request *request)
{
    return request->path;
}

const char *dx_request_query(const struct dx_request *request)
{
    return request->target.has_query ? (const char *)request->target.query.data : "";
}

const char *dx_request_route_path(const struct dx_request *request)
{
    return request->route->path;
}

static const char *join(struct dx_request *request, const char *name)
{
    struct dx_joined_value *joined;
    struct dx_slice value;
    size_t len = 1, index = 0;
    char *at;

    while (dx_head_next(&request->head, name, &index, &value))
        len += value.len + 2;
    joined = malloc(sizeof(*joined) + len);
    if (joined == NULL)
        return NULL;
    at = joined->text;
    index = 0;
    while (dx_head_next(&request->head, name, &index, &value)) {
        if (at != joined->text)
            at = stpcpy(at, ", ");
        memcpy(at, value.data, value.len);
        at += value.len;
    }
    *at = '\0';
    joined->next = request->joined;
    request->joined = joined;
    return joined->text;
}

const char *dx_request_header(struct dx_request *request, const char *name)
{
    struct dx_slice value = {0};

    if (!dx_head_find(&request->head, name, &value))
        return NULL;
    return dx_head_count(&request->head, name) == 1 ? (const char *)value.data
                                                    : join(request, name);
}

bool dx_request_header_at(const struct dx_request *request, size_t index, const char **name,
                          size_t *name_len, const char **value, size_t *value_len)
{
    const struct dx_header *header = &request->head.headers[index];

    if (index >= request->head.header_count)
        return false;
    *name = text_at(request, header->name);
    *name_len = header->name.len;
    *value = text_at(request, header->value);
    *value_len = header->value.len;
    return true;
}

const char *dx_request_peer_host(const struct dx_request *request)
{
    return request->peer_host;
}

uint16_t dx_request_peer_port(const struct dx_request *request)
{
    return request->http->peer.port;
}

const char *dx_request_server_host(const struct dx_request *request)
{
    return request->target.authority.host.text;
}

uint16_t dx_request_server_port(const struct dx_request *request)
{
    const struct dx_authority *authority = &request->target.authority;

    return authority->has_port ? authority->port : dx_request_is_tls(request) ? 443 : 80;
}

bool dx_request_is_tls(const struct dx_request *request)
{
    return request->http->stream.tls != NULL;
}

const char *dx_request_subprotocol(const struct dx_request *request)
{
    const struct dx_server_options *options = &request->http->shard->server->settings.options;

    return dx_handshake_choose_subprotocol(&request->head, options->subprotocols,
                                           options->subprotocol_count);
}

struct dx_loop *dx_request_loop(const struct dx_request *request)
{
    return request->http->shard->loop;
}

struct dx_server *dx_request_server(const struct dx_request *request)
{
    return request->http->shard->server;
}

/* ---- answers ---- */

/* Takes the request from its connection, which may then go on. False: it is not that connection's any more (abandoned). */
static bool detach(struct dx_request *request)
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
                             .body = body,
                             .len = len,
                             .is_head = dx_request_is_head(request),
                             .keeps_alive = request->keeps_alive};

    if (!detach(request))
        return;
    dx_reply_send(request->http, &reply);
    dx_request_free(request);
}

void dx_request_refuse_with(struct dx_request *request, const struct dx_refusal *refusal,
                            const char *headers, bool keeps_alive)
{
    if (!detach(request))
        return;
    /* That something is not there is nobody's fault. */
    dx_request_log(request, refusal->status == 404 ? DX_LOG_INFO : DX_LOG_WARN, "refused",
                   refusal->status, refusal->detail);
    dx_reply_refuse(request->http, refusal, headers, dx_request_is_head(request), keeps_alive);
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
    struct dx_response_head response;

    dx_handshake_respond(&response, text, HEAD_101_ROOM, &request->handshake,
                         dx_request_subprotocol(request), NULL);
    return dx_response_head_end(&response, len);
}

static enum dx_err connect_stream(struct dx_request *request,
                                  const struct dx_connection_handlers *handlers, void *user,
                                  struct dx_connection **connection)
{
    struct dx_http_connection *http = request->http;
    struct dx_slice early = early_of(http);
    char head[HEAD_101_ROOM];
    char peer[DX_PEER_TEXT_ROOM];
    struct dx_connection_start start = {.kind = &request->route->kind,
                                        .handlers = handlers,
                                        .user = user,
                                        .traffic = &http->shard->traffic,
                                        .subprotocol = dx_request_subprotocol(request),
                                        .head = head,
                                        .early = early.data,
                                        .early_len = early.len};
    enum dx_err err = write_101(request, head, &start.head_len);

    if (err != DX_OK)
        return err;
    dx_peer_text(&http->peer, peer);
    start.owner_len = dx_websocket_len(peer, request->target.path);
    err = dx_registry_reserve(&http->shard->registry, &start.id);
    if (err != DX_OK)
        return err;
    dx_watch_stop(http->shard->loop, &http->stream.watch);
    err = dx_connection_new(http->shard->loop, &http->stream, &start, connection);
    if (err != DX_OK) {
        dx_registry_remove(&http->shard->registry, start.id);
        return err;
    }
    dx_websocket_open(*connection, peer, request->target.path);
    dx_shard_count_response(http->shard, 101);
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
