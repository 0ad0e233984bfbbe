/*
 * give.c - a message to one subscriber. As long as its connection has room the frame joins what the connection has to send;
 * otherwise it waits here, and what the connection sends of its own meanwhile goes ahead of it.
 *
 * Nothing here calls the user back: sending queues, closing queues.
 */
#include "topics/topics.h"

#include <stdlib.h>

static void close_for_slowness(struct dx_subscriber *subscriber, struct dx_tally *tally)
{
    static const char reason[] = "too slow";

    dx_subscriber_forget(subscriber);
    (void)dx_connection_close(subscriber->connection, DX_CLOSE_POLICY, reason, sizeof(reason) - 1);
    tally->disconnected++;
}

/* Lost although there might have been place: for lack of memory. */
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

void dx_subscriber_forget(struct dx_subscriber *subscriber)
{
    while (subscriber->first)
        drop_first(subscriber);
}

/* What is congested was offered to the kernel before, and may be one long message of the application's own: a flush would
 * judge it as if it were a queue. */
void dx_subscriber_flush(struct dx_subscriber *subscriber)
{
    if (!dx_connection_is_congested(subscriber->connection))
        dx_connection_flush(subscriber->connection);
}

/* Room in fact: what was only gathered in this turn has been offered to the kernel. */
static bool has_room(struct dx_subscriber *subscriber)
{
    if (dx_connection_has_room(subscriber->connection))
        return true;
    dx_subscriber_flush(subscriber);
    return dx_connection_has_room(subscriber->connection);
}

/* Returns false when it does not go now and has to wait. */
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
    /* Nothing can be sent behind a Close. */
    if (dx_connection_is_closing(subscriber->connection))
        dx_subscriber_forget(subscriber);
    else if (subscriber->first || !hand_over(subscriber, frame, payload_len, tally))
        put_aside(subscriber, frame, payload_len, tally);
}

void dx_subscriber_go_on(struct dx_subscriber *subscriber)
{
    struct dx_tally tally = {0, 0, 0};

    while (subscriber->first && hand_over(subscriber, subscriber->first->frame,
                                          subscriber->first->payload_len, &tally)) {
        /* A message that was lost may have taken all with it. */
        if (subscriber->first)
            drop_first(subscriber);
    }
    dx_topics_tally(subscriber->part->topics, &tally);
}
