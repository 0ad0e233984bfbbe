/*
 * http_request.c - a request's head from the connection's bytes into memory of its own (RFC 9112
 * sections 2 to 5). Not responsible for what it means.
 *
 * A head that comes whole is parsed where it was read and then copied once, exactly; only one that
 * comes in pieces is gathered in a buffer that grows, up to the limit of a head.
 */
#include "server/exchange/request.h"
#include "server/http1/http_connection.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 512

static bool make_room(struct dx_request *request, size_t room)
{
    struct dx_pool *pool = dx_loop_pool(dx_exchange_loop(request->exchange));
    uint8_t *bytes;

    if (room <= request->room)
        return true;
    if (dx_pool_charge(pool, room - request->room) != DX_OK)
        return false;
    bytes = realloc(request->bytes, room);
    if (bytes == NULL) {
        dx_pool_uncharge(pool, room - request->room);
        return false;
    }
    request->bytes = bytes;
    request->room = (uint32_t)room;
    return true;
}

static bool append(struct dx_request *request, const uint8_t *data, size_t len)
{
    size_t room = request->room == 0 ? FIRST_ROOM : request->room;

    while (room < request->len + len)
        room *= 2;
    if (!make_room(request, room))
        return false;
    memcpy(request->bytes + request->len, data, len);
    request->len += (uint32_t)len;
    return true;
}

static void end_text(struct dx_request *request, struct dx_span span)
{
    request->bytes[span.at + span.len] = '\0';
}

/*
 * A blank, a colon or a CR follows each piece and is not needed any more: pieces become C strings
 * in place.
 */
static void complete(struct dx_request *request)
{
    struct dx_head *head = &request->head;

    dx_head_rebase(head, request->bytes);
    end_text(request, head->method);
    end_text(request, head->target);
    for (size_t index = 0; index < head->header_count; index++) {
        end_text(request, head->headers[index].name);
        end_text(request, head->headers[index].value);
    }
    request->is_complete = true;
    dx_counter_add(&dx_exchange_shard(request->exchange)->counters.requests, 1);
    dx_transport_end_half_open(request->exchange->transport);
}

static void refuse_for_memory(struct dx_http_connection *http)
{
    static const struct dx_refusal short_of_memory = {503, "the server is short of memory"};

    dx_exchange_refuse_unread(&http->exchange, &short_of_memory, &dx_reply_retry);
}

size_t dx_http_request_read(struct dx_http_connection *http, const uint8_t *data, size_t len)
{
    struct dx_head_limits limits = dx_head_limits_init();
    struct dx_request *request = http->exchange.request;
    enum dx_head_status status;
    size_t before, taken;

    if (request == NULL)
        request = dx_request_new(&http->exchange);
    if (request == NULL) {
        refuse_for_memory(http);
        return len;
    }
    before = request->len;
    taken = len > limits.total_len + 1u - before ? limits.total_len + 1u - before : len;
    if (before > 0 && !append(request, data, taken)) {
        refuse_for_memory(http);
        return len;
    }
    status = before > 0 ? dx_head_parse(&request->head, &limits, request->bytes, request->len)
                        : dx_head_parse(&request->head, &limits, data, taken);
    if (status == DX_HEAD_REFUSED) {
        struct dx_refusal refusal = request->head.refusal;

        dx_exchange_refuse_unread(&http->exchange, &refusal, NULL);
        return len;
    }
    if (status == DX_HEAD_DONE)
        taken = request->head.len - before;
    if (before == 0 && (!make_room(request, status == DX_HEAD_DONE ? taken : FIRST_ROOM) ||
                        !append(request, data, taken))) {
        refuse_for_memory(http);
        return len;
    }
    if (status == DX_HEAD_DONE)
        complete(request);
    return taken;
}
