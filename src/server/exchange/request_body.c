/*
 * request_body.c - a request's body in memory that grows as it comes. Not responsible for where a
 * body ends and how it is read: that is the transport's.
 *
 * The announced length reserves nothing: a peer that announces much and sends nothing costs
 * nothing.
 */
#include "server/exchange/request.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 4096

size_t dx_request_max_body(const struct dx_request *request)
{
    return request->route->route.max_body;
}

bool dx_request_wants_body(const struct dx_request *request)
{
    return !request->is_upgrade && request->body_kind.kind != DX_BODY_NONE &&
           dx_request_max_body(request) > 0;
}

void dx_request_refuse_body(struct dx_request *request, uint16_t status, const char *detail)
{
    const struct dx_refusal refusal = {status, detail};

    dx_request_refuse_with(request, &refusal, status == 503 ? &dx_reply_retry : NULL, false);
}

/* Room for `len` bytes in all and a NUL, but never more than max_len needs. */
static bool make_room(struct dx_request *request, size_t len, size_t max_len)
{
    struct dx_pool *pool = dx_loop_pool(dx_exchange_loop(request->exchange));
    size_t room = request->body_room == 0 ? FIRST_ROOM : request->body_room;
    uint8_t *body;

    if (len < request->body_room)
        return true;
    while (room <= len)
        room = room > SIZE_MAX / 2 ? SIZE_MAX : room * 2;
    if (room > max_len)
        room = max_len + 1;
    /* The last part of the pool is for connections that are open already. */
    if (dx_shard_is_short_of_memory(dx_exchange_shard(request->exchange)) ||
        dx_pool_charge(pool, room - request->body_room) != DX_OK)
        return false;
    body = realloc(request->body, room);
    if (body == NULL) {
        dx_pool_uncharge(pool, room - request->body_room);
        return false;
    }
    request->body = body;
    request->body_room = room;
    return true;
}

bool dx_request_add_body(struct dx_request *request, struct dx_slice data, size_t max_len)
{
    if (!make_room(request, request->body_len + data.len, max_len)) {
        dx_request_refuse_body(request, 503, "the server is short of memory");
        return false;
    }
    memcpy(request->body + request->body_len, data.data, data.len);
    request->body_len += data.len;
    request->body[request->body_len] = '\0';
    return true;
}

void dx_request_end_body(struct dx_request *request)
{
    request->body_is_whole = true;
    request->keeps_alive = dx_message_is_persistent(&request->head);
}
