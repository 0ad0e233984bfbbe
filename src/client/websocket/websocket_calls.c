/*
 * websocket_calls.c - calls from threads that are not the loop's: copied, and made there in their order.
 *
 * What was accepted is not lost again: a message waits here while the connection has more than it should, and its sender's thread is
 * refused for what waits here.
 */
#include "client/websocket/websocket_parts.h"

#include <stdlib.h>
#include <string.h>

#define POSTED_MAX                                                                                 \
 67108864 /* payload bytes on their way to one websocket, where its max_queue says nothing */

static void pause_here(struct dx_websocket *websocket, bool is_paused)
{
    websocket->is_paused = is_paused;
    if (websocket->connection == NULL)
        return;
    if (is_paused)
        dx_connection_pause(websocket->connection);
    else
        dx_connection_resume(websocket->connection);
}

/* ---- on the loop's thread ---- */

/* What fails here fails as it would for a message that the network loses: nobody is there to be told. */
static void make(struct dx_websocket *websocket, const struct dx_websocket_call *call)
{
    enum dx_err err = DX_OK;

    switch (call->kind) {
    case DX_CALL_SEND:
        err = dx_websocket_send_here(websocket, call->opcode, call->bytes, call->len, true);
        break;
    case DX_CALL_FRAGMENT:
        err = dx_websocket_send_fragment_here(websocket, call->opcode, call->bytes, call->len,
                                              call->is_last, true);
        break;
    case DX_CALL_PING:
        err = dx_websocket_ping_here(websocket, call->bytes, call->len);
        break;
    case DX_CALL_CLOSE:
        dx_websocket_close_here(websocket, call->code, (const char *)call->bytes, call->len);
        break;
    }
    (void)err;
}

static bool is_message(const struct dx_websocket_call *call)
{
    return call->kind == DX_CALL_SEND || call->kind == DX_CALL_FRAGMENT;
}

/* Whether it has to wait for the connection or for the outbox. */
static bool has_to_wait(const struct dx_websocket *websocket, const struct dx_websocket_call *call)
{
    if (!is_message(call) || dx_websocket_state(websocket) != DX_READY_STATE_OPEN)
        return false;
    if (call->kind == DX_CALL_SEND && websocket->settings.options.outbox != NULL)
        return !dx_outbox_has_room(&websocket->outbox, call->len);
    return dx_connection_is_congested(websocket->connection);
}

static void take_posted(struct dx_websocket *websocket)
{
    pthread_mutex_lock(&websocket->lock);
    if (websocket->posted_first != NULL) {
        if (websocket->waiting_last != NULL)
            websocket->waiting_last->next = websocket->posted_first;
        else
            websocket->waiting_first = websocket->posted_first;
        websocket->waiting_last = websocket->posted_last;
        websocket->posted_first = NULL;
        websocket->posted_last = NULL;
    }
    pthread_mutex_unlock(&websocket->lock);
}

static void make_first(struct dx_websocket *websocket)
{
    struct dx_websocket_call *call = websocket->waiting_first;

    websocket->waiting_first = call->next;
    if (websocket->waiting_first == NULL)
        websocket->waiting_last = NULL;
    make(websocket, call);
    pthread_mutex_lock(&websocket->lock);
    if (is_message(call))
        atomic_fetch_sub(&websocket->posted_len, call->len);
    pthread_mutex_unlock(&websocket->lock);
    free(call);
}

void dx_websocket_run_calls(struct dx_websocket *websocket, bool waits)
{
    take_posted(websocket);
    if (websocket->is_running_calls)
        return;
    websocket->is_running_calls = true;
    while (websocket->waiting_first != NULL &&
           !(waits && has_to_wait(websocket, websocket->waiting_first)))
        make_first(websocket);
    websocket->is_running_calls = false;
}

bool dx_websocket_owes_drain(struct dx_websocket *websocket)
{
    bool owes;

    pthread_mutex_lock(&websocket->lock);
    owes = websocket->wants_drain && websocket->waiting_first == NULL;
    if (owes)
        websocket->wants_drain = false;
    pthread_mutex_unlock(&websocket->lock);
    return owes;
}

void dx_websocket_drop_calls(struct dx_websocket *websocket)
{
    take_posted(websocket);
    while (websocket->waiting_first != NULL) {
        struct dx_websocket_call *call = websocket->waiting_first;

        websocket->waiting_first = call->next;
        free(call);
    }
    websocket->waiting_last = NULL;
}

/* What does not wait behind messages. */
static void heed_words(struct dx_websocket *websocket, unsigned words)
{
    if (words & DX_WORD_PAUSE || words & DX_WORD_RESUME)
        pause_here(websocket, (words & DX_WORD_PAUSE) != 0);
    if (words & DX_WORD_FULL)
        dx_websocket_close_full(websocket);
    if (words & DX_WORD_ABORT)
        dx_websocket_abort_here(websocket);
}

static void on_post(void *data)
{
    struct dx_websocket *websocket = data;
    unsigned words;

    pthread_mutex_lock(&websocket->lock);
    websocket->is_posted = false;
    words = websocket->words;
    websocket->words = 0;
    pthread_mutex_unlock(&websocket->lock);
    heed_words(websocket, words);
    dx_websocket_run_calls(websocket, true);
    dx_websocket_refresh_amount(websocket);
    if (atomic_load(&websocket->is_freed))
        dx_websocket_free_here(websocket);
    else if (dx_websocket_owes_drain(websocket))
        dx_websocket_tell_drain(websocket);
    dx_websocket_drop(websocket);
}

void dx_websocket_unpost(struct dx_websocket *websocket)
{
    if (!websocket->is_posted)
        return;
    dx_loop_post_cancel(websocket->loop, websocket);
    websocket->is_posted = false;
    dx_websocket_drop(websocket);
}

/* ---- on any thread ---- */

/* With the lock. */
static enum dx_err wake(struct dx_websocket *websocket)
{
    enum dx_err err;

    if (websocket->is_posted)
        return DX_OK;
    dx_websocket_keep(websocket);
    err = dx_loop_post(websocket->loop, on_post, websocket);
    if (err == DX_OK)
        websocket->is_posted = true;
    else
        atomic_fetch_sub(&websocket->references, 1); /* never the last one */
    return err;
}

static bool has_room(struct dx_websocket *websocket, size_t len)
{
    size_t max_queue = websocket->settings.connection.max_queue;
    uint64_t posted_len = atomic_load(&websocket->posted_len);

    return posted_len == 0 || posted_len + len <= (max_queue > 0 ? max_queue : POSTED_MAX);
}

/* With the lock. */
static enum dx_err append(struct dx_websocket *websocket, struct dx_websocket_call *call)
{
    struct dx_websocket_call *before = websocket->posted_last;
    enum dx_err err;

    if (is_message(call) && !has_room(websocket, call->len)) {
        websocket->wants_drain = true;
        return DX_ERR_QUEUE_FULL;
    }
    err = wake(websocket);
    if (err != DX_OK)
        return err;
    if (before != NULL)
        before->next = call;
    else
        websocket->posted_first = call;
    websocket->posted_last = call;
    if (is_message(call))
        atomic_fetch_add(&websocket->posted_len, call->len);
    return DX_OK;
}

enum dx_err dx_websocket_post(struct dx_websocket *websocket, const struct dx_websocket_call *call,
                              const void *bytes, size_t len)
{
    struct dx_websocket_call *made = malloc(sizeof(*made) + len);
    enum dx_err err;

    if (made == NULL)
        return DX_ERR_NOMEM;
    *made = *call;
    made->next = NULL;
    made->len = len;
    if (len > 0)
        memcpy(made->bytes, bytes, len);
    pthread_mutex_lock(&websocket->lock);
    err = append(websocket, made);
    pthread_mutex_unlock(&websocket->lock);
    if (err != DX_OK)
        free(made);
    return err;
}

void dx_websocket_post_free(struct dx_websocket *websocket)
{
    pthread_mutex_lock(&websocket->lock);
    atomic_store(&websocket->is_freed, true);
    /* Where that cannot be posted, the next thing that happens to it ends it, or its loop's end. */
    (void)(wake(websocket) == DX_OK);
    pthread_mutex_unlock(&websocket->lock);
}

/* ---- those without a result ---- */

void dx_websocket_post_word(struct dx_websocket *websocket, unsigned word)
{
    pthread_mutex_lock(&websocket->lock);
    if (word & (DX_WORD_PAUSE | DX_WORD_RESUME))
        websocket->words &= ~(unsigned)(DX_WORD_PAUSE | DX_WORD_RESUME);
    websocket->words |= word;
    (void)(wake(websocket) == DX_OK);
    pthread_mutex_unlock(&websocket->lock);
}

void dx_websocket_abort(struct dx_websocket *websocket)
{
    if (dx_loop_is_here(websocket->loop))
        dx_websocket_abort_here(websocket);
    else
        dx_websocket_post_word(websocket, DX_WORD_ABORT);
}

void dx_websocket_pause(struct dx_websocket *websocket)
{
    if (dx_loop_is_here(websocket->loop))
        pause_here(websocket, true);
    else
        dx_websocket_post_word(websocket, DX_WORD_PAUSE);
}

void dx_websocket_resume(struct dx_websocket *websocket)
{
    if (dx_loop_is_here(websocket->loop))
        pause_here(websocket, false);
    else
        dx_websocket_post_word(websocket, DX_WORD_RESUME);
}
