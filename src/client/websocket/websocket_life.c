/*
 * websocket_life.c - a websocket's life (enum dx_websocket_life) and memory, and what it counts.
 *
 * There is no reference count: the loop's thread alone ends it, and what other threads have posted
 * is taken back then. `entered` keeps the memory for functions that are under way.
 */
#include "client/websocket/websocket_parts.h"

#include "ws/frame.h"
#include <duplex/tls_client.h>

#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

void dx_websocket_enter(struct dx_websocket *websocket)
{
    websocket->entered++;
}

void dx_websocket_leave(struct dx_websocket *websocket)
{
    if (--websocket->entered == 0 && dx_websocket_life(websocket) == DX_LIFE_GONE)
        dx_websocket_destroy(websocket);
}

static bool holds_loop(enum dx_websocket_life life)
{
    return life != DX_LIFE_ENDED && life != DX_LIFE_GONE;
}

void dx_websocket_set_life(struct dx_websocket *websocket, enum dx_websocket_life life)
{
    bool held_loop = holds_loop(dx_websocket_life(websocket));

    atomic_store_explicit(&websocket->life, (int)life, memory_order_release);
    if (held_loop && !holds_loop(life))
        dx_loop_let_go(websocket->loop);
}

void dx_websocket_destroy(struct dx_websocket *websocket)
{
    dx_loop_flush_cancel(websocket->loop, &websocket->task);
    dx_sibling_leave(&websocket->sibling);
    dx_mailbox_release(&websocket->mailbox);
    dx_outbox_release(&websocket->outbox);
    dx_tls_client_free(websocket->own_tls);
    dx_websocket_settings_release(&websocket->settings);
    dx_websocket_target_release(&websocket->target);
    free(websocket->listening);
    free(websocket->headers);
    free(websocket->last_detail);
    free(websocket);
}

void dx_websocket_queue_task(struct dx_websocket *websocket)
{
    dx_loop_flush_later(websocket->loop, &websocket->task);
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

/* ---- the last error ---- */

void dx_websocket_set_error(struct dx_websocket *websocket, const struct dx_error_event *error)
{
    free(websocket->last_detail);
    websocket->last_detail = NULL;
    websocket->last_error = NULL;
    if (error == NULL)
        return;
    websocket->last_detail = error->detail != NULL ? strdup(error->detail) : NULL;
    websocket->last_error =
        websocket->last_detail != NULL ? websocket->last_detail : dx_err_text(error->err);
}
