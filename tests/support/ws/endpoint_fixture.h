/*
 * endpoint_fixture.h - an endpoint with its pool and output, for tests that look at it call by
 * call.
 */
#ifndef TESTS_ENDPOINT_FIXTURE_H
#define TESTS_ENDPOINT_FIXTURE_H

#include "support/ws/scenario.h"
#include "ws/endpoint.h"

struct fixture {
    struct dx_endpoint_config config;
    struct dx_pool pool;
    struct dx_output output;
    struct dx_endpoint endpoint;
    bool has_no_random;
    uint8_t random; /* the next bytes of masking keys: 1, 2, 3, ... */
};

/** Messages of up to 1 MiB in up to 100 fragments, a pool of 16 MiB that keeps no block. */
void fixture_init(struct fixture *fixture, enum dx_role role);
void fixture_release(struct fixture *fixture);

/** Takes what is queued off the queue; returns its length, which must not pass `room`. */
size_t fixture_take(struct fixture *fixture, uint8_t *bytes, size_t room);

/**
 * Takes what is queued off the queue and compares it, as a journal of frames
 * (support/ws/journal.h).
 */
void fixture_assert_out(struct fixture *fixture, const char *wanted);

/**
 * Feeds a frame from the peer (payload of at most 125 bytes, no NUL in it) and returns the first
 * event.
 */
struct dx_event fixture_receive(struct fixture *fixture, uint8_t first, const char *payload);

/** Feeds bytes and pulls all events. */
void fixture_feed(struct fixture *fixture, uint8_t *bytes, size_t len);

#endif
