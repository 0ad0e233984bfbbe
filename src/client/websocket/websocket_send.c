/*
 * websocket_send.c - messages out of a websocket (WHATWG WebSockets, "send"), on the loop's thread.
 */
#include "client/websocket/websocket_parts.h"

#include <string.h>

/* As a caller sees it: a lack of the loop's memory is a lack of memory. */
static enum dx_err as_seen(enum dx_err err)
{
    return err == DX_ERR_TOO_MANY ? DX_ERR_NOMEM : err;
}

void dx_websocket_close_full(struct dx_websocket *websocket)
{
    if (websocket->connection != NULL)
        dx_connection_abort(websocket->connection, DX_ERR_QUEUE_FULL, "the send queue is full");
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
    return as_seen(err);
}

void dx_websocket_send_first(struct dx_websocket *websocket)
{
    const char *greeting = websocket->settings.options.greeting;
    enum dx_err err = DX_OK;

    if (greeting != NULL)
        err = send_open(websocket, DX_OP_TEXT, greeting, strlen(greeting), true);
    /* The peer must not get what follows a greeting without it. */
    if (err != DX_OK)
        dx_connection_abort(websocket->connection, err, "the greeting could not be sent");
    else
        dx_websocket_pump_outbox(websocket);
}

static bool keeps(const struct dx_websocket *websocket)
{
    return websocket->settings.options.outbox != NULL && !websocket->is_closed_by_user &&
           dx_websocket_life(websocket) != DX_LIFE_ENDED;
}

enum dx_err dx_websocket_send_here(struct dx_websocket *websocket, enum dx_opcode opcode,
                                   const void *data, size_t len, bool was_taken)
{
    enum dx_websocket_life life = dx_websocket_life(websocket);
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
    if (life == DX_LIFE_OPEN) {
        err = send_open(websocket, opcode, data, len, was_taken);
        if (err != DX_ERR_CLOSED)
            return err;
    } else if (life == DX_LIFE_CONNECTING) {
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

    if (dx_websocket_life(websocket) != DX_LIFE_OPEN)
        return DX_ERR_STATE;
    if (!was_taken && dx_connection_is_congested(websocket->connection))
        return refuse(websocket, len);
    dx_websocket_begin_sending(websocket);
    err = dx_connection_send_fragment(websocket->connection, opcode, data, len, is_last);
    if (err != DX_OK)
        return err == DX_ERR_CLOSED ? DX_ERR_STATE : as_seen(err);
    dx_websocket_count_sent(websocket, len);
    if (is_last)
        dx_websocket_pump_outbox(websocket); /* which had to wait for it */
    return DX_OK;
}

enum dx_err dx_websocket_ping_here(struct dx_websocket *websocket, const void *data, size_t len)
{
    enum dx_err err;

    if (dx_websocket_life(websocket) != DX_LIFE_OPEN)
        return DX_ERR_STATE;
    err = dx_connection_ping(websocket->connection, data, len);
    return err == DX_ERR_CLOSED ? DX_ERR_STATE : as_seen(err);
}
