/*
 * websocket_events.c - a websocket's listeners, and how the standard's events reach them.
 *
 * Every listener that was there when the event began gets it, in the order in which they were
 * added. Not here: when an event is due (websocket_handlers.c, websocket_opening.c).
 */
#include "client/websocket/message.h"
#include "base/sized.h"
#include "client/websocket/websocket_parts.h"

#include <stdlib.h>

/* ---- listeners ---- */

static bool is_listed(const struct dx_websocket *websocket,
                      const struct dx_websocket_listener *listener, const void *user)
{
    for (size_t i = 0; i < websocket->listening_count; i++)
        if (websocket->listening[i].listener == listener && websocket->listening[i].user == user)
            return true;
    return false;
}

enum dx_err dx_websocket_add_listener(struct dx_websocket *websocket,
                                      const struct dx_websocket_listener *listener, void *user)
{
    if (listener == NULL ||
        DX_SIZED_CHECK(struct dx_websocket_listener, on_request, listener) != DX_OK)
        return DX_ERR_USAGE;
    if (is_listed(websocket, listener, user))
        return DX_OK; /* as addEventListener has it */
    if (websocket->listening_count == DX_WEBSOCKET_LISTENERS_MAX)
        return DX_ERR_TOO_MANY;
    if (websocket->listening_count == websocket->listening_room) {
        size_t room = websocket->listening_room > 0 ? websocket->listening_room * 2 : 2;
        struct dx_listening *grown = realloc(websocket->listening, room * sizeof(*grown));

        if (grown == NULL)
            return DX_ERR_NOMEM;
        websocket->listening = grown;
        websocket->listening_room = room;
    }
    websocket->listening[websocket->listening_count++] = (struct dx_listening){listener, user};
    return DX_OK;
}

static void sweep(struct dx_websocket *websocket)
{
    size_t kept = 0;

    for (size_t i = 0; i < websocket->listening_count; i++)
        if (websocket->listening[i].listener != NULL)
            websocket->listening[kept++] = websocket->listening[i];
    websocket->listening_count = kept;
}

void dx_websocket_remove_listener(struct dx_websocket *websocket,
                                  const struct dx_websocket_listener *listener, void *user)
{
    for (size_t i = 0; i < websocket->listening_count; i++)
        if (websocket->listening[i].listener == listener && websocket->listening[i].user == user) {
            websocket->listening[i].listener = NULL;
            break;
        }
    if (websocket->dispatching == 0)
        sweep(websocket);
}

void dx_websocket_forget_listeners(struct dx_websocket *websocket)
{
    for (size_t i = 0; i < websocket->listening_count; i++)
        websocket->listening[i].listener = NULL;
    if (websocket->dispatching == 0)
        sweep(websocket);
}

/* An event's way through those that listened when it began. */
struct telling {
    struct dx_websocket *websocket;
    size_t at;
    size_t count;
};

static struct telling begin_telling(struct dx_websocket *websocket)
{
    dx_websocket_enter(websocket);
    /* Freed by another thread. The task sees to it in case that nothing could be posted. */
    if (dx_mailbox_is_shut(&websocket->mailbox))
        dx_websocket_queue_task(websocket);
    websocket->dispatching++;
    return (struct telling){websocket, 0, websocket->listening_count};
}

static bool next_listener(struct telling *telling, struct dx_listening *next)
{
    struct dx_websocket *websocket = telling->websocket;

    while (telling->at < telling->count && !dx_mailbox_is_shut(&websocket->mailbox)) {
        *next = websocket->listening[telling->at++];
        if (next->listener != NULL)
            return true;
    }
    if (--websocket->dispatching == 0)
        sweep(websocket);
    dx_websocket_leave(websocket);
    return false;
}

bool dx_websocket_wants_chunks(const struct dx_websocket *websocket)
{
    for (size_t i = 0; i < websocket->listening_count; i++)
        if (websocket->listening[i].listener != NULL &&
            websocket->listening[i].listener->on_chunk != NULL)
            return true;
    return false;
}

/* ---- events ---- */

void dx_websocket_tell_open(struct dx_websocket *websocket)
{
    struct telling telling = begin_telling(websocket);
    struct dx_listening to;

    while (next_listener(&telling, &to))
        if (to.listener->on_open != NULL)
            to.listener->on_open(websocket, to.user);
}

void dx_websocket_tell_request(void *user, const char *head, size_t len)
{
    struct dx_websocket *websocket = user;
    struct telling telling = begin_telling(websocket);
    struct dx_listening to;

    while (next_listener(&telling, &to))
        if (to.listener->on_request != NULL)
            to.listener->on_request(websocket, head, len, to.user);
}

void dx_websocket_tell_error(struct dx_websocket *websocket, const struct dx_error_event *error)
{
    struct telling telling = begin_telling(websocket);
    struct dx_listening to;

    while (next_listener(&telling, &to))
        if (to.listener->on_error != NULL)
            to.listener->on_error(websocket, error, to.user);
}

void dx_websocket_tell_close(struct dx_websocket *websocket, const struct dx_close_event *close)
{
    struct telling telling = begin_telling(websocket);
    struct dx_listening to;

    while (next_listener(&telling, &to))
        if (to.listener->on_close != NULL)
            to.listener->on_close(websocket, close, to.user);
}

void dx_websocket_tell_message(struct dx_websocket *websocket, enum dx_opcode opcode,
                               const uint8_t *data, size_t len)
{
    struct telling telling = begin_telling(websocket);
    struct dx_message message;
    struct dx_listening to;

    dx_message_view_init(&message, opcode, data, len);
    while (next_listener(&telling, &to))
        if (to.listener->on_message != NULL)
            to.listener->on_message(websocket, &message, to.user);
    dx_message_view_end(&message);
}

void dx_websocket_tell_chunk(struct dx_websocket *websocket, enum dx_opcode opcode,
                             const uint8_t *data, size_t len, bool is_first, bool is_last)
{
    struct telling telling = begin_telling(websocket);
    struct dx_listening to;

    while (next_listener(&telling, &to))
        if (to.listener->on_chunk != NULL)
            to.listener->on_chunk(websocket, opcode, data, len, is_first, is_last, to.user);
}

void dx_websocket_tell_drain(struct dx_websocket *websocket)
{
    struct telling telling = begin_telling(websocket);
    struct dx_listening to;

    while (next_listener(&telling, &to))
        if (to.listener->on_drain != NULL)
            to.listener->on_drain(websocket, to.user);
}

void dx_websocket_tell_ping(struct dx_websocket *websocket, const uint8_t *data, size_t len)
{
    struct telling telling = begin_telling(websocket);
    struct dx_listening to;

    while (next_listener(&telling, &to))
        if (to.listener->on_ping != NULL)
            to.listener->on_ping(websocket, data, len, to.user);
}

void dx_websocket_tell_pong(struct dx_websocket *websocket, const uint8_t *data, size_t len)
{
    struct telling telling = begin_telling(websocket);
    struct dx_listening to;

    while (next_listener(&telling, &to))
        if (to.listener->on_pong != NULL)
            to.listener->on_pong(websocket, data, len, to.user);
}
