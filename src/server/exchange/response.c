/*
 * response.c - an answer in pieces (RFC 9112 sections 6 and 7.1). Small pieces gather until the turn's end, large ones go to the
 * kernel at once from the caller's memory; what it refuses waits under max_queue. Not responsible for the last bytes behind
 * the end: those leave as any answer does (http_send.c).
 */
#include "server/exchange/response.h"

#include "http/chunked.h"
#include "server/exchange/reply.h"
#include "server/exchange/request.h"

#include <stdlib.h>

#define DIRECT_LEN 16384 /* from here up a piece goes from the caller's memory */
#define FLUSH_LEN                                                                                  \
 131072 /* what has gathered is sent before the turn's end when it has become this much */

struct dx_response {
    struct dx_http_connection *http; /* NULL: closed, and on_close is still to be told */
    struct dx_shard *shard;
    const struct dx_response_handlers *handlers;
    void *user;
    struct dx_turn_task task;
    uint64_t left; /* of what was announced; DX_LEN_UNKNOWN: nothing was */
    enum dx_framing framing;
    enum dx_err err;
    bool is_dropped;   /* the peer wants no body */
    bool is_ended;     /* no more will be written */
    bool is_blocked;   /* output waits for the peer */
    bool is_congested; /* on_drain is owed */
};

static struct dx_loop *loop_of(const struct dx_response *response)
{
    return response->shard->loop;
}

/* ---- the end ---- */

void dx_response_note(struct dx_response *response, enum dx_err err)
{
    if (response->err == DX_OK)
        response->err = err;
}

void dx_response_lose(struct dx_response *response)
{
    dx_response_note(response, DX_ERR_CLOSED);
    response->http = NULL;
    dx_loop_hold(loop_of(response));
    dx_loop_flush_later(loop_of(response), &response->task);
}

static void tell_close(struct dx_response *response)
{
    if (response->handlers->on_close != NULL)
        response->handlers->on_close(response, response->err, response->user);
    free(response);
}

void dx_response_finish(struct dx_response *response)
{
    dx_loop_flush_cancel(loop_of(response), &response->task);
    tell_close(response);
}

static void finish_lost(struct dx_response *response)
{
    struct dx_shard *shard = response->shard;
    struct dx_loop *loop = shard->loop;

    tell_close(response);
    dx_shard_forget_stream(shard);
    dx_loop_let_go(loop);
}

/* ---- sending ---- */

bool dx_response_is_blocked(const struct dx_response *response)
{
    return response->is_blocked;
}

static size_t max_queue_of(const struct dx_response *response)
{
    return dx_http_connection_limits(response->http)->max_queue;
}

static bool is_over(const struct dx_response *response)
{
    size_t max_queue = max_queue_of(response);

    return max_queue > 0 && response->http->output.len > max_queue;
}

static void note_blocked(struct dx_response *response)
{
    if (response->is_blocked)
        return;
    response->is_blocked = true;
    dx_http_send_set_deadline(response->http);
}

static void note_flowing(struct dx_response *response)
{
    struct dx_http_connection *http = response->http;

    if (!response->is_blocked)
        return;
    response->is_blocked = false;
    if (!http->is_ending)
        dx_wheel_unset(dx_loop_wheel(loop_of(response)), &http->timer);
    if (dx_watch_set(loop_of(response), &http->stream.watch, dx_http_connection_wants(http)) !=
        DX_OK)
        dx_http_connection_fail(http, DX_ERR_SYSTEM);
}

/* Sends what waits. Afterwards the connection may be closed. */
static void push(struct dx_response *response)
{
    if (dx_http_send_output(response->http))
        note_flowing(response);
    else if (response->http != NULL)
        note_blocked(response);
}

static void tell_drain(struct dx_response *response)
{
    if (response->http == NULL || !response->is_congested ||
        (response->http->output.len > 0 &&
         response->http->output.len >= max_queue_of(response) / 2))
        return;
    response->is_congested = false;
    if (response->handlers->on_drain != NULL)
        response->handlers->on_drain(response, response->user);
}

void dx_response_on_writable(struct dx_response *response)
{
    push(response);
    tell_drain(response);
}

/* What is left behind the end leaves as the rest of any answer; that calls dx_response_finish. */
static void send_rest(struct dx_response *response)
{
    note_blocked(response);
    dx_http_send_on_writable(response->http);
}

static void on_turn_end(struct dx_turn_task *task)
{
    struct dx_response *response =
        (struct dx_response *)(void *)((char *)task - offsetof(struct dx_response, task));

    if (response->http == NULL)
        finish_lost(response);
    else if (response->is_ended)
        send_rest(response);
    else if (!response->is_blocked)
        dx_response_on_writable(response);
}

/* ---- beginning ---- */

static struct dx_response *make(const struct dx_request *request, const struct dx_reply *reply,
                                const struct dx_response_handlers *handlers, void *user)
{
    struct dx_response *response = calloc(1, sizeof(*response));

    if (response == NULL)
        return NULL;
    response->http = request->http;
    response->shard = request->http->shard;
    response->handlers = handlers;
    response->user = user;
    response->task.run = on_turn_end;
    response->left = reply->framing == DX_FRAMING_LENGTH ? reply->len : DX_LEN_UNKNOWN;
    response->framing = reply->framing;
    response->is_dropped = reply->is_head || reply->status == 204 || reply->status == 304;
    return response;
}

static enum dx_framing framing_of(const struct dx_request *request, uint64_t len)
{
    if (len != DX_LEN_UNKNOWN)
        return DX_FRAMING_LENGTH;
    return request->head.minor > 0 ? DX_FRAMING_CHUNKED : DX_FRAMING_CLOSE;
}

static void begin(struct dx_response *response, const struct dx_reply *reply)
{
    struct dx_http_connection *http = response->http;

    http->state = DX_HTTP_STREAMING;
    http->keeps_alive = reply->keeps_alive;
    http->response = response;
    dx_wheel_unset(dx_loop_wheel(loop_of(response)), &http->timer);
    dx_loop_flush_later(loop_of(response), &response->task);
}

enum dx_err dx_request_respond_in_pieces(struct dx_request *request, uint16_t status,
                                         const char *content_type, const char *headers,
                                         uint64_t len, const struct dx_response_handlers *handlers,
                                         void *user, struct dx_response **response)
{
    struct dx_http_connection *http = request->http;
    struct dx_reply reply = {.status = status,
                             .framing = framing_of(request, len),
                             .content_type = content_type,
                             .headers = headers,
                             .added = dx_buf_slice(&request->added),
                             .len = len,
                             .is_head = dx_request_is_head(request)};
    struct dx_response *made;
    enum dx_err err = DX_ERR_NOMEM;

    if (http->request != request)
        return DX_ERR_CLOSED;
    made = make(request, &reply, handlers, user);
    reply.keeps_alive = request->keeps_alive && made != NULL &&
                        (made->is_dropped || made->framing != DX_FRAMING_CLOSE);
    if (made != NULL)
        err = dx_reply_queue_head(http, &reply);
    if (err == DX_ERR_USAGE) {
        dx_request_refuse(request, 500, "the answer could not be composed", NULL);
    } else if (err != DX_OK) {
        dx_http_connection_close(http, true); /* frees the request */
    } else {
        begin(made, &reply);
        http->request = NULL;
        dx_request_free(request);
        *response = made;
        return DX_OK;
    }
    free(made);
    return err;
}

/* ---- the body ---- */

/* As a connection's: while no more than max_queue waits any piece may be added; beyond four times that is the end. */
static enum dx_err judge_queue(struct dx_response *response, size_t len)
{
    size_t max_queue = max_queue_of(response);
    size_t waiting = response->http->output.len;

    if (max_queue == 0 || waiting <= max_queue || (waiting + len) / 4 <= max_queue)
        return DX_OK;
    dx_http_connection_fail(response->http, DX_ERR_QUEUE_FULL);
    return DX_ERR_QUEUE_FULL;
}

/* What waits and the piece in one call; what is not taken is copied. A piece that is begun cannot be taken back. */
static enum dx_err put_direct(struct dx_response *response, const struct dx_slice *piece,
                              size_t count)
{
    struct dx_http_connection *http = response->http;
    struct dx_slice slices[DX_STREAM_SLICES];
    size_t waiting_count = dx_output_peek(&http->output, slices, DX_STREAM_SLICES - count);
    size_t waiting = http->output.len;
    enum dx_err err;
    size_t put;

    for (size_t i = 0; i < count; i++)
        slices[waiting_count + i] = piece[i];
    if (!dx_http_send_put(http, slices, waiting_count + count, &put))
        return DX_ERR_CLOSED;
    dx_output_consume(&http->output, put < waiting ? put : waiting);
    err = dx_http_send_keep(http, piece, count, put < waiting ? 0 : put - waiting);
    if (err != DX_OK) {
        dx_http_connection_fail(http, err);
    } else if (http->output.len > 0) {
        note_blocked(response);
        dx_http_send_wait(http);
    }
    return err;
}

static enum dx_err gather(struct dx_response *response, const struct dx_slice *piece, size_t count)
{
    struct dx_http_connection *http = response->http;
    size_t before_len = http->output.len;
    enum dx_err err = dx_http_send_keep(http, piece, count, 0);

    if (err != DX_OK)
        dx_output_truncate(&http->output, before_len);
    return err;
}

static enum dx_err put_piece(struct dx_response *response, struct dx_slice data)
{
    char head[DX_CHUNKED_HEAD_ROOM];
    struct dx_slice piece[3];
    size_t count = 0;

    if (response->framing == DX_FRAMING_CHUNKED)
        piece[count++] =
            (struct dx_slice){(const uint8_t *)head, dx_chunked_write_head(head, data.len)};
    piece[count++] = data;
    if (response->framing == DX_FRAMING_CHUNKED)
        piece[count++] = dx_slice_of("\r\n");
    /* What has gathered has its place beside the piece, in one call. */
    if (data.len >= DIRECT_LEN && !response->is_blocked && response->http->output.len < FLUSH_LEN)
        return put_direct(response, piece, count);
    return gather(response, piece, count);
}

/* Congestion is judged by what the kernel has refused, not by what has gathered for it. */
static enum dx_err settle(struct dx_response *response)
{
    struct dx_http_connection *http = response->http;

    if (http != NULL && !response->is_blocked && http->output.len > 0) {
        if (http->output.len >= FLUSH_LEN || is_over(response))
            push(response);
        else
            dx_loop_flush_later(loop_of(response), &response->task);
    }
    if (response->http == NULL)
        return DX_ERR_CLOSED;
    if (is_over(response))
        response->is_congested = true;
    return DX_OK;
}

enum dx_err dx_response_write(struct dx_response *response, const void *data, size_t len)
{
    enum dx_err err;

    if (response->http == NULL || response->is_ended)
        return DX_ERR_CLOSED;
    if (len > response->left)
        return DX_ERR_USAGE;
    if (len > 0 && !response->is_dropped) {
        err = judge_queue(response, len);
        if (err == DX_OK)
            err = put_piece(response, (struct dx_slice){data, len});
        if (err != DX_OK)
            return err;
    }
    if (response->left != DX_LEN_UNKNOWN)
        response->left -= len;
    return len > 0 && !response->is_dropped ? settle(response) : DX_OK;
}

bool dx_response_is_congested(const struct dx_response *response)
{
    return response->is_congested;
}

void dx_response_end(struct dx_response *response)
{
    struct dx_http_connection *http = response->http;
    struct dx_slice last = dx_slice_of(DX_CHUNKED_END);
    enum dx_err err = DX_OK;

    if (http == NULL || response->is_ended)
        return;
    response->is_ended = true;
    if (!response->is_dropped && response->framing == DX_FRAMING_LENGTH && response->left > 0)
        err = DX_ERR_USAGE;
    else if (!response->is_dropped && response->framing == DX_FRAMING_CHUNKED)
        err = dx_http_send_keep(http, &last, 1, 0);
    if (err != DX_OK) {
        dx_http_connection_fail(http, err);
        return;
    }
    http->state = DX_HTTP_SENDING;
    dx_loop_flush_later(loop_of(response), &response->task);
}

void dx_response_abort(struct dx_response *response)
{
    if (response->http != NULL)
        dx_http_connection_fail(response->http, DX_ERR_CLOSED);
}
