/*
 * duplex/topics.h - publish and subscribe: one message in, a copy to every subscriber, on all
 * loops.
 *
 * A topic is a name. It exists while it has subscribers, which are connections of a server. A
 * message is encoded once for all subscribers. All subscribers of a topic get its messages in the
 * same order, whichever threads publish. What is published to one subscriber within a turn of its
 * loop leaves in one write.
 *
 * Published messages do not delay what a connection sends itself: those that are published in the
 * same turn, or while the connection is congested, come after it. A published message never comes
 * between the fragments of another message, and none comes after the connection's Close.
 *
 *     err = dx_topics_new(NULL, &topics);
 *     … after dx_request_accept …
 *     err = dx_topics_subscribe(topics, connection, "news", 4);
 *     … on any thread …
 *     err = dx_topics_publish(topics, "news", 4, DX_OP_TEXT, "hello", 5, 0);
 */
#ifndef DUPLEX_TOPICS_H
#define DUPLEX_TOPICS_H

#include <duplex/connection.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Life
 */

/* A set of topics. */
struct dx_topics;

/* The longest name of a topic, in bytes. The shortest has 1 byte; any bytes are allowed. */
#define DX_TOPIC_NAME_MAX 255

/* What happens to a message for a subscriber for which more than max_pending bytes wait already. */
enum dx_slow_policy {
    DX_SLOW_DROP_OLDEST = 0, /* the oldest messages that wait for it are dropped */
    DX_SLOW_DROP_NEWEST,     /* the new message is dropped for it */
    DX_SLOW_DISCONNECT,      /* it is closed with 1008 "too slow" */
};

struct dx_topics_options {
    size_t size;

    /* Default DX_SLOW_DROP_OLDEST. */
    enum dx_slow_policy slow_policy;

    /*
     * Published messages that may wait for one subscriber; each costs its frame size plus 32 bytes.
     * The connection itself accepts published messages up to half of its max_queue before that.
     * While no more than this waits, a message of any length is accepted. Bytes; default 1 MiB.
     */
    size_t max_pending;

    /* Topics that exist at a time; default 1,000,000. */
    uint32_t max_topics;

    /* Subscriptions of one connection; default 1,000. */
    uint32_t max_subscriptions;

    /*
     * Published messages that a loop has not distributed yet; each costs its frame size plus 32
     * bytes. dx_topics_publish fails while so many bytes wait. Bytes; default 64 MiB.
     */
    size_t max_backlog;
};

/** The defaults: 1 MiB a subscriber, 1,000,000 topics, 1,000 a connection, 64 MiB a loop. */
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
 * Makes an empty set of topics. It belongs to no loop; each loop joins with its first subscriber.
 *
 * Any thread.
 *
 * options   NULL means the defaults; copied
 * topics    gets the set; release it with dx_topics_free
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE    `size` is not set, or slow_policy has no valid value
 *   DX_ERR_NOMEM    nothing was made
 *   DX_ERR_SYSTEM   no randomness, or no mutex
 */
DX_API DX_MUST_CHECK enum dx_err dx_topics_new(const struct dx_topics_options *options,
                                               struct dx_topics **topics);

/**
 * Frees a set of topics.
 *
 * Every connection that ever subscribed must have ended, and no thread may be publishing: call it
 * after dx_server_free, or after the callback of dx_server_close. Any thread. NULL is fine.
 */
DX_API void dx_topics_free(struct dx_topics *topics);

/*
 * Subscribing
 *
 * These functions belong to the thread of the connection's loop.
 */

/**
 * Subscribes a connection to a topic.
 *
 * It gets the messages that are published from now on. A second subscription to the same topic
 * changes nothing. The subscription ends with the connection. A connection may be in several sets.
 *
 * The connection's thread only.
 *
 * connection       a server's
 * name, name_len   1 to DX_TOPIC_NAME_MAX bytes, any bytes
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE      the name is empty or too long, or the connection is a client's: it masks each
 *                     frame with its own key
 *   DX_ERR_CLOSED     our Close was sent, or the connection has failed or ended
 *   DX_ERR_TOO_MANY   max_subscriptions of the connection, or max_topics of the set, are reached
 *   DX_ERR_NOMEM      the connection was not subscribed
 */
DX_API DX_MUST_CHECK enum dx_err dx_topics_subscribe(struct dx_topics *topics,
                                                     struct dx_connection *connection,
                                                     const char *name, size_t name_len);

/**
 * Ends a subscription. Messages that were published before are still sent. False: the connection
 * was not subscribed. The connection's thread only.
 */
DX_API bool dx_topics_unsubscribe(struct dx_topics *topics, struct dx_connection *connection,
                                  const char *name, size_t name_len);

/** Whether the connection is subscribed. The connection's thread only. */
DX_API bool dx_topics_is_subscribed(struct dx_topics *topics,
                                    const struct dx_connection *connection, const char *name,
                                    size_t name_len);

/*
 * Publishing
 */

/**
 * Publishes a message to every subscriber of a topic.
 *
 * The message is copied and encoded once. On a loop's own thread it leaves at the end of this turn;
 * to other loops it is posted. A topic without subscribers is fine. The caller makes sure that a
 * text is UTF-8.
 *
 * Any thread. It returns at once and never calls back.
 *
 * name, name_len   1 to DX_TOPIC_NAME_MAX bytes, any bytes
 * opcode           DX_OP_TEXT or DX_OP_BINARY
 * data, len        the payload, in bytes
 * except           the id of a connection that is left out, or 0; ids of different servers in one
 *                  set may be equal
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE        the name is empty or too long, or the opcode is another
 *   DX_ERR_TOO_BIG      the payload with its frame header is 4 GiB or more
 *   DX_ERR_QUEUE_FULL   max_backlog bytes wait at one of the loops, or its 65,536 posts do; the
 *                       message is sent to no subscriber
 *   DX_ERR_NOMEM        the message is sent to no subscriber
 */
DX_API DX_MUST_CHECK enum dx_err dx_topics_publish(struct dx_topics *topics, const char *name,
                                                   size_t name_len, enum dx_opcode opcode,
                                                   const void *data, size_t len, uint64_t except);

/*
 * Counts
 */

/** Number of subscribers of a topic, on all loops. Any thread. */
DX_API size_t dx_topics_subscriber_count(struct dx_topics *topics, const char *name,
                                         size_t name_len);

/* What a set has done since it was made. */
struct dx_topics_metrics {
    size_t size;

    /* Topics that exist now. */
    size_t topics;

    /* Subscriptions that exist now. */
    size_t subscriptions;

    /* Messages that were published. */
    uint64_t published;

    /* Messages that connections accepted: one for each subscriber. */
    uint64_t delivered;

    /* Messages that were dropped for one subscriber, because it was slow or memory was short. */
    uint64_t dropped;

    /* Subscribers that were closed because they were slow, or memory was short. */
    uint64_t disconnected;
};

/** All 0, for dx_topics_metrics. */
static inline struct dx_topics_metrics dx_topics_metrics_init(void)
{
    struct dx_topics_metrics metrics = DX_ZEROED;

    metrics.size = sizeof(metrics);
    return metrics;
}

/** Fills in the counts of a set. `counts` starts from dx_topics_metrics_init. Any thread. */
DX_API void dx_topics_metrics(struct dx_topics *topics, struct dx_topics_metrics *counts);

#ifdef __cplusplus
}
#endif
#endif
