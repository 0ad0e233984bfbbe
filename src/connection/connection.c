/*
 * connection.c - makes and frees connections, runs their turns, and answers getters.
 */
#include "connection/connection_parts.h"

#include "base/sized.h"

#include <stdlib.h>

void dx_connection_kind_init(struct dx_connection_kind *kind, enum dx_role role,
                             const struct dx_connection_options *options)
{
    *kind = (struct dx_connection_kind){
        .endpoint =
            {
                .role = role,
                .max_message = options->max_message ? options->max_message : UINT64_MAX,
                .max_fragments = options->max_fragments ? options->max_fragments : UINT32_MAX,
                .fill_random = dx_loop_fill_random,
            },
        .options = *options,
    };
}

static void on_turn_end(struct dx_turn_task *task)
{
    struct dx_connection *connection = dx_container_of(task, struct dx_connection, task);

    if (connection->is_dead) {
        dx_connection_bury(connection);
        return;
    }
    if (connection->needs_pump)
        dx_connection_go_on(connection);
    dx_connection_settle(connection);
}

static enum dx_err keep_early(struct dx_connection *connection,
                              const struct dx_connection_start *start)
{
    enum dx_err err;

    if (start->early_len == 0)
        return DX_OK;
    err = dx_large_take(dx_loop_large(dx_connection_loop(connection)), start->early_len,
                        &connection->kept);
    if (err)
        return err;
    memcpy(connection->kept->bytes, start->early, start->early_len);
    connection->kept->len = start->early_len;
    dx_endpoint_feed(&connection->endpoint, connection->kept->bytes, connection->kept->len);
    return DX_OK;
}

static void release(struct dx_connection *connection)
{
    struct dx_large_store *store = dx_loop_large(dx_connection_loop(connection));

    dx_endpoint_release(&connection->endpoint);
    dx_output_clear(&connection->output);
    dx_large_give(store, connection->message);
    dx_large_give(store, connection->kept);
    free(connection);
}

enum dx_err dx_connection_new(struct dx_loop *loop, struct dx_stream *stream,
                              const struct dx_connection_start *start,
                              struct dx_connection **connection)
{
    struct dx_connection *made = calloc(1, sizeof(*made) + start->owner_len);
    enum dx_err err;

    if (!made)
        return DX_ERR_NOMEM;
    dx_output_init(&made->output, dx_loop_pool(loop));
    made->handlers = start->handlers;
    made->user = start->user;
    made->subprotocol = start->subprotocol;
    made->code = DX_CLOSE_ABNORMAL;
    made->heard_ms = dx_connection_now(made);
    made->task.run = on_turn_end;
    dx_timer_init(&made->timer, dx_connection_on_due);
    dx_endpoint_init(&made->endpoint, &start->kind->endpoint, &made->output);
    err = dx_output_append(&made->output, start->head, start->head_len);
    if (!err)
        err = keep_early(made, start);
    if (!err)
        err = dx_watch_start(loop, &made->stream.watch, stream->watch.fd, DX_WATCH_READ,
                             dx_connection_on_ready);
    if (err) {
        release(made);
        return err;
    }
    made->stream.tls = stream->tls;
    made->id = start->id;
    made->traffic = start->traffic;
    made->needs_pump = start->early_len > 0 || dx_stream_has_pending(&made->stream);
    dx_loop_expect_around_watch(loop, offsetof(struct dx_connection, stream.watch),
                                sizeof(*made) - offsetof(struct dx_connection, stream.watch));
    dx_loop_hold(loop);
    dx_loop_flush_later(loop, &made->task);
    *connection = made;
    return DX_OK;
}

void dx_connection_bury(struct dx_connection *connection)
{
    struct dx_loop *loop = dx_connection_loop(connection);
    bool has_reason = dx_endpoint_close_is_received(&connection->endpoint) && connection->message;
    struct dx_close_info info = {
        .code = connection->code,
        .sent_code = connection->sent_code,
        .was_clean = connection->err == DX_OK,
        .reason = has_reason ? (const char *)connection->message->bytes : "",
        .reason_len = has_reason ? connection->message->len : 0,
        .err = (enum dx_err)connection->err,
        .detail = connection->err == DX_OK ? NULL : connection->detail,
    };

    dx_connection_tell_gone(connection);
    if (dx_connection_kind(connection)->on_gone)
        dx_connection_kind(connection)->on_gone(connection, &info);
    if (connection->handlers->on_close)
        connection->handlers->on_close(connection, &info, connection->user);
    dx_loop_flush_cancel(loop, &connection->task);
    release(connection);
    dx_loop_let_go(loop);
}

void dx_connection_schedule(struct dx_connection *connection)
{
    if (!connection->is_pumping)
        dx_loop_flush_later(dx_connection_loop(connection), &connection->task);
}

/*
 * The readiness to wait for. If TLS must write before it can read, do not wait for input as well:
 * unread input would wake the loop endlessly. The same the other way round.
 */
static unsigned find_wanted(const struct dx_connection *connection)
{
    bool is_reading = dx_connection_is_reading(connection);
    unsigned wanted = 0;

    if (is_reading)
        wanted |= connection->read_wants_write ? DX_WATCH_WRITE | DX_WATCH_QUIET : DX_WATCH_READ;
    if (connection->writing == DX_WRITING_BLOCKED)
        wanted |= connection->write_wants_read ? DX_WATCH_READ : DX_WATCH_WRITE;
    if (connection->has_ended || connection->hang_up_is_told)
        wanted |= DX_WATCH_QUIET;
    return wanted;
}

static void set_watch(struct dx_connection *connection)
{
    unsigned wanted = find_wanted(connection);
    enum dx_err err;

    if (connection->is_unwatched) {
        if (!(wanted & DX_WATCH_READ))
            return;
        connection->is_unwatched = false;
        err = dx_watch_start(dx_connection_loop(connection), &connection->stream.watch,
                             connection->stream.watch.fd, wanted, dx_connection_on_ready);
    } else {
        err = dx_watch_set(dx_connection_loop(connection), &connection->stream.watch, wanted);
    }
    if (err)
        dx_connection_end(connection, err, "the descriptor cannot be watched", true);
}

void dx_connection_settle(struct dx_connection *connection)
{
    if (!connection->is_dead && connection->output.len > 0 &&
        connection->writing != DX_WRITING_BLOCKED)
        dx_connection_send_waiting(connection);
    if (!connection->is_dead)
        dx_connection_step_closing(connection);
    if (!connection->is_dead)
        dx_connection_tell_sent(connection);
    if (!connection->is_dead)
        dx_connection_tell_takers(connection);
    if (!connection->is_dead)
        set_watch(connection);
    if (!connection->is_dead)
        dx_connection_arm(connection);
}

void dx_connection_flush(struct dx_connection *connection)
{
    size_t max_queue = dx_connection_options(connection)->max_queue;

    if (connection->is_dead)
        return;
    if (connection->writing != DX_WRITING_BLOCKED)
        dx_connection_send_waiting(connection);
    if (connection->is_dead)
        return;
    if (max_queue > 0 && connection->output.len > max_queue)
        connection->is_congested = true;
    if (max_queue > 0 && connection->output.len / 4 > max_queue) {
        dx_connection_end(connection, DX_ERR_QUEUE_FULL, "the peer reads too slowly", true);
        return;
    }
    if (connection->room_is_awaited || connection->counts_put)
        dx_connection_schedule(connection);
    set_watch(connection);
    if (!connection->is_dead)
        dx_connection_arm(connection);
}

void dx_connection_pause(struct dx_connection *connection)
{
    if (connection->is_dead || connection->is_paused)
        return;
    connection->is_paused = true;
    connection->heard_ms = dx_connection_now(connection);
    connection->probe_count = 0;
    dx_connection_schedule(connection);
}

void dx_connection_resume(struct dx_connection *connection)
{
    if (connection->is_dead || !connection->is_paused)
        return;
    connection->is_paused = false;
    connection->heard_ms = dx_connection_now(connection);
    connection->phase_ms = connection->is_waiting ? connection->phase_ms : connection->heard_ms;
    connection->needs_pump = true;
    dx_connection_schedule(connection);
}

size_t dx_connection_buffered_amount(const struct dx_connection *connection)
{
    return connection->is_dead ? connection->unsent_len : connection->output.len;
}

bool dx_connection_is_congested(const struct dx_connection *connection)
{
    size_t max_queue = dx_connection_options(connection)->max_queue;

    return max_queue > 0 && connection->output.len > max_queue;
}

void dx_connection_set_user(struct dx_connection *connection, void *user)
{
    connection->user = user;
}

void *dx_connection_user(const struct dx_connection *connection)
{
    return connection->user;
}

void *dx_connection_owner(struct dx_connection *connection)
{
    return connection->owner;
}

struct dx_connection *dx_connection_of_owner(void *owner)
{
    return dx_container_of(owner, struct dx_connection, owner);
}

const struct dx_connection_kind *dx_connection_kind(const struct dx_connection *connection)
{
    return dx_connection_kind_of(connection->endpoint.config);
}

bool dx_connection_is_closing(const struct dx_connection *connection)
{
    return connection->is_dead || connection->writing == DX_WRITING_BROKEN ||
           connection->is_failed || dx_endpoint_close_is_sent(&connection->endpoint);
}

struct dx_traffic *dx_connection_traffic(const struct dx_connection *connection)
{
    return connection->traffic;
}

uint64_t dx_connection_id(const struct dx_connection *connection)
{
    return connection->id;
}

struct dx_loop *dx_connection_loop(const struct dx_connection *connection)
{
    /* From output to pool to loop: saves a pointer in each of ten thousand connections. */
    return dx_loop_of_pool(connection->output.pool);
}

void dx_connection_set_subprotocol(struct dx_connection *connection, const char *subprotocol)
{
    connection->subprotocol = subprotocol;
}

const char *dx_connection_subprotocol(const struct dx_connection *connection)
{
    return connection->subprotocol;
}

void dx_connection_count_sent(struct dx_connection *connection, size_t message_count,
                              size_t payload_len)
{
    dx_connection_count_out(connection, message_count, payload_len);
}

void dx_connection_metrics(const struct dx_connection *connection,
                           struct dx_connection_metrics *metrics)
{
    const struct dx_connection_counts *counts = &connection->counts;
    struct dx_connection_metrics own = {.messages_in = counts->messages_in,
                                        .bytes_in = counts->bytes_in,
                                        .messages_out = counts->messages_out,
                                        .bytes_out = counts->bytes_out};

    dx_sized_fill(metrics, &own, sizeof(own));
}

struct dx_output *dx_connection_output(struct dx_connection *connection)
{
    return &connection->output;
}

struct dx_endpoint *dx_connection_endpoint(struct dx_connection *connection)
{
    return &connection->endpoint;
}
