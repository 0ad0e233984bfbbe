/*
 * websocket_send.c - messages out of a websocket: to the connection or through the outbox; closing; what waits to be sent.
 */
#include "client/websocket_parts.h"

#include <duplex/frame.h>

#include "ws/frame.h"

#include <string.h>

static const char barrier_mark[4] = {'d', 'x', 'o', 'b'};

/* ---- the buffered amount ---- */

/*
 * The connection counts bytes with their headers. Since its queue was empty last so much payload went in as so many bytes: what
 * has left took its part of both. Exact when nothing, everything, or a part of one message has left.
 */
uint64_t dx_websocket_waiting_len(struct dx_websocket *websocket)
{
    uint64_t waiting =
        websocket->connection != NULL ? dx_connection_buffered_len(websocket->connection) : 0;
    uint64_t headers;

    if (waiting == 0) {
        websocket->payload_len = 0;
        websocket->wire_len = 0;
        return 0;
    }
    if (waiting >= websocket->wire_len)
        return websocket->payload_len;
    headers = (websocket->wire_len - websocket->payload_len) * waiting / websocket->wire_len;
    return waiting - headers < websocket->payload_len ? waiting - headers : websocket->payload_len;
}

static void count_sent(struct dx_websocket *websocket, size_t len)
{
    if (!websocket->has_sent) {
        websocket->has_sent = true;
        dx_websocket_queue_task(websocket);
    }
    websocket->payload_len += len;
    websocket->wire_len += len + dx_frame_header_len(len, true);
    atomic_fetch_add(&websocket->shown_len, len);
}

/* Before something is sent: what waits as the turn began. */
static void begin_sending(struct dx_websocket *websocket)
{
    if (!websocket->has_sent)
        atomic_store(&websocket->shown_len, dx_websocket_waiting_len(websocket));
}

void dx_websocket_end_turn(struct dx_websocket *websocket)
{
    websocket->has_sent = false;
    if (websocket->connection != NULL)
        atomic_store(&websocket->shown_len, dx_websocket_waiting_len(websocket));
}

void dx_websocket_freeze_amount(struct dx_websocket *websocket)
{
    if (!websocket->has_sent)
        atomic_store(&websocket->shown_len, websocket->payload_len);
    websocket->has_sent = false;
}

uint64_t dx_websocket_buffered_amount(const struct dx_websocket *websocket)
{
    struct dx_websocket *own = (struct dx_websocket *)(uintptr_t)websocket;

    if (dx_loop_is_here(websocket->loop) && !websocket->has_sent && websocket->connection != NULL)
        atomic_store(&own->shown_len, dx_websocket_waiting_len(own));
    return atomic_load(&own->shown_len) + atomic_load(&own->posted_len);
}

/* ---- the outbox ---- */

static void on_sent(struct dx_connection *connection, enum dx_err err, void *user)
{
    struct dx_websocket *websocket = user;

    (void)connection;
    if (err == DX_OK && websocket->outbox.first != NULL)
        dx_outbox_forget(&websocket->outbox, websocket->outbox.first->number);
}

static enum dx_err hand_over(struct dx_websocket *websocket, const struct dx_outbox_item *item)
{
    if (websocket->outbox.options.guarantee == DX_OUTBOX_UNSENT)
        return dx_connection_send_with(websocket->connection, item->opcode, item->bytes, item->len,
                                       on_sent, websocket);
    return dx_connection_send(websocket->connection, item->opcode, item->bytes, item->len);
}

/* A pong is sent after everything before its ping was read (RFC 6455 5.5.2, 5.5.3). */
static void raise_barrier(struct dx_websocket *websocket)
{
    uint64_t number = dx_outbox_sent_number(&websocket->outbox);
    uint8_t payload[DX_WEBSOCKET_BARRIER_LEN];

    if (websocket->barrier != 0 || number == 0 ||
        websocket->outbox.options.guarantee != DX_OUTBOX_UNTIL_PONG)
        return;
    memcpy(payload, barrier_mark, sizeof(barrier_mark));
    memcpy(payload + sizeof(barrier_mark), &number, sizeof(number));
    if (dx_connection_ping(websocket->connection, payload, sizeof(payload)) == DX_OK)
        websocket->barrier = number;
}

void dx_websocket_pump_outbox(struct dx_websocket *websocket)
{
    const struct dx_outbox_item *item;

    if (websocket->connection == NULL || dx_websocket_state(websocket) != DX_OPEN)
        return;
    while (!dx_connection_is_congested(websocket->connection) &&
           (item = dx_outbox_next(&websocket->outbox)) != NULL) {
        size_t len = item->len;

        begin_sending(websocket);
        if (hand_over(websocket, item) != DX_OK)
            break;
        dx_outbox_note_sent(&websocket->outbox);
        count_sent(websocket, len);
    }
    raise_barrier(websocket);
}

bool dx_websocket_note_pong(struct dx_websocket *websocket, const uint8_t *data, size_t len)
{
    uint64_t number;

    if (len != DX_WEBSOCKET_BARRIER_LEN || memcmp(data, barrier_mark, sizeof(barrier_mark)) != 0)
        return false;
    memcpy(&number, data + sizeof(barrier_mark), sizeof(number));
    if (number == 0 || number != websocket->barrier)
        return false;
    websocket->barrier = 0;
    dx_outbox_forget(&websocket->outbox, number);
    raise_barrier(websocket);
    return true;
}

void dx_websocket_send_first(struct dx_websocket *websocket)
{
    const char *greeting = websocket->settings.options.greeting;

    if (greeting != NULL) {
        begin_sending(websocket);
        if (dx_connection_send(websocket->connection, DX_OP_TEXT, greeting, strlen(greeting)) ==
            DX_OK)
            count_sent(websocket, strlen(greeting));
    }
    dx_websocket_pump_outbox(websocket);
}

/* ---- send ---- */

static bool is_message(enum dx_opcode opcode)
{
    return opcode == DX_OP_TEXT || opcode == DX_OP_BINARY;
}

/* What the standard does when a buffer is full is to close. */
static enum dx_err refuse(struct dx_websocket *websocket)
{
    if (websocket->settings.options.strict_browser)
        dx_connection_abort(websocket->connection, DX_ERR_QUEUE_FULL,
                            "what waits to be sent is more than is kept");
    return DX_ERR_QUEUE_FULL;
}

static enum dx_err send_open(struct dx_websocket *websocket, enum dx_opcode opcode,
                             const void *data, size_t len)
{
    enum dx_err err;

    if (dx_connection_is_congested(websocket->connection))
        return refuse(websocket);
    begin_sending(websocket);
    err = dx_connection_send(websocket->connection, opcode, data, len);
    if (err == DX_OK)
        count_sent(websocket, len);
    return err == DX_ERR_TOO_MANY ? DX_ERR_NOMEM : err;
}

enum dx_err dx_websocket_send_here(struct dx_websocket *websocket, enum dx_opcode opcode,
                                   const void *data, size_t len)
{
    enum dx_ready_state state = dx_websocket_state(websocket);
    enum dx_err err;

    if (websocket->settings.options.outbox.is_on && !websocket->is_closed_by_user) {
        err = dx_outbox_add(&websocket->outbox, opcode, data, len);
        if (err == DX_OK)
            dx_websocket_pump_outbox(websocket);
        return err;
    }
    if (state == DX_OPEN) {
        err = send_open(websocket, opcode, data, len);
        if (err != DX_ERR_CLOSED)
            return err;
    } else if (state == DX_CONNECTING) {
        return DX_ERR_STATE;
    }
    atomic_fetch_add(&websocket->shown_len, len);
    return DX_OK;
}

enum dx_err dx_websocket_send_fragment_here(struct dx_websocket *websocket, enum dx_opcode opcode,
                                            const void *data, size_t len, bool is_last)
{
    enum dx_err err;

    if (dx_websocket_state(websocket) != DX_OPEN)
        return DX_ERR_STATE;
    if (dx_connection_is_congested(websocket->connection))
        return refuse(websocket);
    begin_sending(websocket);
    err = dx_connection_send_fragment(websocket->connection, opcode, data, len, is_last);
    if (err == DX_OK)
        count_sent(websocket, len);
    return err == DX_ERR_TOO_MANY ? DX_ERR_NOMEM : err;
}

enum dx_err dx_websocket_ping_here(struct dx_websocket *websocket, const void *data, size_t len)
{
    enum dx_err err;

    if (dx_websocket_state(websocket) != DX_OPEN)
        return DX_ERR_STATE;
    err = dx_connection_ping(websocket->connection, data, len);
    return err == DX_ERR_CLOSED ? DX_ERR_STATE : err == DX_ERR_TOO_MANY ? DX_ERR_NOMEM : err;
}

/* ---- close ---- */

void dx_websocket_close_here(struct dx_websocket *websocket, uint16_t code, const char *reason,
                             size_t reason_len)
{
    enum dx_ready_state state = dx_websocket_state(websocket);

    websocket->is_closed_by_user = true;
    if (state == DX_CLOSED) {
        dx_websocket_stop_waiting(websocket);
    } else if (state == DX_CONNECTING) {
        dx_connector_cancel(websocket->connector);
        websocket->connector = NULL;
        dx_websocket_set_state(websocket, DX_CLOSING);
        dx_websocket_fail_later(websocket, DX_STEP_CLOSED, DX_ERR_CLOSED,
                                "it was closed before it was open");
    } else if (state == DX_OPEN) {
        dx_websocket_set_state(websocket, DX_CLOSING);
        (void)dx_connection_close(websocket->connection, code == 0 ? DX_CLOSE_NO_STATUS : code,
                                  reason, reason_len);
    }
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

enum dx_err dx_websocket_send(struct dx_websocket *websocket, enum dx_opcode opcode,
                              const void *data, size_t len)
{
    struct dx_websocket_call call = {.kind = DX_CALL_SEND, .opcode = opcode};

    if (!is_message(opcode))
        return DX_ERR_USAGE;
    if (opcode == DX_OP_TEXT && !dx_utf8_is_valid(data, len))
        return DX_ERR_UTF8;
    if (dx_loop_is_here(websocket->loop))
        return dx_websocket_send_here(websocket, opcode, data, len);
    if (dx_websocket_state(websocket) == DX_CONNECTING && !websocket->settings.options.outbox.is_on)
        return DX_ERR_STATE;
    return dx_websocket_post(websocket, &call, data, len);
}

enum dx_err dx_websocket_send_fragment(struct dx_websocket *websocket, enum dx_opcode opcode,
                                       const void *data, size_t len, bool is_last)
{
    struct dx_websocket_call call = {
        .kind = DX_CALL_FRAGMENT, .opcode = opcode, .is_last = is_last};

    if (!is_message(opcode))
        return DX_ERR_USAGE;
    if (dx_loop_is_here(websocket->loop))
        return dx_websocket_send_fragment_here(websocket, opcode, data, len, is_last);
    if (dx_websocket_state(websocket) != DX_OPEN)
        return DX_ERR_STATE;
    return dx_websocket_post(websocket, &call, data, len);
}

enum dx_err dx_websocket_ping(struct dx_websocket *websocket, const void *data, size_t len)
{
    struct dx_websocket_call call = {.kind = DX_CALL_PING};

    if (len > DX_CONTROL_MAX)
        return DX_ERR_USAGE;
    if (dx_loop_is_here(websocket->loop))
        return dx_websocket_ping_here(websocket, data, len);
    if (dx_websocket_state(websocket) != DX_OPEN)
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
