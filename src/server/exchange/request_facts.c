/*
 * request_facts.c - what a route can ask about a request. Not responsible for answers
 * (request_answer.c).
 */
#include "server/exchange/request.h"

#include "base/sized.h"
#include "http/cookie.h"
#include "http/list.h"
#include "http/url/query.h"

#include <stdlib.h>
#include <string.h>

static const char *text_at(const struct dx_request *request, struct dx_span span)
{
    return (const char *)request->bytes + span.at;
}

/* ---- texts that are made on demand ---- */

enum text_kind { TEXT_HEADER, TEXT_QUERY, TEXT_COOKIE };

/* Kept until the request is gone, so that asking again makes no other. */
struct dx_request_text {
    struct dx_request_text *next;
    const char *name; /* stored after the value */
    enum text_kind kind;
    char value[];
};

static const char *find_text(const struct dx_request *request, enum text_kind kind,
                             const char *name)
{
    for (const struct dx_request_text *text = request->texts; text != NULL; text = text->next)
        if (text->kind == kind && strcmp(text->name, name) == 0)
            return text->value;
    return NULL;
}

/* Room for a value of `len` bytes and its NUL; not in the list yet. NULL: no memory. */
static struct dx_request_text *make_text(enum text_kind kind, const char *name, size_t len)
{
    size_t name_len = strlen(name) + 1;
    struct dx_request_text *text = malloc(sizeof(*text) + len + 1 + name_len);

    if (text == NULL)
        return NULL;
    text->kind = kind;
    text->name = memcpy(text->value + len + 1, name, name_len);
    text->value[len] = '\0';
    return text;
}

static const char *keep_text(struct dx_request *request, struct dx_request_text *text)
{
    text->next = request->texts;
    request->texts = text;
    return text->value;
}

void dx_request_free_texts(struct dx_request *request)
{
    struct dx_request_text *next;

    for (struct dx_request_text *text = request->texts; text != NULL; text = next) {
        next = text->next;
        free(text);
    }
    request->texts = NULL;
}

/* ---- the request line ---- */

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

const char *dx_request_query_value(struct dx_request *request, const char *name)
{
    const char *known = find_text(request, TEXT_QUERY, name);
    struct dx_request_text *text;
    struct dx_slice value;

    if (known != NULL)
        return known;
    if (!request->target.has_query || !dx_query_find(request->target.query, name, &value))
        return NULL;
    text = make_text(TEXT_QUERY, name, value.len);
    if (text == NULL)
        return NULL;
    if (dx_query_decode(value, text->value))
        return keep_text(request, text);
    free(text);
    return NULL;
}

/* ---- the route ---- */

const char *dx_request_route_path(const struct dx_request *request)
{
    return request->route->path;
}

size_t dx_request_route_len(const struct dx_request *request)
{
    struct dx_slice part;
    size_t count = 0, len = 0;

    if (!request->route->has_params)
        return request->route->path_len;
    while (dx_route_part(request->route->path, count, &part))
        count++;
    if (dx_route_part(request->path, count - 1, &part))
        len = (size_t)((const char *)part.data - request->path) + part.len;
    return len;
}

bool dx_request_keep_params(struct dx_request *request)
{
    request->params = malloc(request->path_len + 1);
    if (request->params == NULL)
        return false;
    for (size_t at = 0; at <= request->path_len; at++)
        request->params[at] = request->path[at] == '/' ? '\0' : request->path[at];
    return true;
}

const char *dx_request_param(const struct dx_request *request, const char *name)
{
    struct dx_slice part, value;

    if (request->params == NULL)
        return NULL;
    for (size_t index = 0; dx_route_part(request->route->path, index, &part); index++) {
        if (part.len == 0 || part.data[0] != ':' ||
            !dx_slice_is((struct dx_slice){part.data + 1, part.len - 1}, name))
            continue;
        if (dx_route_part(request->path, index, &value))
            return request->params + ((const char *)value.data - request->path);
    }
    return NULL;
}

/* ---- headers ---- */

static const char *join(struct dx_request *request, const char *name)
{
    struct dx_request_text *text;
    struct dx_slice value;
    size_t len = 0, index = 0;
    char *at;

    while (dx_head_next(&request->head, name, &index, &value))
        len += value.len + 2;
    text = make_text(TEXT_HEADER, name, len);
    if (text == NULL)
        return NULL;
    at = text->value;
    index = 0;
    while (dx_head_next(&request->head, name, &index, &value)) {
        if (at != text->value)
            at = stpcpy(at, ", ");
        memcpy(at, value.data, value.len);
        at += value.len;
    }
    *at = '\0';
    return keep_text(request, text);
}

const char *dx_request_header(struct dx_request *request, const char *name)
{
    struct dx_slice value = {0};
    const char *known;

    if (!dx_head_find(&request->head, name, &value))
        return NULL;
    if (dx_head_count(&request->head, name) == 1)
        return (const char *)value.data;
    known = find_text(request, TEXT_HEADER, name);
    return known != NULL ? known : join(request, name);
}

bool dx_request_header_at(const struct dx_request *request, size_t index, const char **name,
                          size_t *name_len, const char **value, size_t *value_len)
{
    const struct dx_head_field *header;

    if (index >= request->head.header_count)
        return false;
    header = &request->head.headers[index];
    *name = text_at(request, header->name);
    *name_len = header->name.len;
    *value = text_at(request, header->value);
    *value_len = header->value.len;
    return true;
}

const char *dx_request_cookie(struct dx_request *request, const char *name)
{
    const char *known = find_text(request, TEXT_COOKIE, name);
    struct dx_request_text *text;
    struct dx_slice header, value;
    size_t index = 0;
    bool is_found = false;

    if (known != NULL)
        return known;
    while (!is_found && dx_head_next(&request->head, "Cookie", &index, &header))
        is_found = dx_cookie_find(header, name, &value);
    if (!is_found)
        return NULL;
    text = make_text(TEXT_COOKIE, name, value.len);
    if (text == NULL)
        return NULL;
    memcpy(text->value, value.data, value.len);
    return keep_text(request, text);
}

/* ---- the body ---- */

const void *dx_request_body(const struct dx_request *request, size_t *len)
{
    *len = request->body_len;
    return request->body != NULL ? (const char *)request->body : "";
}

/* ---- peer and server ---- */

const char *dx_request_peer_host(const struct dx_request *request)
{
    return request->peer_host;
}

uint16_t dx_request_peer_port(const struct dx_request *request)
{
    return request->exchange->transport->peer.port;
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
    return request->exchange->transport->listener->tls != NULL;
}

bool dx_request_tls(const struct dx_request *request, struct dx_tls_facts *facts)
{
    struct dx_tls_facts own;

    if (!dx_stream_tls_facts(&request->exchange->transport->stream, &own))
        return false;
    dx_sized_fill(facts, &own, sizeof(own));
    return true;
}

/* ---- the subprotocol ---- */

bool dx_request_offered_subprotocol(const struct dx_request *request, size_t index,
                                    const char **name, size_t *len)
{
    struct dx_slice member;
    struct dx_list list;

    dx_list_init(&list, &request->head, "Sec-WebSocket-Protocol");
    while (dx_list_next(&list, &member) == DX_LIST_MEMBER) {
        if (index-- > 0)
            continue;
        *name = (const char *)member.data;
        *len = member.len;
        return true;
    }
    return false;
}

/* The first of the server's subprotocols that is offered, or NULL. */
static const char *default_subprotocol(const struct dx_request *request)
{
    const struct dx_server_options *options =
        &dx_exchange_shard(request->exchange)->server->settings.options;

    return dx_handshake_choose_subprotocol(&request->head, options->subprotocols,
                                           options->subprotocol_count);
}

const char *dx_request_subprotocol(const struct dx_request *request)
{
    return request->has_chosen ? request->subprotocol : default_subprotocol(request);
}

/* ---- its place ---- */

struct dx_loop *dx_request_loop(const struct dx_request *request)
{
    return dx_exchange_loop(request->exchange);
}

struct dx_server *dx_request_server(const struct dx_request *request)
{
    return dx_exchange_shard(request->exchange)->server;
}

void dx_request_set_user(struct dx_request *request, void *user)
{
    request->user = user;
}

void *dx_request_user(const struct dx_request *request)
{
    return request->user;
}
