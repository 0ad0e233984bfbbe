/*
 * websocket.c - life and attributes of a websocket.
 */
#include "client/websocket/websocket_parts.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- what its loop calls ---- */

static void on_task(struct dx_turn_task *task)
{
    struct dx_websocket *websocket = dx_container_of(task, struct dx_websocket, task);

    dx_websocket_enter(websocket);
    dx_amount_end_turn(&websocket->amount);
    dx_websocket_refresh_amount(websocket);
    if (dx_mailbox_is_shut(&websocket->mailbox))
        dx_websocket_free_here(websocket);
    dx_websocket_fail_now(websocket);
    dx_websocket_tell_room(websocket);
    dx_websocket_leave(websocket);
}

static void on_due(struct dx_timer *timer)
{
    struct dx_websocket *websocket = dx_container_of(timer, struct dx_websocket, timer);

    if (dx_websocket_life(websocket) == DX_LIFE_WAITING)
        dx_websocket_try_again(websocket);
    else if (dx_websocket_life(websocket) == DX_LIFE_OPEN)
        dx_websocket_on_beat_due(websocket); /* closing has a deadline of its own */
}

static void on_turn(struct dx_sibling *sibling)
{
    dx_websocket_connect_in_turn(dx_container_of(sibling, struct dx_websocket, sibling));
}

static void on_loop_free(struct dx_sibling *sibling)
{
    dx_websocket_end_with_loop(dx_container_of(sibling, struct dx_websocket, sibling));
}

static const struct dx_sibling_handlers sibling_handlers = {.on_turn = on_turn,
                                                            .on_loop_free = on_loop_free};

/* ---- new ---- */

/*
 * A ping that queues after output which the peer does not read is never sent: there the heartbeat
 * is that some of it leaves in the time in which a ping and its answer were due.
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
    atomic_init(&websocket->life, DX_LIFE_CONNECTING);
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
    err = dx_sibling_join(&made->sibling, loop, &sibling_handlers);
    if (err == DX_OK)
        err = dx_websocket_target_read(&made->target, made->settings.options.base_url, url);
    if (err == DX_OK && made->settings.options.listener != NULL)
        err = dx_websocket_add_listener(made, made->settings.options.listener,
                                        made->settings.options.user);
    if (err == DX_OK)
        err = dx_websocket_check(made);
    if (err != DX_OK) {
        dx_websocket_destroy(made);
        return err == DX_ERR_TOO_BIG ? DX_ERR_USAGE : err;
    }
    dx_loop_hold(loop);
    dx_websocket_connect(made);
    *websocket = made;
    return DX_OK;
}

/* ---- attributes ---- */

const char *dx_websocket_url(const struct dx_websocket *websocket)
{
    return websocket->target.url;
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
