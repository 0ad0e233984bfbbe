/*
 * give.c - a message to one subscriber. While its connection has room, the frame is added to the
 * connection's output; otherwise it waits here, and messages that the application sends on that
 * connection meanwhile leave before it.
 *
 * Nothing here calls the user back: sending and closing only queue.
 */
#include "topics/topics.h"

#include <stdlib.h>

static void close_for_slowness(struct dx_subscriber *subscriber, struct dx_tally *tally)
{
    static const char reason[] = "too slow";

    dx_subscriber_drop_pending(subscriber);
    (void)dx_connection_close(subscriber->connection, DX_CLOSE_POLICY, reason, sizeof(reason) - 1);
    tally->disconnected++;
}

/* There is no memory for a message that would have been accepted. */
static void lose(struct dx_subscriber *subscriber, struct dx_tally *tally)
{
    if (subscriber->part->topics->options.slow_policy == DX_SLOW_DISCONNECT)
        close_for_slowness(subscriber, tally);
    else
        tally->dropped++;
}

static void drop_first(struct dx_subscriber *subscriber)
{
    struct dx_pending *pending = subscriber->first;

    subscriber->first = pending->next;
    if (!subscriber->first)
        subscriber->last = NULL;
    subscriber->pending_len -= dx_shared_slice(pending->frame).len + DX_TOPICS_MESSAGE_COST;
    dx_shared_drop(pending->frame);
    free(pending);
}

void dx_subscriber_drop_pending(struct dx_subscriber *subscriber)
{
    while (subscriber->first)
        drop_first(subscriber);
}

/*
 * The output of a congested connection has been offered to the kernel already, and may be one long
 * message of the application: a flush would apply max_queue to it.
 */
void dx_subscriber_flush(struct dx_subscriber *subscriber)
{
    if (!dx_connection_is_congested(subscriber->connection))
        dx_connection_flush(subscriber->connection);
}

/* Offers what was gathered in this turn to the kernel before it says that there is no room. */
static bool has_room(struct dx_subscriber *subscriber)
{
    if (dx_connection_has_room(subscriber->connection))
        return true;
    dx_subscriber_flush(subscriber);
    return dx_connection_has_room(subscriber->connection);
}

/* Returns false when the message has to wait. */
static bool hand_over(struct dx_subscriber *subscriber, struct dx_shared *frame,
                      uint32_t payload_len, struct dx_tally *tally)
{
    enum dx_err err;

    if (!has_room(subscriber))
        return false;
    err = dx_connection_send_shared(subscriber->connection, frame, payload_len);
    if (err == DX_OK)
        tally->delivered++;
    else if (err != DX_ERR_CLOSED)
        lose(subscriber, tally);
    return true;
}

static void append(struct dx_subscriber *subscriber, struct dx_shared *frame, uint32_t payload_len,
                   struct dx_tally *tally)
{
    struct dx_pending *pending = malloc(sizeof(*pending));

    if (!pending) {
        lose(subscriber, tally);
        return;
    }
    dx_shared_keep(frame);
    *pending = (struct dx_pending){NULL, frame, payload_len};
    if (subscriber->last)
        subscriber->last->next = pending;
    else
        subscriber->first = pending;
    subscriber->last = pending;
    subscriber->pending_len += dx_shared_slice(frame).len + DX_TOPICS_MESSAGE_COST;
}

static void put_aside(struct dx_subscriber *subscriber, struct dx_shared *frame,
                      uint32_t payload_len, struct dx_tally *tally)
{
    const struct dx_topics_options *options = &subscriber->part->topics->options;

    if (subscriber->pending_len > options->max_pending) {
        if (options->slow_policy == DX_SLOW_DISCONNECT) {
            close_for_slowness(subscriber, tally);
            return;
        }
        if (options->slow_policy == DX_SLOW_DROP_NEWEST) {
            tally->dropped++;
            return;
        }
        for (; subscriber->pending_len > options->max_pending; tally->dropped++)
            drop_first(subscriber);
    }
    append(subscriber, frame, payload_len, tally);
}

void dx_subscriber_give(struct dx_subscriber *subscriber, struct dx_shared *frame,
                        uint32_t payload_len, struct dx_tally *tally)
{
    /* Nothing can be sent after a Close. */
    if (dx_connection_is_closing(subscriber->connection))
        dx_subscriber_drop_pending(subscriber);
    else if (subscriber->first || !hand_over(subscriber, frame, payload_len, tally))
        put_aside(subscriber, frame, payload_len, tally);
}

void dx_subscriber_resume(struct dx_subscriber *subscriber)
{
    struct dx_tally tally = {0, 0, 0};

    while (subscriber->first && hand_over(subscriber, subscriber->first->frame,
                                          subscriber->first->payload_len, &tally)) {
        /* Losing a message may have dropped all of them. */
        if (subscriber->first)
            drop_first(subscriber);
    }
    dx_topics_tally(subscriber->part->topics, &tally);
}
