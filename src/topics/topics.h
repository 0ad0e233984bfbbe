/*
 * topics.h - the inside of <duplex/topics.h>: what the files of topics/ share.
 *
 *   topics.c       the set, and publishing
 *   counts.c       what the set counts
 *   names.c        its topics by name
 *   part.c         a loop's part of a set
 *   subscriber.c   a connection's subscriptions
 *   give.c         a message to one subscriber, and what waits for it
 *
 * There are two kinds of memory: what is marked "lock" may be used by whoever holds the set's lock,
 * everything else by the loop's thread only. Nothing here calls the user back, so a list cannot
 * change while it is walked.
 */
#ifndef DX_TOPICS_TOPICS_H
#define DX_TOPICS_TOPICS_H

#include <duplex/topics.h>

#include "base/shared.h"
#include "connection/connection.h"
#include "net/loop/loop.h"

#include <pthread.h>
#include <stdatomic.h>

/* A message that waits counts as its bytes and this, so that many short ones are bounded, too. */
#define DX_TOPICS_MESSAGE_COST 32

/* A name that has subscribers. All of it: lock. */
struct dx_topic {
    struct dx_topic *next;         /* in its bucket */
    struct dx_presence *presences; /* one for each loop that has subscribers */
    uint64_t hash;
    size_t subscriber_count;
    uint8_t name_len;
    char name[];
};

/* A topic on one loop. It exists while the loop has subscribers of the topic. */
struct dx_presence {
    struct dx_topic *topic;
    struct dx_part *part;
    struct dx_presence *next; /* lock: of the same topic on another loop */
    uint64_t batch;           /* lock: of the part, when a message of it was last queued */
    struct dx_subscriber **subscribers;
    uint32_t count;
    uint32_t room;
};

/* A published message on its way to a loop's subscribers. */
struct dx_item {
    struct dx_presence *presence;
    struct dx_shared *frame;
    uint64_t except;
    uint32_t payload_len;
};

/* A loop's part of a set. It exists while one of the loop's connections is a subscriber. */
struct dx_part {
    struct dx_part *next; /* lock */
    struct dx_topics *topics;
    struct dx_loop *loop;
    pthread_t thread; /* the loop's */
    struct dx_turn_task task;
    struct dx_item *items; /* lock: published and not yet delivered, in order */
    size_t item_count;     /* lock */
    size_t item_room;      /* lock */
    size_t backlog_len;    /* lock: bytes of it */
    uint64_t batch;        /* lock: counts how often the items were taken, from 1 */
    bool is_posted;        /* lock: a post is on its way */
    struct dx_item *spare; /* an array that an earlier batch has left */
    size_t spare_room;
    size_t subscriber_count;
};

/* A message that waits for one subscriber. */
struct dx_pending {
    struct dx_pending *next;
    struct dx_shared *frame;
    uint32_t payload_len;
};

/* Where a subscriber is in the list of a topic. */
struct dx_place {
    struct dx_presence *presence; /* NULL: free */
    uint32_t index;
};

/* A connection as a subscriber of a set, from its first subscription to its end. */
struct dx_subscriber {
    struct dx_attachment attachment;
    struct dx_part *part;
    struct dx_connection *connection;
    uint64_t id;             /* the connection's */
    struct dx_place *places; /* a hash table by presence; its room is a power of 2, or 0 */
    uint32_t place_count;
    uint32_t place_room;
    struct dx_pending *first; /* what waits, oldest first */
    struct dx_pending *last;
    size_t pending_len;
};

/* Names to topics: chained buckets under a keyed hash, because clients may choose names. */
struct dx_topic_names {
    struct dx_topic **buckets;
    size_t bucket_count; /* a power of 2 */
    size_t count;
    uint64_t key[2];
};

struct dx_topics {
    struct dx_topics_options options;
    pthread_mutex_t lock;
    struct dx_topic_names names; /* lock, but its key */
    struct dx_part *parts;       /* lock */
    size_t subscription_count;   /* lock */
    uint64_t published;          /* lock */
    atomic_uint_fast64_t delivered;
    atomic_uint_fast64_t dropped;
    atomic_uint_fast64_t disconnected;
};

/* What became of a batch; added to the set's counts at once. */
struct dx_tally {
    uint64_t delivered;
    uint64_t dropped;
    uint64_t disconnected;
};

/* Items that were taken off a part's queue. */
struct dx_batch {
    struct dx_item *items;
    size_t count;
    size_t room;
};

/* ---- names.c: lock, but the hash ---- */

/** Returns DX_OK, DX_ERR_NOMEM, DX_ERR_SYSTEM (no randomness). */
DX_MUST_CHECK enum dx_err dx_topic_names_init(struct dx_topic_names *names);
void dx_topic_names_release(struct dx_topic_names *names);

/** SipHash-1-3 of the name under the set's key. */
uint64_t dx_topic_names_hash(const struct dx_topic_names *names, const char *name, size_t name_len);

/** NULL: there is no such topic. */
struct dx_topic *dx_topic_names_find(const struct dx_topic_names *names, uint64_t hash,
                                     const char *name, size_t name_len);

/** Adds a topic that is not there. Returns DX_OK, DX_ERR_NOMEM. */
DX_MUST_CHECK enum dx_err dx_topic_names_add(struct dx_topic_names *names, uint64_t hash,
                                             const char *name, size_t name_len,
                                             struct dx_topic **topic);

/** Removes and frees a topic without presences. */
void dx_topic_names_remove(struct dx_topic_names *names, struct dx_topic *topic);

/* ---- part.c ---- */

/**
 * Finds or makes the part of a loop, and counts a subscriber more. On the loop's thread, without
 * the lock.
 */
DX_MUST_CHECK enum dx_err dx_part_join(struct dx_topics *topics, struct dx_loop *loop,
                                       struct dx_part **part);

/** Counts a subscriber less; the last one frees the part. */
void dx_part_leave(struct dx_part *part);

/**
 * Makes sure that one more item fits and that the loop will deliver it. Lock; any thread.
 *
 * Returns DX_OK, or DX_ERR_NOMEM, DX_ERR_QUEUE_FULL.
 */
DX_MUST_CHECK enum dx_err dx_part_prepare(struct dx_part *part);

/** Queues an item after dx_part_prepare; takes a reference. Lock; any thread. */
void dx_part_queue(struct dx_presence *presence, struct dx_shared *frame, uint32_t payload_len,
                   uint64_t except);

/** Whether a message of the topic is queued for the loop. Lock. */
static inline bool dx_presence_is_queued(const struct dx_presence *presence)
{
    return presence->batch == presence->part->batch;
}

/** Takes all that is queued. Lock, on the loop's thread. */
void dx_part_take_batch(struct dx_part *part, struct dx_batch *batch);

/**
 * Delivers a batch, which may be empty, and releases it. On the loop's thread, without the lock.
 */
void dx_part_deliver(struct dx_part *part, struct dx_batch *batch);

/* ---- counts.c ---- */

/** Adds to the set's counts. Any thread. */
void dx_topics_tally(struct dx_topics *topics, const struct dx_tally *tally);

/* ---- give.c: on the loop's thread ---- */

/**
 * Gives a message to the connection, or lets it wait, or does what the policy for slow ones says.
 */
void dx_subscriber_give(struct dx_subscriber *subscriber, struct dx_shared *frame,
                        uint32_t payload_len, struct dx_tally *tally);

/** Sends what its connection has gathered, as far as the kernel takes it. */
void dx_subscriber_flush(struct dx_subscriber *subscriber);

/** Gives what waits to the connection, as far as it has room. */
void dx_subscriber_resume(struct dx_subscriber *subscriber);

/** Drops what waits. */
void dx_subscriber_drop_pending(struct dx_subscriber *subscriber);

#endif
