/*
 * websocket_amount.c - the buffered amount (WHATWG WebSockets, "bufferedAmount"): payload that was sent and is not with the network.
 *
 * It grows at once in send and falls between callbacks only. Four parts: what waits in the connection, as of the beginning of the turn and
 * what was sent since; what waits in the outbox; what other threads have sent and is on its way; what was dropped while closing.
 */
#include "client/websocket/websocket_parts.h"

/*
 * The connection counts bytes with their headers. Since its queue was empty last so much payload went in as so many bytes: what
 * has left took its part of both. Exact when nothing, everything, or a part of one message has left.
 */
static uint64_t waiting_len(struct dx_websocket *websocket)
{
    uint64_t waiting =
        websocket->connection != NULL ? dx_connection_buffered_amount(websocket->connection) : 0;
    uint64_t headers;

    if (waiting == 0) {
        websocket->payload_len = 0;
        websocket->wire_len = 0;
        return 0;
    }
    if (waiting >= websocket->wire_len)
        return websocket->payload_len;
    headers = (uint64_t)((double)(websocket->wire_len - websocket->payload_len) * (double)waiting /
                         (double)websocket->wire_len);
    return waiting - headers < websocket->payload_len ? waiting - headers : websocket->payload_len;
}

void dx_websocket_begin_sending(struct dx_websocket *websocket)
{
    if (!websocket->has_sent)
        atomic_store(&websocket->shown_len, waiting_len(websocket));
}

void dx_websocket_count_sent(struct dx_websocket *websocket, size_t len, size_t header_len)
{
    if (!websocket->has_sent) {
        websocket->has_sent = true;
        dx_websocket_queue_task(websocket);
    }
    websocket->payload_len += len;
    websocket->wire_len += len + header_len;
    atomic_fetch_add(&websocket->shown_len, len);
}

void dx_websocket_count_dropped(struct dx_websocket *websocket, size_t len)
{
    atomic_fetch_add(&websocket->dropped_len, len);
}

void dx_websocket_refresh_amount(struct dx_websocket *websocket)
{
    atomic_store(&websocket->kept_len, websocket->outbox.unsent_len);
    if (!websocket->has_sent && websocket->connection != NULL)
        atomic_store(&websocket->shown_len, waiting_len(websocket));
}

void dx_websocket_end_turn(struct dx_websocket *websocket)
{
    websocket->has_sent = false;
    dx_websocket_refresh_amount(websocket);
}

void dx_websocket_reset_amount(struct dx_websocket *websocket)
{
    websocket->payload_len = 0;
    websocket->wire_len = 0;
    websocket->has_sent = false;
    atomic_store(&websocket->shown_len, 0);
    atomic_store(&websocket->dropped_len, 0);
}

void dx_websocket_freeze_amount(struct dx_websocket *websocket, bool is_reset)
{
    uint64_t waiting = waiting_len(websocket);

    /* What a reset has thrown away is not known any more: it is what was seen last. */
    if (waiting > 0 || !is_reset)
        dx_websocket_refresh_amount(websocket);
    websocket->has_sent = false;
    if (websocket->settings.options.outbox != NULL)
        atomic_store(&websocket->shown_len, 0); /* it will be sent again */
}

uint64_t dx_websocket_buffered_amount(struct dx_websocket *websocket)
{
    if (dx_loop_is_here(websocket->loop))
        dx_websocket_refresh_amount(websocket);
    else
        dx_websocket_post_word(websocket, 0); /* which looks anew */
    return atomic_load(&websocket->shown_len) + atomic_load(&websocket->kept_len) +
           atomic_load(&websocket->dropped_len) + atomic_load(&websocket->posted_len);
}
