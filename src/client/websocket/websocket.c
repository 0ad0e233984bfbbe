/*
 * websocket.c - life and attributes of a websocket.
 */
#include "client/websocket/websocket_parts.h"

#include "base/text.h"
#include "ws/frame.h"
#include <duplex/tls_client.h>

#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

void dx_websocket_keep(struct dx_websocket *websocket)
{
    atomic_fetch_add(&websocket->references, 1);
}

static void destroy(struct dx_websocket *websocket)
{
    dx_websocket_delist(websocket);
    dx_mailbox_release(&websocket->mailbox);
    dx_outbox_release(&websocket->outbox);
    dx_tls_client_free(websocket->own_tls);
    dx_websocket_settings_release(&websocket->settings);
    dx_websocket_forget_url(websocket);
    free(websocket->listening);
    free(websocket->headers);
    free(websocket->last_detail);
    free(websocket);
}

/* The last reference goes on the loop's thread: other threads only post. */
void dx_websocket_drop(struct dx_websocket *websocket)
{
    if (atomic_fetch_sub(&websocket->references, 1) == 1)
        destroy(websocket);
}

void dx_websocket_begin_life(struct dx_websocket *websocket)
{
    websocket->is_alive = true;
    dx_websocket_keep(websocket);
    dx_loop_hold(websocket->loop);
}

void dx_websocket_end_life(struct dx_websocket *websocket)
{
    if (!websocket->is_alive)
        return;
    websocket->is_alive = false;
    dx_loop_let_go(websocket->loop);
    dx_websocket_drop(websocket);
}

void dx_websocket_queue_task(struct dx_websocket *websocket)
{
    if (dx_turn_task_is_queued(&websocket->task))
        return;
    dx_websocket_keep(websocket);
    dx_loop_flush_later(websocket->loop, &websocket->task);
}

static void on_task(struct dx_turn_task *task)
{
    struct dx_websocket *websocket =
        (struct dx_websocket *)(void *)((char *)task - offsetof(struct dx_websocket, task));

    dx_amount_end_turn(&websocket->amount);
    dx_websocket_refresh_amount(websocket);
    dx_websocket_fail_now(websocket);
    dx_websocket_tell_room(websocket);
    dx_websocket_drop(websocket); /* the queue's reference */
}

static void on_due(struct dx_timer *timer)
{
    struct dx_websocket *websocket =
        (struct dx_websocket *)(void *)((char *)timer - offsetof(struct dx_websocket, timer));

    if (websocket->connection != NULL)
        dx_websocket_on_beat_due(websocket);
    else
        dx_websocket_try_again(websocket);
}

/* ---- the buffered amount ---- */

static uint64_t waiting_len(const struct dx_websocket *websocket)
{
    return websocket->connection != NULL ? dx_connection_buffered_amount(websocket->connection) : 0;
}

void dx_websocket_begin_sending(struct dx_websocket *websocket)
{
    dx_amount_begin(&websocket->amount, waiting_len(websocket));
}

void dx_websocket_count_sent(struct dx_websocket *websocket, size_t len)
{
    if (dx_amount_add(&websocket->amount, len, dx_frame_header_len(len, true)))
        dx_websocket_queue_task(websocket);
}

void dx_websocket_refresh_amount(struct dx_websocket *websocket)
{
    dx_amount_set_kept(&websocket->amount, websocket->outbox.unsent_len);
    if (websocket->connection != NULL)
        dx_amount_update(&websocket->amount, waiting_len(websocket));
}

/* ---- new and free ---- */

/*
 * A ping that has to wait behind output which nobody takes is never sent: there the heartbeat is that some of it leaves in the
 * time in which a ping and its answer were due.
 */
static void bound_writing(struct dx_connection_options *options, const char *heartbeat_text)
{
    uint64_t beat_ms = (uint64_t)options->ping_interval_ms + options->pong_timeout_ms;

    if (options->ping_interval_ms == 0 || options->pong_timeout_ms == 0)
        return;
    if (options->write_timeout_ms == 0 || options->write_timeout_ms > beat_ms)
        options->write_timeout_ms = beat_ms < UINT32_MAX ? (uint32_t)beat_ms : UINT32_MAX;
    if (heartbeat_text != NULL)
        options->ping_interval_ms = 0;
}

static enum dx_err init(struct dx_websocket *websocket, struct dx_loop *loop)
{
    const struct dx_websocket_options *options = &websocket->settings.options;

    websocket->loop = loop;
    websocket->protocol = "";
    websocket->task.run = on_task;
    dx_timer_init(&websocket->timer, on_due);
    dx_beat_init(&websocket->beat, options->heartbeat_answer, options->connection->ping_interval_ms,
                 options->connection->pong_timeout_ms);
    dx_outbox_init(&websocket->outbox, &websocket->settings.outbox);
    dx_connection_kind_init(&websocket->kind, DX_ROLE_CLIENT, options->connection);
    websocket->kind.endpoint.random_user = loop;
    bound_writing(&websocket->kind.options, options->heartbeat_text);
    atomic_init(&websocket->references, 1);
    atomic_init(&websocket->state, DX_READY_STATE_CONNECTING);
    return dx_mailbox_init(&websocket->mailbox, loop, options->connection->max_queue,
                           &dx_websocket_mailbox_handlers, websocket);
}

enum dx_err dx_websocket_new(struct dx_loop *loop, const char *url,
                             const struct dx_websocket_options *options,
                             struct dx_websocket **websocket)
{
    struct dx_websocket *made = calloc(1, sizeof(*made));
    enum dx_err err;

    if (made == NULL)
        return DX_ERR_NOMEM;
    err = dx_websocket_settings_init(&made->settings, options);
    if (err == DX_OK)
        err = init(made, loop);
    if (err != DX_OK) {
        dx_websocket_settings_release(&made->settings);
        free(made);
        return err;
    }
    err = dx_websocket_enlist(made);
    if (err == DX_OK)
        err = dx_websocket_read_url(made, url);
    if (err == DX_OK && made->settings.options.listener != NULL)
        err = dx_websocket_add_listener(made, made->settings.options.listener,
                                        made->settings.options.user);
    if (err == DX_OK)
        err = dx_websocket_connect(made);
    if (err != DX_OK) {
        dx_websocket_drop(made);
        return err == DX_ERR_TOO_BIG ? DX_ERR_USAGE : err;
    }
    dx_websocket_begin_life(made);
    *websocket = made;
    return DX_OK;
}

void dx_websocket_free_here(struct dx_websocket *websocket)
{
    if (websocket->is_freed)
        return;
    websocket->is_freed = true;
    dx_mailbox_run(&websocket->mailbox, false); /* other threads were told that it is sent */
    websocket->fails_later = false;
    dx_websocket_stop_waiting(websocket);
    if (websocket->connection != NULL) {
        dx_websocket_close_here(websocket, 0, "", 0);
    } else {
        websocket->is_closed_by_user = true;
        dx_websocket_stop_connecting(websocket);
        dx_websocket_set_state(websocket, DX_READY_STATE_CLOSED);
        dx_websocket_end_life(websocket);
    }
    dx_websocket_drop(websocket);
}

void dx_websocket_end_with_loop(struct dx_websocket *websocket)
{
    dx_websocket_keep(websocket);
    dx_mailbox_cancel_post(&websocket->mailbox);
    if (dx_mailbox_is_shut(&websocket->mailbox))
        dx_websocket_free_here(websocket);
    websocket->listening_count = 0; /* nothing is told */
    websocket->is_closed_by_user = true;
    dx_websocket_stop_waiting(websocket);
    dx_websocket_stop_connecting(websocket);
    if (websocket->connection != NULL)
        dx_connection_leave(websocket->connection, DX_ERR_CLOSED, "the loop is freed");
    else
        dx_websocket_end_life(websocket);
    dx_websocket_drop(websocket);
}

/* ---- attributes ---- */

const char *dx_websocket_url(const struct dx_websocket *websocket)
{
    return websocket->url;
}

const char *dx_websocket_protocol(const struct dx_websocket *websocket)
{
    return websocket->protocol;
}

const char *dx_websocket_extensions(const struct dx_websocket *websocket)
{
    (void)websocket;
    return ""; /* none is offered, so none is agreed */
}

const char *dx_websocket_response_header_at(const struct dx_websocket *websocket, size_t index,
                                            const char **value)
{
    const char *at = websocket->headers;
    const char *end = at != NULL ? at + websocket->headers_len : NULL;

    for (; at != end; index--) {
        const char *found = at + strlen(at) + 1;

        if (index == 0) {
            *value = found;
            return at;
        }
        at = found + strlen(found) + 1;
    }
    return NULL;
}

const char *dx_websocket_response_header(const struct dx_websocket *websocket, const char *name)
{
    const char *at = websocket->headers;
    const char *end = at != NULL ? at + websocket->headers_len : NULL;

    while (at != end) {
        const char *value = at + strlen(at) + 1;

        if (dx_text_is_nocase(dx_slice_of(at), name))
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

bool dx_websocket_tls(const struct dx_websocket *websocket, struct dx_tls_facts *facts)
{
    return websocket->connection != NULL && dx_connection_tls(websocket->connection, facts);
}

bool dx_websocket_is_congested(const struct dx_websocket *websocket)
{
    return websocket->connection != NULL && dx_connection_is_congested(websocket->connection);
}

const char *dx_websocket_last_error(const struct dx_websocket *websocket)
{
    return websocket->last_error;
}

void dx_websocket_outbox(const struct dx_websocket *websocket, size_t *count,
                         size_t *unproven_count)
{
    *count = websocket->outbox.count;
    *unproven_count = websocket->outbox.sent_count;
}

struct dx_loop *dx_websocket_loop(const struct dx_websocket *websocket)
{
    return websocket->loop;
}
