/*
 * websocket_ending.c - how an attempt, a connection and the websocket itself end (WHATWG
 * WebSockets, "close", and what follows from a connection that has closed).
 *
 * State changes come first; the listeners are called last, with events that are true at that
 * moment.
 */
#include "client/websocket/websocket_parts.h"

#include "client/websocket/backoff.h"

#include <stdio.h>
#include <string.h>

/* ---- failures ---- */

void dx_websocket_fail_later(struct dx_websocket *websocket, enum dx_failure_step step,
                             enum dx_err err, const char *detail)
{
    websocket->late.is_due = true;
    websocket->late.step = step;
    websocket->late.err = err;
    (void)snprintf(websocket->late.detail, sizeof(websocket->late.detail), "%s",
                   detail != NULL ? detail : dx_err_text(err));
    dx_websocket_queue_task(websocket);
}

void dx_websocket_fail_now(struct dx_websocket *websocket)
{
    struct dx_late_failure late = websocket->late;
    struct dx_error_event error = {.step = late.step, .err = late.err, .detail = late.detail};
    struct dx_close_event close = {.code = DX_CLOSE_ABNORMAL, .reason = ""};

    if (!late.is_due)
        return;
    websocket->late.is_due = false;
    dx_websocket_end(websocket, &error, &close);
}

/* ---- the end of an attempt or a connection ---- */

static bool will_try_again(const struct dx_websocket *websocket, const struct dx_error_event *error,
                           const struct dx_close_event *close)
{
    const struct dx_reconnect_options *reconnect = websocket->settings.options.reconnect;

    if (reconnect == NULL || websocket->is_closed_by_user)
        return false;
    if (reconnect->max_attempts > 0 && websocket->attempt >= reconnect->max_attempts)
        return false;
    return dx_backoff_is_worth_it(error, close);
}

static uint32_t draw(struct dx_websocket *websocket)
{
    uint32_t random = UINT32_MAX / 2;

    (void)dx_loop_fill_random((uint8_t *)&random, sizeof(random), websocket->loop);
    return random;
}

/* Sets the timer for the next attempt, if there is to be one, and the life that follows. */
static void plan(struct dx_websocket *websocket, const struct dx_error_event *error,
                 struct dx_close_event *close)
{
    const struct dx_reconnect_options *reconnect = &websocket->settings.reconnect;
    uint64_t now_ms = dx_loop_now_ms(websocket->loop);

    if (websocket->opened_ms > 0 && now_ms - websocket->opened_ms >= reconnect->stable_ms)
        websocket->attempt = 0;
    websocket->opened_ms = 0;
    dx_wheel_unset(dx_loop_wheel(websocket->loop), &websocket->timer);
    if (dx_websocket_life(websocket) == DX_LIFE_LEAVING) {
        dx_websocket_set_life(websocket, DX_LIFE_GONE);
    } else if (will_try_again(websocket, error, close)) {
        close->delay_ms = dx_backoff_delay(reconnect, ++websocket->attempt, draw(websocket));
        dx_wheel_set(dx_loop_wheel(websocket->loop), &websocket->timer, now_ms + close->delay_ms);
        dx_websocket_set_life(websocket, DX_LIFE_WAITING);
    } else {
        dx_websocket_set_life(websocket, DX_LIFE_ENDED);
    }
}

static void finish(struct dx_websocket *websocket, const struct dx_error_event *error,
                   struct dx_close_event *close)
{
    dx_sibling_give_turn(&websocket->sibling);
    dx_outbox_rewind(&websocket->outbox);
    websocket->barrier = 0;
    websocket->pending_close.is_due = false;
    plan(websocket, error, close);
    dx_mailbox_run(&websocket->mailbox, false);
    dx_websocket_refresh_amount(websocket);
    dx_websocket_set_error(websocket, error);
}

void dx_websocket_end(struct dx_websocket *websocket, const struct dx_error_event *error,
                      struct dx_close_event *close)
{
    dx_websocket_enter(websocket);
    finish(websocket, error, close);
    if (error != NULL)
        dx_websocket_tell_error(websocket, error);
    /* A posted call, or a listener that got the error, may have closed it. */
    close->will_reconnect = dx_websocket_life(websocket) == DX_LIFE_WAITING;
    if (!close->will_reconnect)
        close->delay_ms = 0;
    dx_websocket_tell_close(websocket, close);
    dx_websocket_leave(websocket);
}

static void stop_connecting(struct dx_websocket *websocket)
{
    dx_connector_cancel(websocket->connector);
    websocket->connector = NULL;
    dx_sibling_give_turn(&websocket->sibling);
}

static void stop_waiting(struct dx_websocket *websocket)
{
    dx_wheel_unset(dx_loop_wheel(websocket->loop), &websocket->timer);
    dx_websocket_set_life(websocket, DX_LIFE_ENDED);
}

/* ---- close and abort ---- */

/* What is queued goes first: what other threads have sent, and what the outbox has. */
static void close_open(struct dx_websocket *websocket, uint16_t code, const char *reason,
                       size_t reason_len)
{
    struct dx_pending_close *pending = &websocket->pending_close;

    dx_mailbox_run(&websocket->mailbox, false);
    pending->code = code == 0 ? DX_CLOSE_NO_STATUS : code;
    pending->reason_len = reason_len;
    if (reason_len > 0)
        memcpy(pending->reason, reason, reason_len);
    pending->is_due = true;
    dx_websocket_set_life(websocket, DX_LIFE_CLOSING);
    dx_websocket_pump_outbox(websocket);
}

void dx_websocket_close_here(struct dx_websocket *websocket, uint16_t code, const char *reason,
                             size_t reason_len)
{
    switch (dx_websocket_life(websocket)) {
    case DX_LIFE_CONNECTING:
        stop_connecting(websocket);
        dx_websocket_set_life(websocket, DX_LIFE_CLOSING);
        dx_websocket_fail_later(websocket, DX_STEP_CLOSED, DX_ERR_CLOSED,
                                "closed before it was open");
        break;
    case DX_LIFE_OPEN:
        close_open(websocket, code, reason, reason_len);
        break;
    case DX_LIFE_WAITING:
        stop_waiting(websocket);
        break;
    case DX_LIFE_CLOSING:
    case DX_LIFE_ENDED:
    case DX_LIFE_LEAVING:
    case DX_LIFE_GONE:
        break;
    }
    websocket->is_closed_by_user = true;
}

void dx_websocket_abort_here(struct dx_websocket *websocket)
{
    websocket->is_closed_by_user = true;
    if (websocket->connection != NULL)
        dx_connection_abort(websocket->connection, DX_ERR_CLOSED, "aborted");
    else
        dx_websocket_close_here(websocket, 0, "", 0);
}

/* ---- free ---- */

static bool is_freed(const struct dx_websocket *websocket)
{
    enum dx_websocket_life life = dx_websocket_life(websocket);

    return life == DX_LIFE_LEAVING || life == DX_LIFE_GONE;
}

void dx_websocket_free_here(struct dx_websocket *websocket)
{
    if (is_freed(websocket))
        return;
    dx_websocket_enter(websocket);
    dx_websocket_forget_listeners(websocket);
    dx_mailbox_run(&websocket->mailbox, false); /* other threads got DX_OK for it */
    dx_websocket_close_here(websocket, 0, "", 0);
    websocket->late.is_due = false;
    dx_websocket_set_life(websocket,
                          websocket->connection != NULL ? DX_LIFE_LEAVING : DX_LIFE_GONE);
    dx_websocket_leave(websocket);
}

void dx_websocket_end_with_loop(struct dx_websocket *websocket)
{
    dx_websocket_enter(websocket);
    dx_mailbox_cancel_post(&websocket->mailbox);
    if (dx_mailbox_is_shut(&websocket->mailbox))
        dx_websocket_free_here(websocket);
    dx_websocket_forget_listeners(websocket);
    websocket->is_closed_by_user = true;
    websocket->late.is_due = false;
    dx_wheel_unset(dx_loop_wheel(websocket->loop), &websocket->timer);
    stop_connecting(websocket);
    if (websocket->connection != NULL)
        dx_connection_leave(websocket->connection, DX_ERR_CLOSED, "the loop was freed");
    else if (!is_freed(websocket))
        dx_websocket_set_life(websocket, DX_LIFE_ENDED);
    dx_websocket_leave(websocket);
}
