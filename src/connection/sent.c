/*
 * sent.c - completions: calls on_sent when a message has left (dx_connection_send_with).
 *
 * The queue is a guest of the connection, made for the first such message. It counts the bytes that
 * the stream has accepted since; a message has left when the count reaches the end of its last
 * byte, whether it was gathered, sent directly, or in parts.
 */
#include "connection/connection_parts.h"

#include <stdlib.h>

#define FIRST_ROOM 8         /* a power of two, like every room */
#define NEVER_PUT UINT64_MAX /* the end of a message that was discarded */

struct sent {
    uint64_t end; /* value of `put` when the message's last byte has been accepted */
    void (*on_sent)(struct dx_connection *connection, enum dx_err err, void *user);
    void *user;
};

struct dx_sent_queue {
    struct dx_attachment attachment;
    uint64_t put;      /* bytes that the stream has accepted since the queue was made */
    struct sent *sent; /* a ring */
    size_t room;
    size_t first;
    size_t count;
};

static const char queue_owner;

static struct dx_sent_queue *queue_of(const struct dx_connection *connection)
{
    return (struct dx_sent_queue *)dx_connection_find_attachment(connection, &queue_owner);
}

static struct dx_pool *pool_of(const struct dx_connection *connection)
{
    return connection->output.pool;
}

static void drop_ring(struct dx_connection *connection, struct dx_sent_queue *queue)
{
    dx_pool_uncharge(pool_of(connection), queue->room * sizeof(struct sent));
    free(queue->sent);
    queue->sent = NULL;
    queue->room = 0;
    queue->first = 0;
}

static struct sent take_first(struct dx_sent_queue *queue)
{
    struct sent first = queue->sent[queue->first];

    queue->first = (queue->first + 1) & (queue->room - 1);
    queue->count--;
    return first;
}

/*
 * Messages that have left succeed. The others fail with the connection's error, or DX_ERR_CLOSED
 * after a clean end.
 */
static void on_gone(struct dx_attachment *attachment, struct dx_connection *connection)
{
    struct dx_sent_queue *queue = (struct dx_sent_queue *)attachment;
    enum dx_err err = connection->err ? (enum dx_err)connection->err : DX_ERR_CLOSED;

    while (queue->count > 0) {
        struct sent sent = take_first(queue);

        sent.on_sent(connection, sent.end <= queue->put ? DX_OK : err, sent.user);
    }
    drop_ring(connection, queue);
    free(queue);
}

static enum dx_err make_queue(struct dx_connection *connection, struct dx_sent_queue **queue)
{
    struct dx_sent_queue *made = calloc(1, sizeof(*made));
    enum dx_err err;

    if (!made)
        return DX_ERR_NOMEM;
    made->attachment = (struct dx_attachment){.owner = &queue_owner, .on_gone = on_gone};
    err = dx_connection_attach(connection, &made->attachment);
    if (err) {
        free(made);
        return err;
    }
    connection->counts_put = true;
    *queue = made;
    return DX_OK;
}

static enum dx_err make_room(struct dx_connection *connection, struct dx_sent_queue *queue)
{
    size_t room = queue->room ? queue->room * 2 : FIRST_ROOM;
    struct sent *grown;
    enum dx_err err;

    if (queue->count < queue->room)
        return DX_OK;
    err = dx_pool_charge(pool_of(connection), room * sizeof(*grown));
    if (err)
        return err;
    grown = malloc(room * sizeof(*grown));
    if (!grown) {
        dx_pool_uncharge(pool_of(connection), room * sizeof(*grown));
        return DX_ERR_NOMEM;
    }
    for (size_t i = 0; i < queue->count; i++)
        grown[i] = queue->sent[(queue->first + i) & (queue->room - 1)];
    drop_ring(connection, queue);
    queue->sent = grown;
    queue->room = room;
    return DX_OK;
}

static void add(struct dx_connection *connection, struct dx_sent_queue *queue, struct sent sent)
{
    /* A write that failed while sending has discarded it. */
    bool is_lost = connection->is_dead || connection->writing == DX_WRITING_BROKEN;

    sent.end = is_lost ? NEVER_PUT : queue->put + connection->output.len;
    queue->sent[(queue->first + queue->count) & (queue->room - 1)] = sent;
    queue->count++;
}

enum dx_err dx_connection_send_with(
    struct dx_connection *connection, enum dx_opcode opcode, const void *data, size_t len,
    void (*on_sent)(struct dx_connection *connection, enum dx_err err, void *user), void *user)
{
    struct dx_sent_queue *queue = queue_of(connection);
    enum dx_err err = DX_OK;

    if (!on_sent)
        return dx_connection_send(connection, opcode, data, len);
    if (!queue)
        err = make_queue(connection, &queue);
    if (!err)
        err = make_room(connection, queue);
    if (!err)
        err = dx_connection_send(connection, opcode, data, len);
    if (err)
        return err;
    add(connection, queue, (struct sent){.on_sent = on_sent, .user = user});
    dx_connection_schedule(connection);
    return DX_OK;
}

void dx_connection_count_put(struct dx_connection *connection, size_t len)
{
    queue_of(connection)->put += len;
}

/*
 * Handles those that are queued now; messages that a callback sends wait for the next round, so
 * that a callback that always sends cannot keep the turn from ending.
 */
void dx_connection_tell_sent(struct dx_connection *connection)
{
    struct dx_sent_queue *queue = connection->counts_put ? queue_of(connection) : NULL;
    size_t count = queue ? queue->count : 0;

    while (count-- > 0 && !connection->is_dead && queue->sent[queue->first].end <= queue->put) {
        struct sent sent = take_first(queue);

        sent.on_sent(connection, DX_OK, sent.user);
    }
    if (queue && queue->count == 0 && queue->room > FIRST_ROOM)
        drop_ring(connection, queue);
}
