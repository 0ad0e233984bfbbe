/*
 * judge.c - the rules that a complete request has to pass, one small function each, in the order that judge.h gives. The
 * rules themselves are http/'s, ws/handshake.h's and admission.c's.
 */
#include "server/exchange/judge.h"

#include "http/message.h"
#include "server/admission/admission.h"
#include "server/exchange/request.h"

#include <stdio.h>
#include <stdlib.h>

/* What a rule says, and whether the connection can go on after that answer. */
struct verdict {
    struct dx_refusal refusal;
    const char *header_name;
    const char *header_value;
    char *allow; /* a whole line in their place, to be freed; or NULL */
    bool keeps_alive;
};

static bool refuse(struct verdict *verdict, uint16_t status, const char *detail)
{
    verdict->refusal = (struct dx_refusal){status, detail};
    return false;
}

/* Until a body is read the connection ends with the answer: what would be the next request is that body. */
static bool judge_message(struct dx_request *request, struct verdict *verdict)
{
    request->keeps_alive = false;
    request->is_upgrade = dx_handshake_is_asked(&request->head);
    if (!dx_target_parse(&request->head, &request->target, &verdict->refusal))
        return false;
    if (request->is_upgrade)
        return true;
    if (!dx_message_body(&request->head, &request->body_kind, &verdict->refusal))
        return false;
    if (dx_message_expect(&request->head) == DX_EXPECT_UNKNOWN)
        return refuse(verdict, 417, "this expectation is not met here");
    request->keeps_alive =
        request->body_kind.kind == DX_BODY_NONE && dx_message_is_persistent(&request->head);
    return true;
}

static bool judge_path(struct dx_request *request, struct verdict *verdict)
{
    bool has_dots;

    request->path = malloc(request->target.path.len + 1);
    if (request->path == NULL)
        return refuse(verdict, 503, "the server is short of memory");
    if (request->target.kind == DX_TARGET_ASTERISK) {
        request->path_len = 1;
        request->path[0] = '*';
        request->path[1] = '\0';
        return refuse(verdict, 404, "nothing is served here");
    }
    if (!dx_path_decode(request->target.path, request->path, &request->path_len, &has_dots,
                        &verdict->refusal))
        return false;
    return !has_dots || refuse(verdict, 400, "the path has . or .. segments");
}

static struct dx_admission_context context_of(const struct dx_request *request)
{
    const struct dx_http_connection *http = request->http;

    return (struct dx_admission_context){.options = &http->shard->server->settings.options,
                                         .is_loopback = http->listener->is_loopback,
                                         .fd = http->stream.watch.fd};
}

static bool judge_host(struct dx_request *request, struct verdict *verdict)
{
    struct dx_admission_context context = context_of(request);

    return dx_admission_judge_host(&context, &request->target.authority, &verdict->refusal);
}

static bool judge_method(const struct dx_request *request, const struct dx_route_entry *first,
                         struct verdict *verdict)
{
    struct dx_slice method = dx_head_slice(&request->head, request->head.method);

    if (request->is_upgrade || !request->route->route.wants_plain ||
        dx_route_takes(request->route, method))
        return true;
    verdict->allow = dx_routes_allow(first);
    if (verdict->allow == NULL)
        return refuse(verdict, 503, "the server is short of memory");
    return refuse(verdict, 405, "this path does not take that method");
}

static bool judge_route(struct dx_request *request, struct verdict *verdict)
{
    const struct dx_routes *routes = &request->http->shard->server->routes;
    const struct dx_route_entry *first = dx_routes_look(routes, request->path, request->path_len);

    verdict->keeps_alive = true;
    if (first == NULL)
        return refuse(verdict, 404, "nothing is served here");
    request->route = dx_routes_choose(first, request->is_upgrade,
                                      dx_head_slice(&request->head, request->head.method));
    request->http->limits = &request->route->kind.options;
    if (request->is_upgrade && !request->route->route.wants_upgrades)
        return refuse(verdict, 404, "there is no WebSocket here");
    if (request->route->has_params && !dx_request_keep_params(request))
        return refuse(verdict, 503, "the server is short of memory");
    return judge_method(request, first, verdict);
}

static bool judge_handshake(struct dx_request *request, struct verdict *verdict)
{
    if (!request->is_upgrade && request->route->route.wants_plain)
        return true;
    if (dx_handshake_judge(&request->head, &request->handshake))
        return true;
    verdict->refusal = request->handshake.refusal;
    verdict->header_name = request->handshake.header_name;
    verdict->header_value = request->handshake.header_value;
    return false;
}

static bool judge_origin(struct dx_request *request, struct verdict *verdict)
{
    struct dx_admission_context context = context_of(request);

    return !request->is_upgrade ||
           dx_admission_judge_origin(&context, &request->head, &request->target.authority,
                                     &verdict->refusal);
}

static bool judge_limits(struct dx_request *request, struct verdict *verdict)
{
    const struct dx_http_connection *http = request->http;

    verdict->keeps_alive = false;
    verdict->header_name = "Retry-After";
    verdict->header_value = "1";
    if (http->shard->is_closing)
        return refuse(verdict, 503, "the server is ending");
    if (http->is_over_limit)
        return refuse(verdict, 503, "no place is free");
    if (request->is_upgrade && dx_shard_is_short_of_memory(http->shard))
        return refuse(verdict, 503, "the server is short of memory");
    return true;
}

static bool judge(struct dx_request *request, struct verdict *verdict)
{
    return judge_message(request, verdict) && judge_path(request, verdict) &&
           judge_host(request, verdict) && judge_route(request, verdict) &&
           judge_handshake(request, verdict) && judge_origin(request, verdict) &&
           judge_limits(request, verdict);
}

static void answer_refused(struct dx_request *request, const struct verdict *verdict)
{
    char headers[128] = "";

    if (verdict->header_name != NULL)
        (void)snprintf(headers, sizeof(headers), "%s: %s\r\n", verdict->header_name,
                       verdict->header_value);
    dx_request_refuse_with(request, &verdict->refusal,
                           verdict->allow != NULL ? verdict->allow : headers,
                           verdict->keeps_alive && request->keeps_alive);
    free(verdict->allow);
}

static void hand_over(struct dx_request *request)
{
    struct dx_http_connection *http = request->http;

    dx_address_host(&http->peer, request->peer_host);
    request->route->route.on_request(request, request->route->route.user);
    /* A freed request is not looked at: its place in the connection says whether it was answered. */
    if (http->state == DX_HTTP_READING && http->request == request)
        dx_http_connection_wait(http);
}

void dx_judge_request(struct dx_request *request)
{
    struct verdict verdict = {.refusal = {0, NULL}};

    if (request->body_is_whole)
        hand_over(request);
    else if (!judge(request, &verdict))
        answer_refused(request, &verdict);
    else if (!dx_request_begin_body(request, request->http->rest.len))
        hand_over(request);
}
