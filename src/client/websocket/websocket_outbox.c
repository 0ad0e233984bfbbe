/*
 * websocket_outbox.c - a websocket's outbox at work: what it has goes to the connection, and is
 * forgotten when its guarantee allows.
 */
#include "client/websocket/websocket_parts.h"

#include <string.h>

#define BARRIER_LEN 12 /* the mark, and a number of 8 bytes */

static const char barrier_mark[4] = {'d', 'x', 'o', 'b'};

/* Less than half of it is used again. */
static bool is_roomy(const struct dx_outbox *outbox)
{
    return outbox->len <= outbox->options.max_len / 2 &&
           outbox->count <= outbox->options.max_count / 2;
}

/*
 * Something was forgotten: waiting messages get its place, and on_drain follows at the turn's end.
 */
static void note_room(struct dx_websocket *websocket)
{
    bool owes;

    dx_mailbox_run(&websocket->mailbox, true);
    owes = websocket->outbox_was_full && is_roomy(&websocket->outbox);
    if (owes)
        websocket->outbox_was_full = false;
    if (!owes && !dx_mailbox_take_drain(&websocket->mailbox))
        return;
    websocket->drain_is_due = true;
    dx_websocket_queue_task(websocket);
}

void dx_websocket_tell_room(struct dx_websocket *websocket)
{
    if (!websocket->drain_is_due)
        return;
    websocket->drain_is_due = false;
    dx_websocket_tell_drain(websocket);
}

static void on_sent(struct dx_connection *connection, enum dx_err err, void *user)
{
    struct dx_websocket *websocket = user;

    (void)connection;
    if (err != DX_OK || websocket->outbox.first == NULL)
        return;
    dx_outbox_forget(&websocket->outbox, websocket->outbox.first->number);
    note_room(websocket);
}

static enum dx_err hand_over(struct dx_websocket *websocket, const struct dx_outbox_item *item)
{
    if (websocket->outbox.options.guarantee == DX_OUTBOX_UNSENT)
        return dx_connection_send_with(websocket->connection, item->opcode, item->bytes, item->len,
                                       on_sent, websocket);
    return dx_connection_send(websocket->connection, item->opcode, item->bytes, item->len);
}

/*
 * Without memory or randomness nothing would come back to what waits: the connection is given up,
 * and the next one has it.
 */
static void note_trouble(struct dx_websocket *websocket, enum dx_err err)
{
    if (err == DX_ERR_NOMEM || err == DX_ERR_TOO_MANY || err == DX_ERR_SYSTEM)
        dx_connection_abort(websocket->connection, err, "queued messages could not be sent");
}

/* A pong is sent after everything before its ping was read (RFC 6455 5.5.2, 5.5.3). */
static void raise_barrier(struct dx_websocket *websocket)
{
    uint64_t number = dx_outbox_sent_number(&websocket->outbox);
    uint8_t payload[BARRIER_LEN];
    enum dx_err err;

    if (websocket->barrier != 0 || number == 0 ||
        websocket->outbox.options.guarantee != DX_OUTBOX_UNTIL_PONG)
        return;
    memcpy(payload, barrier_mark, sizeof(barrier_mark));
    memcpy(payload + sizeof(barrier_mark), &number, sizeof(number));
    err = dx_connection_ping(websocket->connection, payload, sizeof(payload));
    if (err == DX_OK)
        websocket->barrier = number;
    else
        note_trouble(websocket, err);
}

static void hand_over_all(struct dx_websocket *websocket)
{
    const struct dx_outbox_item *item;

    while (!dx_connection_is_congested(websocket->connection) &&
           (item = dx_outbox_next(&websocket->outbox)) != NULL) {
        size_t len = item->len;
        enum dx_err err;

        dx_websocket_begin_sending(websocket);
        err = hand_over(websocket, item);
        if (err != DX_OK) {
            note_trouble(websocket, err);
            return;
        }
        dx_outbox_note_sent(&websocket->outbox);
        dx_websocket_count_sent(websocket, len);
    }
    raise_barrier(websocket);
}

static void send_close(struct dx_websocket *websocket)
{
    struct dx_pending_close *pending = &websocket->pending_close;

    pending->is_due = false;
    (void)dx_connection_close(websocket->connection, pending->code, pending->reason,
                              pending->reason_len);
}

void dx_websocket_pump_outbox(struct dx_websocket *websocket)
{
    if (websocket->connection == NULL ||
        (dx_websocket_life(websocket) != DX_LIFE_OPEN && !websocket->pending_close.is_due))
        return;
    hand_over_all(websocket);
    if (websocket->pending_close.is_due && dx_outbox_next(&websocket->outbox) == NULL)
        send_close(websocket);
    dx_websocket_refresh_amount(websocket);
}

bool dx_websocket_note_pong(struct dx_websocket *websocket, const uint8_t *data, size_t len)
{
    uint64_t number;

    if (len != BARRIER_LEN || memcmp(data, barrier_mark, sizeof(barrier_mark)) != 0)
        return false;
    memcpy(&number, data + sizeof(barrier_mark), sizeof(number));
    if (number == 0 || number != websocket->barrier)
        return false;
    websocket->barrier = 0;
    dx_outbox_forget(&websocket->outbox, number);
    note_room(websocket);
    raise_barrier(websocket);
    return true;
}
