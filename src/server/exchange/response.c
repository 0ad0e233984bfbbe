/*
 * response.c - an answer in pieces, as the application sees it: how much may be written, when to
 * stop and go on, how it ends. Not responsible for how pieces are framed and sent: that is the
 * transport's.
 */
#include "server/exchange/response.h"

#include "base/container.h"
#include "base/sized.h"
#include "server/exchange/request.h"

#include <stdlib.h>

struct dx_response {
    struct dx_exchange *exchange; /* NULL: closed, and on_close is due */
    struct dx_shard *shard;
    const struct dx_response_handlers *handlers;
    void *user;
    struct dx_turn_task task; /* at the turn's end: flush, or on_close */
    uint64_t left;            /* of the announced length; DX_LEN_UNKNOWN: none was announced */
    enum dx_err err;
    bool is_dropped;   /* the answer has no body: what is written is dropped */
    bool is_ended;     /* no more will be written */
    bool is_congested; /* on_drain is due */
};

static const struct dx_transport_operations *operations_of(const struct dx_exchange *exchange)
{
    return exchange->transport->operations;
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
    response->exchange = NULL;
    dx_loop_hold(response->shard->loop);
    dx_loop_flush_later(response->shard->loop, &response->task);
}

static void call_on_close(struct dx_response *response)
{
    if (response->handlers != NULL && response->handlers->on_close != NULL)
        response->handlers->on_close(response, response->err, response->user);
    free(response);
}

void dx_response_finish(struct dx_response *response)
{
    dx_loop_flush_cancel(response->shard->loop, &response->task);
    call_on_close(response);
}

static void finish_lost(struct dx_response *response)
{
    struct dx_shard *shard = response->shard;
    struct dx_loop *loop = shard->loop;

    call_on_close(response);
    dx_shard_forget_stream(shard);
    dx_loop_let_go(loop);
}

/* ---- sending ---- */

void dx_response_on_sent(struct dx_response *response)
{
    const struct dx_exchange *exchange = response->exchange;

    if (exchange == NULL || !response->is_congested ||
        (exchange->output.len > 0 && exchange->output.len >= exchange->limits->max_queue / 2))
        return;
    response->is_congested = false;
    if (response->handlers != NULL && response->handlers->on_drain != NULL)
        response->handlers->on_drain(response, response->user);
}

static void on_turn_end(struct dx_turn_task *task)
{
    struct dx_response *response = dx_container_of(task, struct dx_response, task);
    bool is_ended = response->is_ended;

    if (response->exchange == NULL) {
        finish_lost(response);
        return;
    }
    operations_of(response->exchange)->flush(response->exchange);
    if (!is_ended) /* else it may be finished and freed */
        dx_response_on_sent(response);
}

/* ---- beginning ---- */

static struct dx_response *make(const struct dx_request *request, const struct dx_reply *reply,
                                const struct dx_response_handlers *handlers, void *user)
{
    struct dx_response *response = calloc(1, sizeof(*response));

    if (response == NULL)
        return NULL;
    response->exchange = request->exchange;
    response->shard = dx_exchange_shard(request->exchange);
    response->handlers = handlers;
    response->user = user;
    response->task.run = on_turn_end;
    response->left = reply->len;
    response->is_dropped = !dx_reply_has_body(reply);
    return response;
}

/* Checks and copies what the caller gives. */
static enum dx_err take_options(struct dx_response_options *own,
                                const struct dx_response_options *options)
{
    enum dx_err err = DX_SIZED_COPY(struct dx_response_options, user, own, options);

    if (err == DX_OK)
        err = DX_SIZED_CHECK(struct dx_response_handlers, on_close, own->handlers);
    return err;
}

enum dx_err dx_request_respond_in_pieces(struct dx_request *request,
                                         const struct dx_response_options *options,
                                         struct dx_response **response)
{
    struct dx_exchange *exchange = request->exchange;
    struct dx_response_options own = dx_response_options_init();
    struct dx_response *made = NULL;
    struct dx_reply reply;
    enum dx_err err;

    if (exchange->request != request)
        return DX_ERR_CLOSED;
    err = take_options(&own, options);
    if (err == DX_OK)
        err = dx_request_fill_reply(request, &own, &reply);
    if (err == DX_OK) {
        made = make(request, &reply, own.handlers, own.user);
        err = made != NULL ? dx_exchange_begin(exchange, &reply) : DX_ERR_NOMEM;
    }
    if (err == DX_ERR_USAGE) {
        dx_request_refuse(request, 500, "the answer could not be composed", NULL, 0);
    } else if (err != DX_OK) {
        operations_of(exchange)->abort(exchange, err); /* frees the request */
    } else {
        exchange->request = NULL;
        exchange->response = made;
        dx_request_free(request);
        dx_loop_flush_later(made->shard->loop, &made->task);
        *response = made;
        return DX_OK;
    }
    free(made);
    return err;
}

/* ---- the body ---- */

/*
 * The rule of a connection's queue: while at most max_queue waits any piece may be added; four
 * times that is the end.
 */
static enum dx_err judge_piece(const struct dx_exchange *exchange, size_t len)
{
    size_t max_queue = exchange->limits->max_queue;
    size_t waiting = exchange->output.len;

    if (max_queue == 0 || waiting <= max_queue || (waiting + len) / 4 <= max_queue)
        return DX_OK;
    return DX_ERR_QUEUE_FULL;
}

static enum dx_err write_piece(struct dx_response *response, struct dx_slice data)
{
    struct dx_exchange *exchange = response->exchange;
    enum dx_err err = judge_piece(exchange, data.len);

    if (err != DX_OK) {
        operations_of(exchange)->abort(exchange, err);
        return err;
    }
    return operations_of(exchange)->write(exchange, data);
}

/*
 * Congestion is judged by what the kernel has refused, not by what is gathered until the turn's
 * end.
 */
static enum dx_err settle(struct dx_response *response)
{
    const struct dx_exchange *exchange = response->exchange;

    if (exchange == NULL)
        return DX_ERR_CLOSED;
    if (!exchange->is_blocked && exchange->output.len > 0)
        dx_loop_flush_later(response->shard->loop, &response->task);
    if (dx_exchange_is_over(exchange))
        response->is_congested = true;
    return DX_OK;
}

enum dx_err dx_response_write(struct dx_response *response, const void *data, size_t len)
{
    bool is_sent = len > 0 && !response->is_dropped;

    if (response->exchange == NULL || response->is_ended)
        return DX_ERR_CLOSED;
    if (len > response->left)
        return DX_ERR_USAGE;
    if (is_sent) {
        enum dx_err err = write_piece(response, (struct dx_slice){data, len});

        if (err != DX_OK)
            return err;
    }
    if (response->left != DX_LEN_UNKNOWN)
        response->left -= len;
    return is_sent ? settle(response) : DX_OK;
}

bool dx_response_is_congested(const struct dx_response *response)
{
    return response->is_congested;
}

void dx_response_end(struct dx_response *response)
{
    struct dx_exchange *exchange = response->exchange;
    bool is_short = response->left != DX_LEN_UNKNOWN && response->left > 0;
    enum dx_err err;

    if (exchange == NULL || response->is_ended)
        return;
    response->is_ended = true;
    err = !response->is_dropped && is_short ? DX_ERR_USAGE : operations_of(exchange)->end(exchange);
    if (err != DX_OK)
        operations_of(exchange)->abort(exchange, err);
    else
        dx_loop_flush_later(response->shard->loop, &response->task);
}

void dx_response_abort(struct dx_response *response)
{
    if (response->exchange != NULL)
        operations_of(response->exchange)->abort(response->exchange, DX_ERR_CLOSED);
}
