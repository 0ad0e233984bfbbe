/*
 * websocket_calls.c - calls from threads that are not the loop's: copied, posted, made there in their order.
 */
#include "client/websocket_parts.h"

#include <stdlib.h>
#include <string.h>

#define POSTED_MAX 67108864 /* bytes on their way to one websocket */

static void pause_here(struct dx_websocket *websocket, bool is_paused)
{
    if (websocket->connection == NULL)
        return;
    if (is_paused)
        dx_connection_pause(websocket->connection);
    else
        dx_connection_resume(websocket->connection);
}

/* What fails here fails as it would for a message that the network loses: nobody is there to be told. */
static void make(const struct dx_websocket_call *call)
{
    struct dx_websocket *websocket = call->websocket;
    enum dx_err err = DX_OK;

    switch (call->kind) {
    case DX_CALL_SEND:
        err = dx_websocket_send_here(websocket, call->opcode, call->bytes, call->len);
        break;
    case DX_CALL_FRAGMENT:
        err = dx_websocket_send_fragment_here(websocket, call->opcode, call->bytes, call->len,
                                              call->is_last);
        break;
    case DX_CALL_PING:
        err = dx_websocket_ping_here(websocket, call->bytes, call->len);
        break;
    case DX_CALL_CLOSE:
        dx_websocket_close_here(websocket, call->code, (const char *)call->bytes, call->len);
        break;
    case DX_CALL_ABORT:
        dx_websocket_abort_here(websocket);
        break;
    case DX_CALL_PAUSE:
    case DX_CALL_RESUME:
        pause_here(websocket, call->kind == DX_CALL_PAUSE);
        break;
    case DX_CALL_FREE:
        dx_websocket_free_here(websocket);
        break;
    }
    (void)err;
}

static void on_post(void *data)
{
    struct dx_websocket_call *call = data;
    struct dx_websocket *websocket = call->websocket;

    atomic_fetch_sub(&websocket->posted_len, call->len);
    if (call->kind == DX_CALL_FREE || !atomic_load(&websocket->is_freed))
        make(call);
    free(call);
    dx_websocket_drop(websocket);
}

enum dx_err dx_websocket_post(struct dx_websocket *websocket, const struct dx_websocket_call *call,
                              const void *bytes, size_t len)
{
    struct dx_websocket_call *made;
    enum dx_err err;

    if (atomic_load(&websocket->posted_len) + len > POSTED_MAX)
        return DX_ERR_QUEUE_FULL;
    made = malloc(sizeof(*made) + len);
    if (made == NULL)
        return DX_ERR_NOMEM;
    *made = *call;
    made->websocket = websocket;
    made->len = len;
    if (len > 0)
        memcpy(made->bytes, bytes, len);
    dx_websocket_keep(websocket);
    atomic_fetch_add(&websocket->posted_len, len);
    err = dx_loop_post(websocket->loop, on_post, made);
    if (err != DX_OK) {
        atomic_fetch_sub(&websocket->posted_len, len);
        dx_websocket_drop(websocket);
        free(made);
    }
    return err;
}

/* ---- those without a result ---- */

void dx_websocket_abort(struct dx_websocket *websocket)
{
    struct dx_websocket_call call = {.kind = DX_CALL_ABORT};

    if (dx_loop_is_here(websocket->loop))
        dx_websocket_abort_here(websocket);
    else if (dx_websocket_post(websocket, &call, NULL, 0) != DX_OK)
        return; /* no memory: its deadlines will end it */
}

static void pause_or_resume(struct dx_websocket *websocket, enum dx_websocket_call_kind kind)
{
    struct dx_websocket_call call = {.kind = kind};

    if (dx_loop_is_here(websocket->loop))
        pause_here(websocket, kind == DX_CALL_PAUSE);
    else if (dx_websocket_post(websocket, &call, NULL, 0) != DX_OK)
        return;
}

void dx_websocket_pause(struct dx_websocket *websocket)
{
    pause_or_resume(websocket, DX_CALL_PAUSE);
}

void dx_websocket_resume(struct dx_websocket *websocket)
{
    pause_or_resume(websocket, DX_CALL_RESUME);
}
