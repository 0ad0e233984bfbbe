/*
 * soak.h - the soak of topics: one process serves on four loops and publishes from four threads
 * beside them, another one is all the clients. A run is made by its seed and its size; what the
 * clients see is held against what was published.
 *
 * soak.c: the two processes. server.c: the server's. client.c: the clients' sockets and deeds.
 * check.c: what a client may see.
 *
 * A client's command is one byte and, for S, U, P and X, a topic as two. It sends one at a time;
 * the answer is a notice.
 */
#ifndef TESTS_SOAK_H
#define TESTS_SOAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOAK_LOOPS 4
#define SOAK_THREADS 4                              /* that only publish */
#define SOAK_PUBLISHERS (SOAK_THREADS + SOAK_LOOPS) /* loops publish for their connections */
#define SOAK_TOPICS 100
#define SOAK_FLOOD SOAK_TOPICS /* one more, of long messages, for those that do not read */
#define SOAK_SUBSCRIPTIONS 10  /* of one client */

enum soak_command {
    COMMAND_SUBSCRIBE = 'S',
    COMMAND_UNSUBSCRIBE = 'U',
    COMMAND_PUBLISH = 'P',        /* in the middle of its callback */
    COMMAND_PUBLISH_EXCEPT = 'X', /* to all but itself */
    COMMAND_FRAGMENT = 'G', /* a message of the connection's own begins; the next one ends it */
    COMMAND_JAM = 'F',      /* it is sent more than it will read, and gets the flood */
    COMMAND_CLOSE = 'A',
    COMMAND_ABORT = 'B',
};

/* Every binary message of the server begins with one; the rest is filling. */
struct soak_notice {
    uint8_t kind;      /* 'M': a published message; else the command that is answered */
    uint8_t publisher; /* of 'M' and 'X' */
    uint16_t topic;
    uint32_t number; /* of 'M' and 'X': counts a publisher's messages to the topic */
    /*
     * Of 'S' and 'U': how many messages of each publisher had been published before the call, and
     * how many at most after it.
     */
    uint32_t before[SOAK_PUBLISHERS];
    uint32_t after[SOAK_PUBLISHERS];
};

#define SOAK_MESSAGE_LEN offsetof(struct soak_notice, before)

struct soak_plan {
    uint32_t seed;
    unsigned connections;
    unsigned seconds;
    unsigned publish_rate; /* messages a second, of all threads */
    unsigned action_rate;  /* deeds of clients a second */
    int policy;            /* enum dx_slow_policy */
};

/**
 * Serves until the other end of `control_fd` is closed; the port goes there first, as two bytes.
 * Returns whether all was right.
 */
bool soak_serve(const struct soak_plan *plan, int control_fd);

/** Is all the clients. Returns whether all was right. */
bool soak_visit(const struct soak_plan *plan, uint16_t port);

/* ---- randomness that the seed decides ---- */

static inline uint32_t soak_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (uint32_t)(z >> 32);
}

uint64_t soak_now_ms(void);

/* ---- check.c: what one client has a right to see ---- */

enum soak_stage { STAGE_OUT, STAGE_JOINING, STAGE_IN, STAGE_LEAVING };

/*
 * Of one topic that it is, or was, subscribed to. Numbers are those of the next message that may
 * come.
 */
struct soak_subscription {
    uint16_t topic;
    uint8_t stage;
    bool is_seen[SOAK_PUBLISHERS]; /* a message of this stretch has come */
    uint32_t next[SOAK_PUBLISHERS];
    uint32_t latest[SOAK_PUBLISHERS]; /* before one has come: the first one's number is not above */
};

struct soak_view {
    struct soak_subscription subscriptions[SOAK_SUBSCRIPTIONS];
    struct soak_notice excepted; /* a message that it must not get; kind 0: none */
    bool is_slow;                /* it may lose messages */
    const char *wrong;           /* what it has seen and had no right to */
};

void soak_view_message(struct soak_view *view, const struct soak_notice *notice);
void soak_view_subscribed(struct soak_view *view, const struct soak_notice *notice);
void soak_view_unsubscribed(struct soak_view *view, const struct soak_notice *notice);
struct soak_subscription *soak_view_find(struct soak_view *view, unsigned topic);

/* Sums for the report. */
struct soak_sums {
    uint64_t messages;
    uint64_t stretches; /* subscriptions from a beginning to an end, without a loss */
};

extern struct soak_sums soak_sums;

#endif
