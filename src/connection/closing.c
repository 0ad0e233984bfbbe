/*
 * closing.c - the end of a connection (RFC 6455 section 7): closing handshake, failures, end of
 * stream, aborts.
 *
 * The server closes TCP first (section 7.1.1). If input may still arrive, closing at once is wrong:
 * the kernel would answer the input with RST, which may destroy our Close before the peer reads it.
 * So the sending direction is shut down and input is discarded.
 */
#include "connection/connection_parts.h"

#include <string.h>

#define LATE_LEN 1048576 /* after our Close, read at least so many bytes before giving up */
#define LAST_READS 4     /* reads of 64 KiB after the peer's Close, before waiting for more */

void dx_connection_end(struct dx_connection *connection, enum dx_err err, const char *detail,
                       bool abort)
{
    if (connection->is_dead)
        return;
    connection->is_dead = true;
    /* Report the first cause. */
    if (!connection->is_failed) {
        connection->err = (int16_t)err;
        connection->detail = detail;
    }
    dx_watch_stop(dx_connection_loop(connection), &connection->stream.watch);
    dx_stream_close(&connection->stream, abort);
    dx_wheel_unset(dx_loop_wheel(dx_connection_loop(connection)), &connection->timer);
    connection->unsent_len =
        connection->output.len < UINT32_MAX ? (uint32_t)connection->output.len : UINT32_MAX;
    dx_output_clear(&connection->output);
    dx_loop_flush_later(dx_connection_loop(connection), &connection->task);
}

void dx_connection_fail(struct dx_connection *connection, uint16_t code, enum dx_err err,
                        const char *detail)
{
    bool is_sent = dx_endpoint_close_is_sent(&connection->endpoint);
    enum dx_err close_err = dx_endpoint_close(&connection->endpoint, code, detail, strlen(detail));

    if (close_err) {
        dx_connection_end(connection, err, detail, true);
        return;
    }
    if (!is_sent)
        connection->sent_code = code;
    if (!dx_endpoint_close_is_received(&connection->endpoint)) {
        dx_large_give(dx_loop_large(dx_connection_loop(connection)), connection->message);
        connection->message = NULL;
    }
    connection->is_failed = true;
    connection->err = (int16_t)err;
    connection->detail = detail;
    dx_connection_schedule(connection);
}

void dx_connection_note_failure(struct dx_connection *connection, const struct dx_event *event)
{
    if (event->code == DX_CLOSE_ABNORMAL) {
        dx_connection_end(connection, event->err, event->detail, true);
        return;
    }
    if (connection->sent_code == 0)
        connection->sent_code = event->code;
    if (connection->is_failed)
        return;
    connection->is_failed = true;
    connection->err = (int16_t)event->err;
    connection->detail = event->detail;
}

/* No message follows a Close, so `message` stores its reason. Out of memory, it is dropped. */
static void keep_reason(struct dx_connection *connection, const struct dx_event *event)
{
    struct dx_large_store *store = dx_loop_large(dx_connection_loop(connection));

    dx_large_give(store, connection->message);
    connection->message = NULL;
    if (event->len == 0 || dx_large_take(store, event->len, &connection->message) != DX_OK)
        return;
    memcpy(connection->message->bytes, event->data, event->len);
    connection->message->len = event->len;
}

static void close_now(struct dx_connection *connection, uint16_t code, const char *reason,
                      size_t reason_len, enum dx_err *usage)
{
    enum dx_err err = dx_endpoint_close(&connection->endpoint, code, reason, reason_len);

    *usage = err == DX_ERR_USAGE ? err : DX_OK;
    if (err == DX_ERR_USAGE)
        return;
    if (err) {
        dx_connection_end(connection, err, "no memory for the Close frame", true);
        return;
    }
    connection->sent_code = code;
    connection->is_waiting = false;
    dx_connection_schedule(connection);
}

static void answer(struct dx_connection *connection)
{
    enum dx_err usage;

    close_now(connection, connection->code, NULL, 0, &usage);
    /* The peer may use codes that we may not (1010 is for clients): answer with an empty Close. */
    if (usage)
        close_now(connection, DX_CLOSE_NO_STATUS, NULL, 0, &usage);
}

void dx_connection_note_close(struct dx_connection *connection, const struct dx_event *event)
{
    connection->code = event->code;
    keep_reason(connection, event);
    if (dx_endpoint_close_is_sent(&connection->endpoint))
        return;
    if (connection->handlers->on_peer_close && !connection->is_failed)
        connection->handlers->on_peer_close(connection, event->code, (const char *)event->data,
                                            event->len, connection->user);
    else
        answer(connection);
}

enum dx_err dx_connection_close(struct dx_connection *connection, uint16_t code, const char *reason,
                                size_t reason_len)
{
    enum dx_err usage;

    if (connection->is_dead || dx_endpoint_close_is_sent(&connection->endpoint))
        return DX_OK;
    close_now(connection, code, reason, reason_len, &usage);
    return usage;
}

void dx_connection_abort(struct dx_connection *connection, enum dx_err err, const char *detail)
{
    dx_connection_end(connection, err, detail, true);
}

void dx_connection_leave(struct dx_connection *connection, enum dx_err err, const char *detail)
{
    dx_connection_end(connection, err, detail, false);
}

static void wait_for_peer(struct dx_connection *connection)
{
    if (connection->is_waiting)
        return;
    connection->is_waiting = true;
    connection->late_len = 0;
    connection->phase_ms = dx_connection_now(connection);
}

/* Nothing more is to be sent: send FIN and discard input until the peer's FIN. */
static void drain(struct dx_connection *connection)
{
    if (connection->is_draining)
        return;
    connection->is_draining = true;
    dx_stream_shutdown(&connection->stream);
    wait_for_peer(connection);
}

/* Both Closes are exchanged and ours has been written. */
static void finish(struct dx_connection *connection)
{
    if (connection->endpoint.config->role == DX_ROLE_CLIENT) {
        wait_for_peer(connection);
        return;
    }
    if (connection->is_draining)
        return;
    drain(connection);
    for (int i = 0; i < LAST_READS && !connection->is_dead; i++) {
        if (!dx_connection_discard(connection)) {
            dx_connection_end(connection, DX_OK, NULL, false);
            return;
        }
    }
}

static void end_after_their_end(struct dx_connection *connection)
{
    bool was_clean = dx_endpoint_close_is_sent(&connection->endpoint) &&
                     dx_endpoint_close_is_received(&connection->endpoint) &&
                     connection->writing != DX_WRITING_BROKEN;

    if (was_clean)
        dx_connection_end(connection, DX_OK, NULL, false);
    else if (connection->writing == DX_WRITING_BROKEN)
        dx_connection_end(connection, DX_ERR_RESET, "the peer reset the connection", true);
    else
        dx_connection_end(connection, DX_ERR_CLOSED,
                          "the peer ended the stream without a Close frame", false);
}

void dx_connection_step_closing(struct dx_connection *connection)
{
    bool is_sent = dx_endpoint_close_is_sent(&connection->endpoint);
    bool is_received = dx_endpoint_close_is_received(&connection->endpoint);

    if (connection->writing == DX_WRITING_BROKEN) {
        if (connection->has_ended)
            end_after_their_end(connection);
        else
            wait_for_peer(connection); /* bounds the time of a peer that never ends its stream */
        return;
    }
    if (connection->output.len > 0)
        return;
    if (connection->has_ended && (is_sent || !is_received))
        end_after_their_end(connection);
    else if (connection->is_failed)
        drain(connection);
    else if (is_sent && is_received)
        finish(connection);
    else if (is_sent || is_received)
        wait_for_peer(connection);
}

/* Allows for messages that were in flight; a peer that has read our Close sends less than this. */
static uint32_t late_limit(const struct dx_connection *connection)
{
    uint64_t max_message = connection->endpoint.config->max_message;

    if (max_message > UINT32_MAX / 4)
        return UINT32_MAX;
    return max_message * 4 > LATE_LEN ? (uint32_t)max_message * 4 : LATE_LEN;
}

void dx_connection_count_late(struct dx_connection *connection, size_t len)
{
    if (!connection->is_waiting || connection->is_dead ||
        !(connection->is_failed || dx_endpoint_close_is_sent(&connection->endpoint)))
        return;
    if (len < late_limit(connection) - connection->late_len) {
        connection->late_len += (uint32_t)len;
        return;
    }
    if (dx_endpoint_close_is_received(&connection->endpoint))
        dx_connection_end(connection, DX_OK, NULL, true);
    else
        dx_connection_end(connection, DX_ERR_TOO_BIG, "the peer does not stop sending", true);
}

void dx_connection_give_up_closing(struct dx_connection *connection)
{
    bool is_sent = dx_endpoint_close_is_sent(&connection->endpoint);
    bool is_received = dx_endpoint_close_is_received(&connection->endpoint);

    if (connection->writing == DX_WRITING_BROKEN)
        dx_connection_end(connection, DX_ERR_RESET, "the peer reset the connection", true);
    else if (is_received && !is_sent)
        answer(connection);
    else if (is_received)
        /* The closing handshake is complete; only the peer's FIN is missing. */
        dx_connection_end(connection, DX_OK, NULL, true);
    else
        dx_connection_end(connection, DX_ERR_TIMEOUT, "the peer did not answer the Close", true);
}
