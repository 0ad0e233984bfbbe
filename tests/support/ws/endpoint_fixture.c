/*
 * endpoint_fixture.c - an endpoint with its pool and output, for tests that look at it call by
 * call.
 */
#include "support/test.h"
#include "support/ws/endpoint_fixture.h"

#include <stdlib.h>
#include <string.h>

static bool fill_random(uint8_t *bytes, size_t len, void *user)
{
    struct fixture *fixture = user;

    for (size_t i = 0; i < len; i++)
        bytes[i] = ++fixture->random;
    return !fixture->has_no_random;
}

void fixture_init(struct fixture *fixture, enum dx_role role)
{
    *fixture = (struct fixture){0};
    fixture->config = (struct dx_endpoint_config){
        .role = role,
        .max_message = 1 << 20,
        .max_fragments = 100,
        .fill_random = fill_random,
        .random_user = fixture,
    };
    dx_pool_init(&fixture->pool, 0, 16 << 20);
    dx_output_init(&fixture->output, &fixture->pool);
    dx_endpoint_init(&fixture->endpoint, &fixture->config, &fixture->output);
}

void fixture_release(struct fixture *fixture)
{
    dx_endpoint_release(&fixture->endpoint);
    dx_output_clear(&fixture->output);
    dx_pool_release(&fixture->pool);
}

/* What is queued, taken off the queue, as bytes; returns the length. */
size_t fixture_take(struct fixture *fixture, uint8_t *bytes, size_t room)
{
    struct dx_slice slice;
    size_t len = 0;

    while (dx_output_peek(&fixture->output, &slice, 1) > 0) {
        assert_true(len + slice.len <= room);
        memcpy(bytes + len, slice.data, slice.len);
        len += slice.len;
        dx_output_consume(&fixture->output, slice.len);
    }
    return len;
}

void fixture_assert_out(struct fixture *fixture, const char *wanted)
{
    static uint8_t bytes[300100];
    size_t len = fixture_take(fixture, bytes, sizeof(bytes));
    struct journal journal = {0};

    journal_frames(&journal, fixture->config.role, bytes, len);
    assert_string_equal(journal_text(&journal), wanted);
    journal_release(&journal);
}

/* Feeds a frame from the peer (payload of at most 125 bytes) and returns the first event. */
struct dx_event fixture_receive(struct fixture *fixture, uint8_t first, const char *payload)
{
    static uint8_t bytes[256];
    struct frame_text frame = {.first = first, .payload = payload, .len = strlen(payload)};
    struct dx_event event;

    dx_endpoint_feed(&fixture->endpoint, bytes,
                     frame_text_write(&frame, fixture->config.role, bytes));
    dx_endpoint_next(&fixture->endpoint, &event);
    return event;
}

void fixture_feed(struct fixture *fixture, uint8_t *bytes, size_t len)
{
    struct dx_event event;

    dx_endpoint_feed(&fixture->endpoint, bytes, len);
    while (dx_endpoint_next(&fixture->endpoint, &event) != DX_EVENT_NONE)
        continue;
}
