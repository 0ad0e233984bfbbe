/*
 * websocket_handlers.c - what a websocket does when its connection reports something.
 *
 * Each handler records first and tells the listeners last (websocket_events.c). The heartbeat by
 * text is here, too: it is made of what comes and of one timer.
 */
#include "client/websocket/websocket_parts.h"

#include <string.h>

/* ---- the heartbeat by text ---- */

void dx_websocket_set_beat(struct dx_websocket *websocket)
{
    if (dx_beat_is_on(&websocket->beat))
        dx_wheel_set(dx_loop_wheel(websocket->loop), &websocket->timer, websocket->beat.due_ms);
}

static void note_heard(struct dx_websocket *websocket)
{
    if (dx_beat_is_on(&websocket->beat) &&
        dx_beat_note_heard(&websocket->beat, dx_loop_now_ms(websocket->loop)))
        dx_websocket_set_beat(websocket);
}

/*
 * Inside a fragmented message no other message can be sent: there a ping asks. Where nothing can be
 * sent, silence counts all the same.
 */
static void ask(struct dx_websocket *websocket)
{
    const char *text = websocket->settings.options.heartbeat_text;
    enum dx_err err = dx_connection_send(websocket->connection, DX_OP_TEXT, text, strlen(text));

    if (err == DX_ERR_STATE)
        err = dx_connection_ping(websocket->connection, NULL, 0);
    (void)err;
}

void dx_websocket_on_beat_due(struct dx_websocket *websocket)
{
    switch (
        dx_beat_step(&websocket->beat, dx_loop_now_ms(websocket->loop), !websocket->is_paused)) {
    case DX_BEAT_DEAD:
        dx_connection_abort(websocket->connection, DX_ERR_TIMEOUT,
                            "the peer did not answer the heartbeat");
        return;
    case DX_BEAT_ASK:
        ask(websocket);
        break;
    case DX_BEAT_WAIT:
        break;
    }
    dx_websocket_set_beat(websocket);
}

/* ---- messages ---- */

/* A browser drops what comes once it has said Close. */
static bool is_listening(const struct dx_websocket *websocket)
{
    const struct dx_websocket_options *options = &websocket->settings.options;
    enum dx_websocket_life life = dx_websocket_life(websocket);

    return life == DX_LIFE_OPEN ||
           (life == DX_LIFE_CLOSING && options->hears_while_closing && !options->strict_browser);
}

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user)
{
    struct dx_websocket *websocket = user;

    (void)connection;
    note_heard(websocket);
    dx_websocket_refresh_amount(websocket);
    if (!is_listening(websocket) || dx_beat_is_answer(&websocket->beat, opcode, data, len))
        return;
    dx_websocket_tell_message(websocket, opcode, data, len);
}

static void on_chunk(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                     size_t len, bool is_first, bool is_last, void *user)
{
    struct dx_websocket *websocket = user;
    struct dx_slice chunk = {data, len}, held;

    (void)connection;
    note_heard(websocket);
    dx_websocket_refresh_amount(websocket);
    if (!is_listening(websocket) ||
        dx_beat_holds_chunk(&websocket->beat, opcode, chunk, is_first, is_last, &held))
        return;
    dx_websocket_enter(websocket);
    if (held.len > 0)
        dx_websocket_tell_chunk(websocket, opcode, held.data, held.len, true, false);
    if (is_listening(websocket)) /* a listener may have closed it */
        dx_websocket_tell_chunk(websocket, opcode, data, len, is_first && held.len == 0, is_last);
    dx_websocket_leave(websocket);
}

static void on_drain(struct dx_connection *connection, void *user)
{
    struct dx_websocket *websocket = user;

    (void)connection;
    dx_websocket_enter(websocket);
    dx_websocket_pump_outbox(websocket);
    dx_mailbox_run(&websocket->mailbox, true);
    (void)dx_mailbox_take_drain(&websocket->mailbox); /* this one is for other threads, too */
    if (!dx_mailbox_is_waiting(&websocket->mailbox))
        dx_websocket_tell_drain(websocket);
    dx_websocket_leave(websocket);
}

static void on_pong(struct dx_connection *connection, const uint8_t *data, size_t len, void *user)
{
    struct dx_websocket *websocket = user;

    (void)connection;
    note_heard(websocket);
    if (!dx_websocket_note_pong(websocket, data, len))
        dx_websocket_tell_pong(websocket, data, len);
}

static void on_ping(struct dx_connection *connection, const uint8_t *data, size_t len, void *user)
{
    (void)connection;
    dx_websocket_tell_ping(user, data, len);
}

/* ---- the end ---- */

static void on_peer_close(struct dx_connection *connection, uint16_t code, const char *reason,
                          size_t reason_len, void *user)
{
    struct dx_websocket *websocket = user;

    (void)reason;
    (void)reason_len;
    websocket->pending_close.is_due = false; /* the peer reads no more */
    if (dx_websocket_life(websocket) == DX_LIFE_OPEN)
        dx_websocket_set_life(websocket, DX_LIFE_CLOSING);
    /* Some codes only a server may send: an empty Close then. */
    if (dx_connection_close(connection, code, "", 0) == DX_ERR_USAGE)
        (void)dx_connection_close(connection, DX_CLOSE_NO_STATUS, "", 0);
}

static bool has_heartbeat(const struct dx_websocket *websocket)
{
    const struct dx_connection_options *options = &websocket->settings.connection;

    return options->ping_interval_ms > 0 && options->pong_timeout_ms > 0;
}

/*
 * A deadline: of the heartbeat, of what waits to be sent where that is the heartbeat, of a message
 * that does not go on, of a Close.
 */
static enum dx_failure_step step_of_timeout(const struct dx_websocket *websocket,
                                            const struct dx_close_info *info)
{
    if (info->sent_code == DX_CLOSE_POLICY)
        return DX_STEP_PROTOCOL;
    if (dx_websocket_life(websocket) == DX_LIFE_OPEN && has_heartbeat(websocket))
        return DX_STEP_HEARTBEAT;
    return DX_STEP_LOST;
}

static enum dx_failure_step step_of(const struct dx_websocket *websocket,
                                    const struct dx_close_info *info)
{
    switch (info->err) {
    case DX_ERR_PROTOCOL:
    case DX_ERR_UTF8:
    case DX_ERR_TOO_BIG:
    case DX_ERR_TOO_MANY:
        return DX_STEP_PROTOCOL;
    case DX_ERR_TIMEOUT:
        return step_of_timeout(websocket, info);
    default:
        return DX_STEP_LOST;
    }
}

static void on_close(struct dx_connection *connection, const struct dx_close_info *info, void *user)
{
    struct dx_websocket *websocket = user;
    struct dx_error_event error = {.step = step_of(websocket, info),
                                   .err = info->err != DX_OK ? info->err : DX_ERR_CLOSED,
                                   .detail = info->detail != NULL
                                                 ? info->detail
                                                 : "the connection ended without a Close frame"};
    struct dx_close_event close = {.code = info->was_clean ? info->code : DX_CLOSE_ABNORMAL,
                                   .reason = info->was_clean ? info->reason : "",
                                   .reason_len = info->was_clean ? info->reason_len : 0,
                                   .was_clean = info->was_clean};

    /* What a reset has thrown away is not known any more: the amount stays as it was seen last. */
    if (info->err != DX_ERR_RESET || dx_connection_buffered_amount(connection) > 0)
        dx_websocket_refresh_amount(websocket);
    dx_amount_end_queue(&websocket->amount, websocket->settings.options.outbox != NULL);
    websocket->connection = NULL;
    dx_websocket_end(websocket, info->was_clean ? NULL : &error, &close);
}

const struct dx_connection_handlers dx_websocket_whole_handlers = {
    .size = sizeof(dx_websocket_whole_handlers),
    .on_message = on_message,
    .on_peer_close = on_peer_close,
    .on_drain = on_drain,
    .on_pong = on_pong,
    .on_ping = on_ping,
    .on_close = on_close};

const struct dx_connection_handlers dx_websocket_chunk_handlers = {
    .size = sizeof(dx_websocket_chunk_handlers),
    .on_chunk = on_chunk,
    .on_peer_close = on_peer_close,
    .on_drain = on_drain,
    .on_pong = on_pong,
    .on_ping = on_ping,
    .on_close = on_close};
