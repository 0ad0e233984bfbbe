/*
 * websocket_events.c - what a websocket's connection says, as the standard's events to its listeners, in their order.
 */
#include "client/message.h"
#include "client/websocket_parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- listeners ---- */

enum dx_err dx_websocket_add_listener(struct dx_websocket *websocket,
                                      const struct dx_websocket_listener *listener, void *user)
{
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

static struct dx_websocket *websocket_of(const struct dx_connection *connection)
{
    return dx_connection_user(connection);
}

/* A browser drops what comes once it has said Close. */
static bool is_listening(const struct dx_websocket *websocket)
{
    const struct dx_websocket_options *options = &websocket->settings.options;
    enum dx_ready_state state = dx_websocket_state(websocket);

    return state == DX_OPEN ||
           (state == DX_CLOSING && options->hears_while_closing && !options->strict_browser);
}

/* The heartbeat's answer is not the listeners' business. */
static bool is_heartbeat(struct dx_websocket *websocket, enum dx_opcode opcode, const uint8_t *data,
                         size_t len)
{
    const char *answer = websocket->settings.options.heartbeat_answer;

    websocket->heard_ms = dx_loop_now_ms(websocket->loop);
    websocket->waits_for_pong = false;
    return answer != NULL && opcode == DX_OP_TEXT && strlen(answer) == len &&
           memcmp(answer, data, len) == 0;
}

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len)
{
    struct dx_websocket *websocket = websocket_of(connection);
    struct dx_message message;
    struct telling telling;
    struct dx_listening to;

    if (is_heartbeat(websocket, opcode, data, len))
        return;
    telling = begin_telling(websocket);
    dx_message_view_init(&message, opcode, data, len);
    /* A listener that closes ends the event for those behind it, too: nothing is delivered after close(). */
    while (next_listener(&telling, &to))
        if (to.listener->on_message != NULL && is_listening(websocket))
            to.listener->on_message(websocket, &message, to.user);
    dx_message_view_end(&message);
}

static void on_chunk(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                     size_t len, bool is_first, bool is_last)
{
    struct dx_websocket *websocket = websocket_of(connection);
    struct telling telling;
    struct dx_listening to;

    if (is_heartbeat(websocket, opcode, data, len) && is_first && is_last)
        return;
    telling = begin_telling(websocket);
    while (next_listener(&telling, &to))
        if (to.listener->on_chunk != NULL && is_listening(websocket))
            to.listener->on_chunk(websocket, opcode, data, len, is_first, is_last, to.user);
}

static void on_drain(struct dx_connection *connection)
{
    struct dx_websocket *websocket = websocket_of(connection);
    struct telling telling = begin_telling(websocket);
    struct dx_listening to;

    dx_websocket_pump_outbox(websocket);
    while (next_listener(&telling, &to))
        if (to.listener->on_drain != NULL)
            to.listener->on_drain(websocket, to.user);
}

static void on_pong(struct dx_connection *connection, const uint8_t *data, size_t len)
{
    struct dx_websocket *websocket = websocket_of(connection);
    struct telling telling;
    struct dx_listening to;

    if (dx_websocket_note_pong(websocket, data, len))
        return;
    telling = begin_telling(websocket);
    while (next_listener(&telling, &to))
        if (to.listener->on_pong != NULL)
            to.listener->on_pong(websocket, data, len, to.user);
}

static void on_ping(struct dx_connection *connection, const uint8_t *data, size_t len)
{
    struct dx_websocket *websocket = websocket_of(connection);
    struct telling telling = begin_telling(websocket);
    struct dx_listening to;

    while (next_listener(&telling, &to))
        if (to.listener->on_ping != NULL)
            to.listener->on_ping(websocket, data, len, to.user);
}

/* ---- the end ---- */

static void on_peer_close(struct dx_connection *connection, uint16_t code, const char *reason,
                          size_t reason_len)
{
    struct dx_websocket *websocket = websocket_of(connection);

    (void)reason;
    (void)reason_len;
    dx_websocket_set_state(websocket, DX_CLOSING);
    (void)dx_connection_close(connection, code, "", 0);
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
        return dx_websocket_state(websocket) == DX_OPEN ? DX_STEP_HEARTBEAT : DX_STEP_LOST;
    default:
        return DX_STEP_LOST;
    }
}

static void on_close(struct dx_connection *connection, const struct dx_close_info *info)
{
    struct dx_websocket *websocket = websocket_of(connection);
    struct dx_error_event error = {
        .step = step_of(websocket, info),
        .err = info->err != DX_OK ? info->err : DX_ERR_CLOSED,
        .detail = info->detail != NULL ? info->detail : "the connection ended without a Close"};
    struct dx_close_event close = {.code = info->was_clean ? info->code : DX_CLOSE_ABNORMAL,
                                   .reason = info->was_clean ? info->reason : "",
                                   .reason_len = info->was_clean ? info->reason_len : 0,
                                   .was_clean = info->was_clean};

    websocket->payload_len = dx_websocket_waiting_len(websocket);
    websocket->connection = NULL;
    dx_wheel_unset(dx_loop_wheel(websocket->loop), &websocket->timer);
    dx_websocket_end(websocket, info->was_clean ? NULL : &error, &close);
}

const struct dx_connection_handlers dx_websocket_whole_handlers = {.on_message = on_message,
                                                                   .on_peer_close = on_peer_close,
                                                                   .on_drain = on_drain,
                                                                   .on_pong = on_pong,
                                                                   .on_ping = on_ping,
                                                                   .on_close = on_close};

const struct dx_connection_handlers dx_websocket_chunk_handlers = {.on_chunk = on_chunk,
                                                                   .on_peer_close = on_peer_close,
                                                                   .on_drain = on_drain,
                                                                   .on_pong = on_pong,
                                                                   .on_ping = on_ping,
                                                                   .on_close = on_close};

/* ---- the heartbeat by text ---- */

void dx_websocket_start_beating(struct dx_websocket *websocket)
{
    const struct dx_websocket_options *options = &websocket->settings.options;
    uint32_t interval_ms = options->connection.ping_interval_ms;

    if (options->heartbeat_text == NULL || interval_ms == 0)
        return;
    dx_wheel_set(dx_loop_wheel(websocket->loop), &websocket->timer,
                 websocket->heard_ms + interval_ms);
}

void dx_websocket_beat(struct dx_websocket *websocket)
{
    const struct dx_websocket_options *options = &websocket->settings.options;
    uint64_t now_ms = dx_loop_now_ms(websocket->loop);

    if (websocket->waits_for_pong) {
        dx_connection_abort(websocket->connection, DX_ERR_TIMEOUT,
                            "the peer did not answer the heartbeat");
        return;
    }
    if (now_ms - websocket->heard_ms < options->connection.ping_interval_ms) {
        dx_websocket_start_beating(websocket);
        return;
    }
    /* Where it cannot be sent because the queue is full, silence counts all the same. */
    (void)(dx_connection_send(websocket->connection, DX_OP_TEXT, options->heartbeat_text,
                              strlen(options->heartbeat_text)) == DX_OK);
    websocket->waits_for_pong = true;
    dx_wheel_set(dx_loop_wheel(websocket->loop), &websocket->timer,
                 now_ms + options->connection.pong_timeout_ms);
}
