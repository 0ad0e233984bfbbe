/*
 * judge.c - the rules that a complete request head has to pass, one small function each, in the
 * order that judge.h gives. The grammar behind them is in http/, ws/handshake.h and admission.h.
 */
#include "server/exchange/judge.h"

#include "http/message.h"
#include "server/admission/admission.h"
#include "server/exchange/request.h"

#include <stdlib.h>

static bool refuse(struct dx_verdict *verdict, uint16_t status, const char *detail)
{
    verdict->refusal = (struct dx_refusal){status, detail};
    return false;
}

/*
 * While a body is unread the connection has to end with the answer: the next bytes are that body.
 */
static bool judge_message(struct dx_request *request, struct dx_verdict *verdict)
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

static bool judge_path(struct dx_request *request, struct dx_verdict *verdict)
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
    const struct dx_transport *transport = request->exchange->transport;

    return (struct dx_admission_context){.options = &transport->shard->server->settings.options,
                                         .is_loopback = transport->listener->is_loopback,
                                         .fd = transport->stream.watch.fd};
}

static bool judge_host(struct dx_request *request, struct dx_verdict *verdict)
{
    struct dx_admission_context context = context_of(request);

    return dx_admission_judge_host(&context, &request->target.authority, &verdict->refusal);
}

static bool judge_method(const struct dx_request *request, const struct dx_route_entry *first,
                         struct dx_verdict *verdict)
{
    struct dx_slice method = dx_head_slice(&request->head, request->head.method);

    if (request->is_upgrade || !request->route->route.wants_plain ||
        dx_route_takes(request->route, method))
        return true;
    verdict->allow = dx_routes_allow(first);
    if (verdict->allow == NULL)
        return refuse(verdict, 503, "the server is short of memory");
    verdict->header = (struct dx_header){"Allow", verdict->allow};
    return refuse(verdict, 405, "this path does not take that method");
}

static bool judge_route(struct dx_request *request, struct dx_verdict *verdict)
{
    const struct dx_routes *routes = &dx_exchange_shard(request->exchange)->server->routes;
    const struct dx_route_entry *first = dx_routes_look(routes, request->path, request->path_len);

    verdict->keeps_alive = true;
    if (first == NULL)
        return refuse(verdict, 404, "nothing is served here");
    request->route = dx_routes_choose(first, request->is_upgrade,
                                      dx_head_slice(&request->head, request->head.method));
    request->exchange->limits = &request->route->kind.options;
    if (request->is_upgrade && !request->route->route.wants_upgrades)
        return refuse(verdict, 404, "there is no WebSocket here");
    if (request->route->has_params && !dx_request_keep_params(request))
        return refuse(verdict, 503, "the server is short of memory");
    return judge_method(request, first, verdict);
}

static bool judge_handshake(struct dx_request *request, struct dx_verdict *verdict)
{
    if (!request->is_upgrade && request->route->route.wants_plain)
        return true;
    if (dx_handshake_judge(&request->head, &request->handshake))
        return true;
    verdict->refusal = request->handshake.refusal;
    verdict->header.name = request->handshake.header_name;
    verdict->header.value = request->handshake.header_value;
    return false;
}

static bool judge_origin(struct dx_request *request, struct dx_verdict *verdict)
{
    struct dx_admission_context context = context_of(request);

    return !request->is_upgrade ||
           dx_admission_judge_origin(&context, &request->head, &request->target.authority,
                                     &verdict->refusal);
}

static bool judge_limits(struct dx_request *request, struct dx_verdict *verdict)
{
    const struct dx_transport *transport = request->exchange->transport;

    verdict->keeps_alive = false;
    verdict->header = dx_reply_retry;
    if (dx_shard_is_closing(transport->shard))
        return refuse(verdict, 503, "the server is ending");
    if (transport->is_over_limit)
        return refuse(verdict, 503, "no place is free");
    if (request->is_upgrade && dx_shard_is_short_of_memory(transport->shard))
        return refuse(verdict, 503, "the server is short of memory");
    return true;
}

/* The length of a body in chunks is known only when it is read. */
static bool judge_body(const struct dx_request *request, struct dx_verdict *verdict)
{
    verdict->header.name = NULL;
    return !dx_request_wants_body(request) || request->body_kind.kind != DX_BODY_LENGTH ||
           request->body_kind.len <= dx_request_max_body(request) ||
           refuse(verdict, 413, DX_REQUEST_BODY_TOO_LONG);
}

bool dx_judge_request(struct dx_request *request, struct dx_verdict *verdict)
{
    *verdict = (struct dx_verdict){.refusal = {0, NULL}};
    return judge_message(request, verdict) && judge_path(request, verdict) &&
           judge_host(request, verdict) && judge_route(request, verdict) &&
           judge_handshake(request, verdict) && judge_origin(request, verdict) &&
           judge_limits(request, verdict) && judge_body(request, verdict);
}
