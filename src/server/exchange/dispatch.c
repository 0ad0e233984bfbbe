/*
 * dispatch.c - a request on its way to its route, or refused. The rules are judge.c's.
 */
#include "server/exchange/judge.h"
#include "server/exchange/request.h"

#include <stdlib.h>

static void answer_refused(struct dx_request *request, const struct dx_verdict *verdict)
{
    dx_request_refuse_with(request, &verdict->refusal,
                           verdict->header.name != NULL ? &verdict->header : NULL,
                           verdict->keeps_alive && request->keeps_alive);
    free(verdict->allow);
}

void dx_request_hand_over(struct dx_request *request)
{
    const struct dx_route *route = &request->route->route;

    dx_address_host(&request->exchange->transport->peer, request->peer_host);
    route->on_request(request, route->user);
}

bool dx_request_dispatch(struct dx_request *request)
{
    struct dx_verdict verdict;

    if (!dx_judge_request(request, &verdict))
        answer_refused(request, &verdict);
    else if (dx_request_wants_body(request))
        return true;
    else
        dx_request_hand_over(request);
    return false;
}
