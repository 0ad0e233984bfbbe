/*
 * part.c - a loop's part of a set of topics: the queue that any thread fills by publishing and the
 * loop empties.
 *
 * What the loop's own thread publishes is delivered at the end of this turn, what others publish by
 * a post. Whenever the queue is not empty, one or the other is on its way.
 */
#include "topics/topics.h"

#include <stdlib.h>

#define FIRST_ROOM 16
#define KEPT_ROOM 4096 /* items; a larger array is freed when it has been delivered */

static void deliver(struct dx_part *part, bool by_post)
{
    struct dx_topics *topics = part->topics;
    struct dx_batch batch;

    pthread_mutex_lock(&topics->lock);
    if (by_post)
        part->is_posted = false;
    dx_part_take_batch(part, &batch);
    pthread_mutex_unlock(&topics->lock);
    dx_part_deliver(part, &batch);
}

static void on_post(void *data)
{
    deliver(data, true);
}

static void on_turn_end(struct dx_turn_task *task)
{
    deliver(dx_container_of(task, struct dx_part, task), false);
}

static struct dx_part *find(const struct dx_topics *topics, const struct dx_loop *loop)
{
    struct dx_part *part = topics->parts;

    while (part && part->loop != loop)
        part = part->next;
    return part;
}

enum dx_err dx_part_join(struct dx_topics *topics, struct dx_loop *loop, struct dx_part **part)
{
    struct dx_part *found;

    pthread_mutex_lock(&topics->lock);
    found = find(topics, loop);
    if (!found) {
        found = malloc(sizeof(*found));
        if (found) {
            *found = (struct dx_part){.next = topics->parts,
                                      .topics = topics,
                                      .loop = loop,
                                      .thread = pthread_self(),
                                      .task = {.run = on_turn_end},
                                      .batch = 1};
            topics->parts = found;
        }
    }
    pthread_mutex_unlock(&topics->lock);
    if (!found)
        return DX_ERR_NOMEM;
    found->subscriber_count++;
    *part = found;
    return DX_OK;
}

void dx_part_leave(struct dx_part *part)
{
    struct dx_topics *topics = part->topics;
    struct dx_part **at = &topics->parts;

    if (--part->subscriber_count > 0)
        return;
    /*
     * Nothing can be published to it any more: its presences are gone, and with them their
     * messages.
     */
    pthread_mutex_lock(&topics->lock);
    while (*at != part)
        at = &(*at)->next;
    *at = part->next;
    pthread_mutex_unlock(&topics->lock);
    dx_loop_flush_cancel(part->loop, &part->task);
    if (part->is_posted)
        dx_loop_post_cancel(part->loop, part);
    free(part->items);
    free(part->spare);
    free(part);
}

static enum dx_err reserve(struct dx_part *part)
{
    size_t room = part->item_room ? part->item_room * 2 : FIRST_ROOM;
    struct dx_item *grown;

    if (part->item_count < part->item_room)
        return DX_OK;
    grown = realloc(part->items, room * sizeof(*grown));
    if (!grown)
        return DX_ERR_NOMEM;
    part->items = grown;
    part->item_room = room;
    return DX_OK;
}

static enum dx_err wake(struct dx_part *part)
{
    enum dx_err err;

    if (pthread_equal(part->thread, pthread_self())) {
        dx_loop_flush_later(part->loop, &part->task);
        return DX_OK;
    }
    if (part->is_posted || part->item_count > 0)
        return DX_OK;
    err = dx_loop_post(part->loop, on_post, part);
    part->is_posted = err == DX_OK;
    return err;
}

enum dx_err dx_part_prepare(struct dx_part *part)
{
    enum dx_err err;

    /* While nothing waits, a message that is longer than the limit is accepted. */
    if (part->item_count > 0 && part->backlog_len >= part->topics->options.max_backlog)
        return DX_ERR_QUEUE_FULL;
    err = reserve(part);
    return err ? err : wake(part);
}

void dx_part_queue(struct dx_presence *presence, struct dx_shared *frame, uint32_t payload_len,
                   uint64_t except)
{
    struct dx_part *part = presence->part;

    dx_shared_keep(frame);
    part->items[part->item_count++] = (struct dx_item){presence, frame, except, payload_len};
    part->backlog_len += dx_shared_slice(frame).len + DX_TOPICS_MESSAGE_COST;
    presence->batch = part->batch;
}

void dx_part_take_batch(struct dx_part *part, struct dx_batch *batch)
{
    *batch = (struct dx_batch){part->items, part->item_count, part->item_room};
    part->items = part->spare;
    part->item_room = part->spare_room;
    part->item_count = 0;
    part->backlog_len = 0;
    part->batch++;
    part->spare = NULL;
    part->spare_room = 0;
}

static void keep_or_free(struct dx_part *part, struct dx_batch *batch)
{
    if (part->spare || batch->room > KEPT_ROOM) {
        free(batch->items);
        return;
    }
    part->spare = batch->items;
    part->spare_room = batch->room;
}

/*
 * For so many connections of one batch, messages are gathered until the turn's end, where they
 * leave together with all other output. The rest is sent at once: gathering would take a block of
 * memory for each connection, and touch each of them, cold in the cache, a second time.
 */
#define GATHERED_MAX 1024

/*
 * Consecutive messages of one topic, subscriber by subscriber: they leave in one write in either
 * case.
 */
static void deliver_run(const struct dx_item *items, size_t count, size_t *gathered,
                        struct dx_tally *tally)
{
    const struct dx_presence *presence = items->presence;
    bool is_direct = *gathered + presence->count > GATHERED_MAX;

    for (uint32_t i = 0; i < presence->count; i++) {
        struct dx_subscriber *subscriber = presence->subscribers[i];

        for (size_t k = 0; k < count; k++)
            if (items[k].except == 0 || subscriber->id != items[k].except)
                dx_subscriber_give(subscriber, items[k].frame, items[k].payload_len, tally);
        if (is_direct)
            dx_subscriber_flush(subscriber);
    }
    if (!is_direct)
        *gathered += presence->count;
}

void dx_part_deliver(struct dx_part *part, struct dx_batch *batch)
{
    struct dx_tally tally = {0, 0, 0};
    size_t gathered = 0;

    for (size_t i = 0; i < batch->count;) {
        size_t end = i + 1;

        while (end < batch->count && batch->items[end].presence == batch->items[i].presence)
            end++;
        deliver_run(&batch->items[i], end - i, &gathered, &tally);
        for (; i < end; i++)
            dx_shared_drop(batch->items[i].frame);
    }
    dx_topics_tally(part->topics, &tally);
    keep_or_free(part, batch);
}
