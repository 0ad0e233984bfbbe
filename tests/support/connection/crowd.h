/*
 * crowd.h - several connections on one loop with a set of topics, each with a raw peer
 * (peer_bench.h).
 */
#ifndef TESTS_CROWD_H
#define TESTS_CROWD_H

#include "support/connection/peer_bench.h"

#include <duplex/topics.h>

#define CROWD_MAX 8

struct crowd {
    struct dx_loop *loop;
    struct dx_topics *topics;
    struct dx_topics_options options; /* before crowd_open */
    struct dx_connection_options connection_options;
    struct bench members[CROWD_MAX]; /* member i has the id i + 1 */
    size_t count;
};

/** Default options. */
void crowd_init(struct crowd *crowd);

/**
 * Makes the loop, the set and `count` connections. Returns the first error; crowd_close is due in
 * any case.
 */
DX_MUST_CHECK enum dx_err crowd_try_open(struct crowd *crowd, size_t count);
void crowd_open(struct crowd *crowd, size_t count);

/**
 * Ends all connections, frees set and loop, and asserts that each connection has had its on_close.
 */
void crowd_close(struct crowd *crowd);

/** Turns until nothing happens for a moment. */
void crowd_quiet(struct crowd *crowd);

/** Subscribes a member, asserting that it works. */
void crowd_subscribe(struct crowd *crowd, size_t member, const char *name);

/** Unsubscribes one; returns whether it was subscribed. */
bool crowd_unsubscribe(struct crowd *crowd, size_t member, const char *name);

/** Publishes a text, asserting that it works. */
void crowd_publish(struct crowd *crowd, const char *name, const char *text);

/** The same on another thread. */
void crowd_publish_from_thread(struct crowd *crowd, const char *name, const char *text);

/**
 * The payloads of the short text frames that have come at a member's peer, each with a ';' behind
 * it; forgets them.
 */
const char *crowd_take(struct crowd *crowd, size_t member);

/** The same, asserted. */
void crowd_assert_took(struct crowd *crowd, size_t member, const char *expected);

struct dx_topics_metrics crowd_counts(struct crowd *crowd);

#endif
