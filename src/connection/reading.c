/*
 * reading.c - reads once per turn, into the loop's buffer or straight into a growing message, and
 * hands the events to the owner.
 *
 * A handler may send, close, abort, pause or resume: after each event the pump checks whether it
 * may continue.
 */
#include "connection/connection_parts.h"

#include <string.h>

#define FIRST_ROOM 131072 /* of a message longer than one read */

bool dx_connection_is_reading(const struct dx_connection *connection)
{
    if (connection->has_ended)
        return false;
    return connection->is_draining || (!connection->is_paused && !connection->kept);
}

static void drop_message(struct dx_connection *connection)
{
    dx_large_give(dx_loop_large(dx_connection_loop(connection)), connection->message);
    connection->message = NULL;
}

/* Makes room for `len` more bytes in the growing message. */
static enum dx_err make_room(struct dx_connection *connection, size_t len)
{
    struct dx_large_store *store = dx_loop_large(dx_connection_loop(connection));
    struct dx_large *message = connection->message;
    size_t need = message ? message->len + len : len;
    uint64_t max_message = connection->endpoint.config->max_message;
    size_t room;

    if (message && need <= message->room)
        return DX_OK;
    room = message ? message->room * 2 : FIRST_ROOM;
    if (room > max_message)
        room = (size_t)max_message;
    if (room < need)
        room = need;
    return message ? dx_large_grow(store, &connection->message, room)
                   : dx_large_take(store, room, &connection->message);
}

static void fail_for_memory(struct dx_connection *connection, enum dx_err err)
{
    dx_connection_fail(connection,
                       err == DX_ERR_TOO_MANY ? DX_CLOSE_TRY_AGAIN : DX_CLOSE_INTERNAL_ERROR, err,
                       "no memory for a message");
}

static void give_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                         size_t len)
{
    if (connection->handlers->on_message)
        connection->handlers->on_message(connection, opcode, data, len, connection->user);
}

/* Appends a piece, unless it was read straight into the message. */
static void assemble(struct dx_connection *connection, const struct dx_event *event)
{
    struct dx_large *message;
    enum dx_err err;

    if (event->is_first)
        drop_message(connection);
    message = connection->message;
    if (!message || event->data != message->bytes + message->len) {
        err = make_room(connection, event->len);
        if (err) {
            fail_for_memory(connection, err);
            return;
        }
        message = connection->message;
        if (event->len > 0)
            memcpy(message->bytes + message->len, event->data, event->len);
    }
    message->len += event->len;
    if (!event->is_last)
        return;
    /* Detached while the handler uses it: an abort from the handler must not free it. */
    connection->message = NULL;
    give_message(connection, event->opcode, message->bytes, message->len);
    dx_large_give(dx_loop_large(dx_connection_loop(connection)), message);
}

static void take_data(struct dx_connection *connection, const struct dx_event *event)
{
    if (connection->is_failed)
        return;
    dx_connection_count_in(connection, event->is_last, event->len);
    if (!connection->is_waiting)
        connection->phase_ms = dx_connection_now(connection);
    if (connection->handlers->on_chunk) {
        connection->handlers->on_chunk(connection, event->opcode, event->data, event->len,
                                       event->is_first, event->is_last, connection->user);
    } else if (event->is_first && event->is_last) {
        give_message(connection, event->opcode, event->data, event->len);
    } else {
        assemble(connection, event);
    }
}

static void take_event(struct dx_connection *connection, const struct dx_event *event)
{
    switch (event->type) {
    case DX_EVENT_DATA:
        take_data(connection, event);
        break;
    case DX_EVENT_PONG:
        if (connection->handlers->on_pong && !connection->is_failed)
            connection->handlers->on_pong(connection, event->data, event->len, connection->user);
        break;
    case DX_EVENT_CLOSE:
        dx_connection_note_close(connection, event);
        break;
    case DX_EVENT_FAIL:
        dx_connection_note_failure(connection, event);
        break;
    case DX_EVENT_PING:
        if (connection->handlers->on_ping && !connection->is_failed)
            connection->handlers->on_ping(connection, event->data, event->len, connection->user);
        break;
    case DX_EVENT_NONE:
        break;
    }
}

/* Other connections will use the shared buffer next: copy unconsumed input to our own memory. */
static void keep_rest(struct dx_connection *connection)
{
    struct dx_endpoint *endpoint = &connection->endpoint;
    enum dx_err err;

    if (connection->kept || endpoint->in_len == 0)
        return;
    err = dx_large_take(dx_loop_large(dx_connection_loop(connection)), endpoint->in_len,
                        &connection->kept);
    if (err) {
        dx_connection_end(connection, err, "no memory to keep input while reading is paused", true);
        return;
    }
    memcpy(connection->kept->bytes, endpoint->in, endpoint->in_len);
    connection->kept->len = endpoint->in_len;
    endpoint->in = connection->kept->bytes;
}

/* All input is consumed: the message deadline starts, continues or ends. */
static void note_consumed(struct dx_connection *connection)
{
    bool was_in_message = connection->is_in_message;

    dx_large_give(dx_loop_large(dx_connection_loop(connection)), connection->kept);
    connection->kept = NULL;
    connection->is_in_message = dx_endpoint_is_in_message(&connection->endpoint);
    if (connection->is_in_message && !was_in_message && !connection->is_waiting)
        connection->phase_ms = dx_connection_now(connection);
}

static void pump(struct dx_connection *connection)
{
    struct dx_event event;
    bool is_consumed = false;

    if (connection->is_pumping)
        return;
    connection->is_pumping = true;
    while (!connection->is_dead && !connection->is_paused && !is_consumed) {
        is_consumed = dx_endpoint_next(&connection->endpoint, &event) == DX_EVENT_NONE;
        if (!is_consumed)
            take_event(connection, &event);
    }
    connection->is_pumping = false;
    if (connection->is_dead)
        return;
    if (is_consumed)
        note_consumed(connection);
    else
        keep_rest(connection);
}

/*
 * Where to read the next bytes: at the end of the growing message, up to the end of the current
 * frame, so that they are never copied; else into the loop's buffer.
 */
static enum dx_err find_place(struct dx_connection *connection, uint8_t **place, size_t *len)
{
    uint64_t left = dx_endpoint_payload_left(&connection->endpoint);
    enum dx_err err;

    *place = dx_loop_read_buffer(dx_connection_loop(connection));
    *len = DX_READ_SIZE;
    if (left == 0 || !connection->message || connection->is_failed || connection->is_draining ||
        connection->endpoint.config->transform ||
        dx_endpoint_close_is_received(&connection->endpoint))
        return DX_OK;
    if (left < *len)
        *len = (size_t)left;
    err = make_room(connection, *len);
    if (err)
        return err;
    *place = connection->message->bytes + connection->message->len;
    return DX_OK;
}

static void note_end_of_read(struct dx_connection *connection, enum dx_err err)
{
    unsigned wants;

    if (err == DX_ERR_AGAIN) {
        wants = dx_stream_wants(&connection->stream);
        connection->read_wants_write = (wants & DX_WATCH_WRITE) != 0;
        return;
    }
    if (err == DX_ERR_CLOSED) {
        connection->has_ended = true;
        return;
    }
    if (connection->is_draining || connection->writing == DX_WRITING_BROKEN ||
        (dx_endpoint_close_is_sent(&connection->endpoint) &&
         dx_endpoint_close_is_received(&connection->endpoint))) {
        /* A reset after both Closes is an end of stream. */
        connection->has_ended = true;
        return;
    }
    dx_connection_end(connection, err,
                      err == DX_ERR_RESET ? "the peer reset the connection" : "reading failed",
                      true);
}

bool dx_connection_discard(struct dx_connection *connection)
{
    size_t got;
    enum dx_err err =
        dx_stream_read(&connection->stream, dx_loop_read_buffer(dx_connection_loop(connection)),
                       DX_READ_SIZE, &got);

    if (err) {
        note_end_of_read(connection, err);
        return false;
    }
    dx_connection_count_late(connection, got);
    return true;
}

static void read_once(struct dx_connection *connection)
{
    uint8_t *place;
    size_t len;
    size_t got;
    enum dx_err err;

    connection->read_wants_write = false;
    if (connection->is_draining) {
        (void)dx_connection_discard(connection);
        return;
    }
    if (connection->needs_pump) {
        /* Resumed in this turn: handle input that was fed before first. */
        connection->needs_pump = false;
        pump(connection);
        if (connection->is_dead || !dx_connection_is_reading(connection))
            return;
    }
    err = find_place(connection, &place, &len);
    if (err) {
        fail_for_memory(connection, err);
        return;
    }
    err = dx_stream_read(&connection->stream, place, len, &got);
    if (err) {
        note_end_of_read(connection, err);
        return;
    }
    connection->heard_ms = dx_connection_now(connection);
    connection->ping_is_out = false;
    dx_connection_count_late(connection, got);
    if (connection->is_dead)
        return;
    dx_endpoint_feed(&connection->endpoint, place, got);
    pump(connection);
}

static void note_pending(struct dx_connection *connection)
{
    if (!connection->is_dead && dx_connection_is_reading(connection) &&
        dx_stream_has_pending(&connection->stream)) {
        connection->needs_pump = true;
        dx_connection_schedule(connection);
    }
}

void dx_connection_go_on(struct dx_connection *connection)
{
    connection->needs_pump = false;
    if (!connection->is_paused && !connection->is_draining)
        pump(connection);
    if (!connection->is_dead && dx_connection_is_reading(connection) &&
        dx_stream_has_pending(&connection->stream))
        read_once(connection);
    note_pending(connection);
}

void dx_connection_on_ready(struct dx_watch *watch, unsigned events)
{
    struct dx_connection *connection = dx_container_of(watch, struct dx_connection, stream.watch);

    if (events & DX_WATCH_WRITE && connection->writing == DX_WRITING_BLOCKED)
        dx_connection_send_waiting(connection);
    if (connection->is_dead)
        return;
    /* This input may be what TLS needs to write: wait for writability again. */
    if (events & (DX_WATCH_READ | DX_WATCH_HANG_UP | DX_WATCH_ERROR))
        connection->write_wants_read = false;
    if (dx_connection_is_reading(connection)) {
        if (events & (DX_WATCH_READ | DX_WATCH_HANG_UP | DX_WATCH_ERROR) ||
            connection->read_wants_write)
            read_once(connection);
        note_pending(connection);
    } else if (events & (DX_WATCH_HANG_UP | DX_WATCH_ERROR) &&
               (connection->is_paused || connection->has_ended)) {
        dx_connection_note_hang_up(connection);
    }
    dx_connection_settle(connection);
}
