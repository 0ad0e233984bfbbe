/*
 * websocket_send.c - messages out of a websocket, and closing it (WHATWG WebSockets, "send" and "close").
 */
#include "client/websocket/websocket_parts.h"

#include <string.h>

/* ---- send ---- */

static bool is_message(enum dx_opcode opcode)
{
    return opcode == DX_OP_TEXT || opcode == DX_OP_BINARY;
}

/* As a caller is told: the loop's memory is memory. */
static enum dx_err told(enum dx_err err)
{
    return err == DX_ERR_TOO_MANY ? DX_ERR_NOMEM : err;
}

void dx_websocket_close_full(struct dx_websocket *websocket)
{
    if (websocket->connection != NULL)
        dx_connection_abort(websocket->connection, DX_ERR_QUEUE_FULL,
                            "what waits to be sent is more than is kept");
}

/* What the standard does when a buffer is full is to close; the message counts as sent. */
static enum dx_err refuse(struct dx_websocket *websocket, size_t len)
{
    if (websocket->settings.options.strict_browser) {
        dx_amount_add_dropped(&websocket->amount, len);
        dx_websocket_close_full(websocket);
    }
    return DX_ERR_QUEUE_FULL;
}

static enum dx_err send_open(struct dx_websocket *websocket, enum dx_opcode opcode,
                             const void *data, size_t len, bool was_taken)
{
    enum dx_err err;

    if (!was_taken && dx_connection_is_congested(websocket->connection))
        return refuse(websocket, len);
    dx_websocket_begin_sending(websocket);
    err = dx_connection_send(websocket->connection, opcode, data, len);
    if (err == DX_OK)
        dx_websocket_count_sent(websocket, len);
    return told(err);
}

void dx_websocket_send_first(struct dx_websocket *websocket)
{
    const char *greeting = websocket->settings.options.greeting;
    enum dx_err err = DX_OK;

    if (greeting != NULL)
        err = send_open(websocket, DX_OP_TEXT, greeting, strlen(greeting), true);
    /* The peer must not get what stands behind a greeting without it. */
    if (err != DX_OK)
        dx_connection_abort(websocket->connection, err, "the greeting could not be sent");
    else
        dx_websocket_pump_outbox(websocket);
}

static bool keeps(const struct dx_websocket *websocket)
{
    return websocket->settings.options.outbox != NULL && !websocket->is_closed_by_user &&
           websocket->is_alive;
}

enum dx_err dx_websocket_send_here(struct dx_websocket *websocket, enum dx_opcode opcode,
                                   const void *data, size_t len, bool was_taken)
{
    enum dx_ready_state state = dx_websocket_state(websocket);
    enum dx_err err;

    if (keeps(websocket)) {
        err = dx_outbox_add(&websocket->outbox, opcode, data, len);
        if (err == DX_OK) {
            dx_websocket_refresh_amount(websocket);
            dx_websocket_pump_outbox(websocket);
        } else if (err == DX_ERR_QUEUE_FULL) {
            websocket->outbox_was_full = true;
        }
        return err;
    }
    if (state == DX_READY_STATE_OPEN) {
        err = send_open(websocket, opcode, data, len, was_taken);
        if (err != DX_ERR_CLOSED)
            return err;
    } else if (state == DX_READY_STATE_CONNECTING) {
        return DX_ERR_STATE;
    }
    dx_amount_add_dropped(&websocket->amount, len);
    return DX_OK;
}

enum dx_err dx_websocket_send_fragment_here(struct dx_websocket *websocket, enum dx_opcode opcode,
                                            const void *data, size_t len, bool is_last,
                                            bool was_taken)
{
    enum dx_err err;

    if (dx_websocket_state(websocket) != DX_READY_STATE_OPEN)
        return DX_ERR_STATE;
    if (!was_taken && dx_connection_is_congested(websocket->connection))
        return refuse(websocket, len);
    dx_websocket_begin_sending(websocket);
    err = dx_connection_send_fragment(websocket->connection, opcode, data, len, is_last);
    if (err != DX_OK)
        return err == DX_ERR_CLOSED ? DX_ERR_STATE : told(err);
    dx_websocket_count_sent(websocket, len);
    if (is_last)
        dx_websocket_pump_outbox(websocket); /* which had to wait for it */
    return DX_OK;
}

enum dx_err dx_websocket_ping_here(struct dx_websocket *websocket, const void *data, size_t len)
{
    enum dx_err err;

    if (dx_websocket_state(websocket) != DX_READY_STATE_OPEN)
        return DX_ERR_STATE;
    err = dx_connection_ping(websocket->connection, data, len);
    return err == DX_ERR_CLOSED ? DX_ERR_STATE : told(err);
}

/* ---- close ---- */

void dx_websocket_close_now(struct dx_websocket *websocket)
{
    websocket->closes_later = false;
    (void)dx_connection_close(websocket->connection, websocket->close_code, websocket->close_reason,
                              websocket->close_len);
}

/* What is queued goes first: what other threads have sent, and what the outbox has. */
static void close_open(struct dx_websocket *websocket, uint16_t code, const char *reason,
                       size_t reason_len)
{
    dx_websocket_run_calls(websocket, false);
    websocket->close_code = code == 0 ? DX_CLOSE_NO_STATUS : code;
    websocket->close_len = reason_len;
    if (reason_len > 0)
        memcpy(websocket->close_reason, reason, reason_len);
    websocket->closes_later = true;
    dx_websocket_set_state(websocket, DX_READY_STATE_CLOSING);
    dx_websocket_pump_outbox(websocket);
}

void dx_websocket_close_here(struct dx_websocket *websocket, uint16_t code, const char *reason,
                             size_t reason_len)
{
    enum dx_ready_state state = dx_websocket_state(websocket);

    if (state == DX_READY_STATE_OPEN) {
        close_open(websocket, code, reason, reason_len);
    } else if (state == DX_READY_STATE_CLOSED) {
        dx_websocket_stop_waiting(websocket);
    } else if (state == DX_READY_STATE_CONNECTING) {
        dx_websocket_stop_connecting(websocket);
        dx_websocket_set_state(websocket, DX_READY_STATE_CLOSING);
        dx_websocket_fail_later(websocket, DX_STEP_CLOSED, DX_ERR_CLOSED,
                                "it was closed before it was open");
    }
    websocket->is_closed_by_user = true;
}

void dx_websocket_abort_here(struct dx_websocket *websocket)
{
    websocket->is_closed_by_user = true;
    if (websocket->connection != NULL)
        dx_connection_abort(websocket->connection, DX_ERR_CLOSED, "it was aborted");
    else
        dx_websocket_close_here(websocket, 0, "", 0);
}

/* ---- the public calls, which judge what needs no loop, and act here or post ---- */

static enum dx_err post_message(struct dx_websocket *websocket,
                                const struct dx_websocket_call *call, const void *data, size_t len)
{
    enum dx_err err = dx_websocket_post(websocket, call, data, len);

    if (err == DX_ERR_QUEUE_FULL && websocket->settings.options.strict_browser)
        dx_websocket_post_word(websocket, DX_WORD_FULL);
    return err;
}

enum dx_err dx_websocket_send(struct dx_websocket *websocket, enum dx_opcode opcode,
                              const void *data, size_t len)
{
    struct dx_websocket_call call = {.kind = DX_CALL_SEND, .opcode = opcode};

    if (!is_message(opcode))
        return DX_ERR_USAGE;
    if (opcode == DX_OP_TEXT && !dx_utf8_is_valid(data, len))
        return DX_ERR_UTF8;
    if (dx_loop_is_here(websocket->loop))
        return dx_websocket_send_here(websocket, opcode, data, len, false);
    if (dx_websocket_state(websocket) == DX_READY_STATE_CONNECTING &&
        websocket->settings.options.outbox == NULL)
        return DX_ERR_STATE;
    return post_message(websocket, &call, data, len);
}

enum dx_err dx_websocket_send_fragment(struct dx_websocket *websocket, enum dx_opcode opcode,
                                       const void *data, size_t len, bool is_last)
{
    struct dx_websocket_call call = {
        .kind = DX_CALL_FRAGMENT, .opcode = opcode, .is_last = is_last};

    if (!is_message(opcode))
        return DX_ERR_USAGE;
    if (dx_loop_is_here(websocket->loop))
        return dx_websocket_send_fragment_here(websocket, opcode, data, len, is_last, false);
    if (dx_websocket_state(websocket) != DX_READY_STATE_OPEN)
        return DX_ERR_STATE;
    return post_message(websocket, &call, data, len);
}

enum dx_err dx_websocket_ping(struct dx_websocket *websocket, const void *data, size_t len)
{
    struct dx_websocket_call call = {.kind = DX_CALL_PING};

    if (len > DX_CONTROL_MAX)
        return DX_ERR_USAGE;
    if (dx_loop_is_here(websocket->loop))
        return dx_websocket_ping_here(websocket, data, len);
    if (dx_websocket_state(websocket) != DX_READY_STATE_OPEN)
        return DX_ERR_STATE;
    return dx_websocket_post(websocket, &call, data, len);
}

enum dx_err dx_websocket_close(struct dx_websocket *websocket, uint16_t code, const char *reason,
                               size_t reason_len)
{
    struct dx_websocket_call call = {.kind = DX_CALL_CLOSE, .code = code};

    if (code != 0 && code != DX_CLOSE_NORMAL && (code < 3000 || code > 4999))
        return DX_ERR_USAGE;
    if (reason_len > DX_CLOSE_REASON_MAX)
        return DX_ERR_TOO_BIG;
    if (!dx_utf8_is_valid(reason, reason_len))
        return DX_ERR_UTF8;
    if (code == 0 && reason_len > 0)
        call.code = DX_CLOSE_NORMAL; /* a reason stands behind a code */
    if (!dx_loop_is_here(websocket->loop))
        return dx_websocket_post(websocket, &call, reason, reason_len);
    dx_websocket_close_here(websocket, call.code, reason, reason_len);
    return DX_OK;
}
