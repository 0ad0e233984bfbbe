/*
 * request_body.c - a request's body, of a known length or in chunks, into memory that grows as it comes (RFC 9112 sections 6 and
 * 7, RFC 9110 section 10.1.1). Not responsible for how long a body says it is: that is http/message.h.
 *
 * What is announced is not believed: a peer that announces much and sends nothing costs nothing.
 */
#include "server/exchange/request.h"

#include "server/exchange/reply.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 4096

static struct dx_pool *pool_of(const struct dx_request *request)
{
    return dx_loop_pool(request->http->shard->loop);
}

static size_t max_of(const struct dx_request *request)
{
    return request->route->route.max_body;
}

static void refuse_body(struct dx_request *request, uint16_t status, const char *detail)
{
    const struct dx_refusal refusal = {status, detail};

    dx_request_refuse_with(request, &refusal, status == 503 ? "Retry-After: 1\r\n" : NULL, false);
}

static void refuse_too_long(struct dx_request *request)
{
    refuse_body(request, 413, "the body is longer than is read here");
}

/* ---- beginning ---- */

/* The span in which DX_HTTP_PROGRESS_LEN bytes, or the rest, have to come. */
static void set_deadline(struct dx_http_connection *http)
{
    uint32_t timeout_ms = dx_http_connection_limits(http)->message_timeout_ms;

    http->moved_len = 0;
    if (timeout_ms == 0)
        dx_wheel_unset(dx_loop_wheel(http->shard->loop), &http->timer);
    else
        dx_http_connection_set_deadline(http, timeout_ms);
}

/* The peer waits for this before it sends the body; one that has begun to does not (RFC 9110 10.1.1). */
static void send_continue(struct dx_http_connection *http)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct dx_slice slice = dx_slice_of(text);
    size_t put;

    if (!dx_http_send_put(http, &slice, 1, &put))
        return;
    if (dx_http_send_keep(http, &slice, 1, put) != DX_OK)
        dx_http_connection_close(http, true); /* some of it may be out */
    else if (http->output.len > 0)
        dx_http_send_wait(http);
}

bool dx_request_begin_body(struct dx_request *request, size_t early_len)
{
    struct dx_http_connection *http = request->http;

    if (request->is_upgrade || request->body_kind.kind == DX_BODY_NONE || max_of(request) == 0)
        return false;
    if (request->body_kind.kind == DX_BODY_LENGTH && request->body_kind.len > max_of(request)) {
        refuse_too_long(request);
        return true;
    }
    http->state = DX_HTTP_BODY;
    set_deadline(http);
    if (early_len == 0 && dx_message_expect(&request->head) == DX_EXPECT_CONTINUE)
        send_continue(http);
    return true;
}

void dx_request_on_body_due(struct dx_request *request)
{
    if (request->http->moved_len >= DX_HTTP_PROGRESS_LEN)
        set_deadline(request->http);
    else
        refuse_body(request, 408, "the body did not come in time");
}

/* ---- reading ---- */

/* Room for `len` bytes in all and a NUL; never more than the body can need, which `max_len` says. */
static bool make_room(struct dx_request *request, size_t len, size_t max_len)
{
    size_t room = request->body_room == 0 ? FIRST_ROOM : request->body_room;
    uint8_t *body;

    if (len < request->body_room)
        return true;
    while (room <= len)
        room = room > SIZE_MAX / 2 ? SIZE_MAX : room * 2;
    if (room > max_len)
        room = max_len + 1;
    /* The last part of the pool is for connections that are open already. */
    if (dx_shard_is_short_of_memory(request->http->shard) ||
        dx_pool_charge(pool_of(request), room - request->body_room) != DX_OK)
        return false;
    body = realloc(request->body, room);
    if (body == NULL) {
        dx_pool_uncharge(pool_of(request), room - request->body_room);
        return false;
    }
    request->body = body;
    request->body_room = room;
    return true;
}

static bool append(struct dx_request *request, struct dx_slice data, size_t max_len)
{
    if (!make_room(request, request->body_len + data.len, max_len)) {
        refuse_body(request, 503, "the server is short of memory");
        return false;
    }
    memcpy(request->body + request->body_len, data.data, data.len);
    request->body_len += data.len;
    request->body[request->body_len] = '\0';
    return true;
}

static void complete(struct dx_request *request)
{
    request->body_is_whole = true;
    request->keeps_alive = dx_message_is_persistent(&request->head);
    request->http->state = DX_HTTP_READING;
}

static size_t read_known(struct dx_request *request, const uint8_t *data, size_t len)
{
    size_t all_len = (size_t)request->body_kind.len;
    size_t left = all_len - request->body_len;
    size_t taken = len < left ? len : left;

    if (!append(request, (struct dx_slice){data, taken}, all_len))
        return len;
    if (taken == left)
        complete(request);
    return taken;
}

/* A chunk's line tells how much comes, before it comes. */
static bool is_too_long(const struct dx_request *request, size_t piece_len)
{
    uint64_t left = max_of(request) - request->body_len;

    return piece_len > left || dx_chunked_announced(&request->chunked) > left - piece_len;
}

static size_t read_chunked(struct dx_request *request, const uint8_t *data, size_t len)
{
    struct dx_slice input = {data, len};
    enum dx_chunked_step step;

    do {
        struct dx_slice piece = {NULL, 0};

        step = dx_chunked_next(&request->chunked, &input, &piece);
        if (is_too_long(request, piece.len)) {
            refuse_too_long(request);
            return len;
        }
        if (step == DX_CHUNKED_DATA && !append(request, piece, max_of(request)))
            return len;
    } while (step == DX_CHUNKED_DATA);
    if (step == DX_CHUNKED_BAD) {
        refuse_body(request, 400, request->chunked.detail);
        return len;
    }
    if (step == DX_CHUNKED_DONE)
        complete(request);
    return len - input.len;
}

size_t dx_request_read_body(struct dx_http_connection *http, const uint8_t *data, size_t len)
{
    http->moved_len += len;
    return http->request->body_kind.kind == DX_BODY_LENGTH ? read_known(http->request, data, len)
                                                           : read_chunked(http->request, data, len);
}
