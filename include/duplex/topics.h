/*
 * duplex/topics.h - publish and subscribe: a message once in, to every subscriber out, over all loops of the process.
 *
 * A topic is a name; it exists while somebody is subscribed. A message is encoded once, however many get it; all subscribers
 * of a topic get its messages in the same order, whichever threads publish; what is published to one subscriber within a turn
 * of its loop leaves in one write. A message never comes between the fragments of another that is being sent: it waits for
 * their end. What a connection sends of its own does not wait for published messages: published in the same turn, or while
 * the connection is behind, these come after it; and behind its Close nothing comes.
 */
#ifndef DUPLEX_TOPICS_H
#define DUPLEX_TOPICS_H

#include <duplex/connection.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dx_topics;

#define DX_TOPIC_NAME_MAX 255 /* bytes of a topic's name; at least 1, any bytes */

/* What becomes of a message for a subscriber that is behind: more than max_pending bytes wait for it already. */
enum dx_slow_policy {
    DX_SLOW_DROP_OLDEST = 0, /* the oldest published message that waits for it is forgotten */
    DX_SLOW_DROP_NEWEST,     /* this one is */
    DX_SLOW_DISCONNECT,      /* it is closed with 1008 "too slow" */
};

struct dx_topics_options {
    size_t size;
    enum dx_slow_policy slow_policy;
    /* Bytes of published messages that may wait for one subscriber beyond what its connection has taken (which is at most
     * half of its max_queue and one message); each counts its frame and 32. One that comes when no more than this waits may
     * have any length. */
    size_t max_pending;
    uint32_t max_topics;        /* at a time: dx_topics_subscribe fails above */
    uint32_t max_subscriptions; /* of one connection */
    /* Published bytes, each message's frame and 32, that a loop has not handed on yet: dx_topics_publish fails while so many wait. */
    size_t max_backlog;
};

static inline struct dx_topics_options dx_topics_options_init(void)
{
    struct dx_topics_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.max_pending = 1048576;
    options.max_topics = 1000000;
    options.max_subscriptions = 1000;
    options.max_backlog = 67108864;
    return options;
}

/**
 * Makes an empty set of topics; `options` may be NULL. It needs no loop of its own: each loop joins with its first subscriber.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_SYSTEM, DX_ERR_USAGE.
 */
DX_API DX_MUST_CHECK enum dx_err dx_topics_new(const struct dx_topics_options *options,
                                               struct dx_topics **topics);

/**
 * Frees the set. Every connection that was ever subscribed must have ended, and no thread may be publishing: after dx_server_free,
 * or after dx_server_close has called back. Any thread. NULL is fine.
 */
DX_API void dx_topics_free(struct dx_topics *topics);

/**
 * Subscribes a connection, which gets what is published from here on. On the connection's thread. Being subscribed already is
 * fine. It ends with the connection; a connection may be in several sets.
 *
 * Returns DX_OK, DX_ERR_USAGE (the name; a client's connection, whose frames cannot be shared), DX_ERR_CLOSED (nothing more can
 * be sent on it), DX_ERR_TOO_MANY, DX_ERR_NOMEM.
 */
DX_API DX_MUST_CHECK enum dx_err dx_topics_subscribe(struct dx_topics *topics,
                                                     struct dx_connection *connection,
                                                     const char *name, size_t name_len);

/** Ends a subscription. What was published before and waits for the connection still goes out. On the connection's thread. False: there was none. */
DX_API bool dx_topics_unsubscribe(struct dx_topics *topics, struct dx_connection *connection,
                                  const char *name, size_t name_len);

/** Whether the connection is subscribed. On its thread. */
DX_API bool dx_topics_is_subscribed(struct dx_topics *topics,
                                    const struct dx_connection *connection, const char *name,
                                    size_t name_len);

/**
 * Publishes a message, copied, to all that are subscribed now, but the connection with the id `except` (0: nobody is left
 * out; with connections of several servers in one set ids may coincide). Any thread; it returns at once. On a loop's own thread the
 * message leaves at this turn's end. No subscriber is fine. Text must be UTF-8: that is the caller's duty.
 *
 * Returns DX_OK; DX_ERR_USAGE (the name; not text or binary); DX_ERR_TOO_BIG (4 GiB); DX_ERR_NOMEM; DX_ERR_QUEUE_FULL (max_backlog waits at
 * one of the loops, or its posts are full): nobody gets it.
 */
DX_API DX_MUST_CHECK enum dx_err dx_topics_publish(struct dx_topics *topics, const char *name,
                                                   size_t name_len, enum dx_opcode opcode,
                                                   const void *data, size_t len, uint64_t except);

/** Subscribers of a topic, on all loops. Any thread. */
DX_API size_t dx_topics_subscriber_count(struct dx_topics *topics, const char *name,
                                         size_t name_len);

/* What a set has done so far. */
struct dx_topics_metrics {
    size_t size;
    size_t topics;         /* now */
    size_t subscriptions;  /* now */
    uint64_t published;    /* messages in */
    uint64_t delivered;    /* messages out: one for each subscriber that was given it */
    uint64_t dropped;      /* forgotten for subscribers that were behind, or for lack of memory */
    uint64_t disconnected; /* subscribers closed for being behind */
};

/** Room for what a library of this version fills in. */
static inline struct dx_topics_metrics dx_topics_metrics_init(void)
{
    struct dx_topics_metrics metrics = DX_ZEROED;

    metrics.size = sizeof(metrics);
    return metrics;
}

/** Fills in what the set has done so far. Any thread. */
DX_API void dx_topics_metrics(struct dx_topics *topics, struct dx_topics_metrics *counts);

#ifdef __cplusplus
}
#endif
#endif
