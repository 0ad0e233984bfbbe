/*
 * websocket_events.c - what a websocket's connection says, as the standard's events to its listeners, in their order.
 */
#include "client/websocket/message.h"
#include "base/sized.h"
#include "client/websocket/websocket_parts.h"

#include <stdlib.h>
#include <string.h>

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
    if (websocket->telling == 0)
        sweep(websocket);
}

/* Those that listened when the event began, one after the other; afterwards, with NULL, ends it. */
struct telling {
    struct dx_websocket *websocket;
    size_t at;
    size_t count;
};

static struct telling begin_telling(struct dx_websocket *websocket)
{
    dx_websocket_keep(websocket);
    if (atomic_load(&websocket->is_freed) && !websocket->free_is_done)
        dx_websocket_free_here(websocket); /* by another thread, whose word is on its way */
    websocket->telling++;
    return (struct telling){websocket, 0, websocket->listening_count};
}

static bool next_listener(struct telling *telling, struct dx_listening *next)
{
    struct dx_websocket *websocket = telling->websocket;

    while (telling->at < telling->count && !atomic_load(&websocket->is_freed)) {
        *next = websocket->listening[telling->at++];
        if (next->listener != NULL)
            return true;
    }
    if (--websocket->telling == 0)
        sweep(websocket);
    dx_websocket_drop(websocket);
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

/* ---- messages ---- */

/* A browser drops what comes once it has said Close. */
static bool is_listening(const struct dx_websocket *websocket)
{
    const struct dx_websocket_options *options = &websocket->settings.options;
    enum dx_ready_state state = dx_websocket_state(websocket);

    return state == DX_READY_STATE_OPEN ||
           (state == DX_READY_STATE_CLOSING && options->hears_while_closing &&
            !options->strict_browser);
}

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user)
{
    struct dx_websocket *websocket = user;
    struct dx_message message;
    struct telling telling;
    struct dx_listening to;

    (void)connection;
    dx_websocket_note_heard(websocket);
    dx_websocket_refresh_amount(websocket);
    if (!is_listening(websocket) || dx_websocket_is_answer(websocket, opcode, data, len))
        return;
    telling = begin_telling(websocket);
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

static void on_chunk(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                     size_t len, bool is_first, bool is_last, void *user)
{
    struct dx_websocket *websocket = user;

    (void)connection;
    dx_websocket_note_heard(websocket);
    dx_websocket_refresh_amount(websocket);
    if (!is_listening(websocket))
        return;
    dx_websocket_keep(websocket);
    /* What was kept back may be told by this, and closed upon. */
    if (!dx_websocket_is_answer_chunk(websocket, opcode, data, len, &is_first, is_last) &&
        is_listening(websocket))
        dx_websocket_tell_chunk(websocket, opcode, data, len, is_first, is_last);
    dx_websocket_drop(websocket);
}

void dx_websocket_tell_drain(struct dx_websocket *websocket)
{
    struct telling telling = begin_telling(websocket);
    struct dx_listening to;

    while (next_listener(&telling, &to))
        if (to.listener->on_drain != NULL)
            to.listener->on_drain(websocket, to.user);
}

static void on_drain(struct dx_connection *connection, void *user)
{
    struct dx_websocket *websocket = user;

    (void)connection;
    dx_websocket_keep(websocket);
    dx_websocket_pump_outbox(websocket);
    dx_websocket_run_calls(websocket, true);
    (void)dx_websocket_owes_drain(websocket);
    if (websocket->waiting_first == NULL)
        dx_websocket_tell_drain(websocket);
    dx_websocket_drop(websocket);
}

static void on_pong(struct dx_connection *connection, const uint8_t *data, size_t len, void *user)
{
    struct dx_websocket *websocket = user;
    struct telling telling;
    struct dx_listening to;

    (void)connection;
    dx_websocket_note_heard(websocket);
    if (dx_websocket_note_pong(websocket, data, len))
        return;
    telling = begin_telling(websocket);
    while (next_listener(&telling, &to))
        if (to.listener->on_pong != NULL)
            to.listener->on_pong(websocket, data, len, to.user);
}

static void on_ping(struct dx_connection *connection, const uint8_t *data, size_t len, void *user)
{
    struct dx_websocket *websocket = user;
    struct telling telling = begin_telling(websocket);
    struct dx_listening to;

    (void)connection;
    while (next_listener(&telling, &to))
        if (to.listener->on_ping != NULL)
            to.listener->on_ping(websocket, data, len, to.user);
}

/* ---- the end ---- */

static void on_peer_close(struct dx_connection *connection, uint16_t code, const char *reason,
                          size_t reason_len, void *user)
{
    struct dx_websocket *websocket = user;

    (void)reason;
    (void)reason_len;
    websocket->closes_later = false; /* the peer reads no more */
    dx_websocket_set_state(websocket, DX_READY_STATE_CLOSING);
    /* Some codes only a server may send: an empty Close then. */
    if (dx_connection_close(connection, code, "", 0) == DX_ERR_USAGE)
        (void)dx_connection_close(connection, DX_CLOSE_NO_STATUS, "", 0);
}

static bool has_heartbeat(const struct dx_websocket *websocket)
{
    const struct dx_connection_options *options = &websocket->settings.connection;

    return options->ping_interval_ms > 0 && options->pong_timeout_ms > 0;
}

/* A deadline: of the heartbeat, of what waits to be sent where that is the heartbeat, of a message that does not go on, of a Close. */
static enum dx_failure_step step_of_timeout(const struct dx_websocket *websocket,
                                            const struct dx_close_info *info)
{
    if (info->sent_code == DX_CLOSE_POLICY)
        return DX_STEP_PROTOCOL;
    if (dx_websocket_state(websocket) == DX_READY_STATE_OPEN && has_heartbeat(websocket))
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
    struct dx_error_event error = {
        .step = step_of(websocket, info),
        .err = info->err != DX_OK ? info->err : DX_ERR_CLOSED,
        .detail = info->detail != NULL ? info->detail : "the connection ended without a Close"};
    struct dx_close_event close = {.code = info->was_clean ? info->code : DX_CLOSE_ABNORMAL,
                                   .reason = info->was_clean ? info->reason : "",
                                   .reason_len = info->was_clean ? info->reason_len : 0,
                                   .was_clean = info->was_clean};

    (void)connection;
    dx_websocket_freeze_amount(websocket, info->err == DX_ERR_RESET);
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
