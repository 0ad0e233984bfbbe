/*
 * request_read.c - a request's head from the connection's bytes into memory of its own. Not responsible for what it means.
 *
 * A head that comes whole is parsed where it was read and then copied once, exactly; only one that comes in pieces is
 * gathered in a buffer that grows, up to the limit of a head.
 */
#include "server/exchange/request.h"

#include "server/exchange/reply.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 512

static struct dx_pool *pool_of(const struct dx_request *request)
{
    return dx_loop_pool(request->http->shard->loop);
}

static bool begin(struct dx_http_connection *http)
{
    struct dx_request *request = calloc(1, sizeof(*request));

    if (request == NULL)
        return false;
    request->http = http;
    dx_head_init(&request->head, DX_HEAD_REQUEST);
    dx_buf_init(&request->added, DX_REQUEST_ADDED_MAX);
    http->request = request;
    return true;
}

static bool make_room(struct dx_request *request, size_t room)
{
    uint8_t *bytes;

    if (room <= request->room)
        return true;
    if (dx_pool_charge(pool_of(request), room - request->room) != DX_OK)
        return false;
    bytes = realloc(request->bytes, room);
    if (bytes == NULL) {
        dx_pool_uncharge(pool_of(request), room - request->room);
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

/* What ends each piece is a blank, a colon or a CR, of no further use: pieces become C strings where they are. */
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
    dx_counter_add(&request->http->shard->counters.requests, 1);
    dx_http_connection_end_half_open(request->http);
}

static void refuse_for_memory(struct dx_http_connection *http)
{
    static const struct dx_refusal short_of_memory = {503, "the server is short of memory"};

    dx_reply_refuse_unread(http, &short_of_memory, "Retry-After: 1\r\n");
}

size_t dx_request_read(struct dx_http_connection *http, const uint8_t *data, size_t len)
{
    struct dx_head_limits limits = dx_head_limits_init();
    struct dx_request *request;
    enum dx_head_status status;
    size_t before, taken;

    if (http->request == NULL && !begin(http)) {
        refuse_for_memory(http);
        return len;
    }
    request = http->request;
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

        dx_reply_refuse_unread(http, &refusal, NULL);
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
