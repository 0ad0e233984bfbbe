/*
 * endpoint_test.c - what the hostile table does not show: sending, its refusals, blocked output, the questions that an owner
 * may ask, transforms, and failing memory and randomness.
 */
#include "support/failing_allocator.h"
#include "support/scenario.h"
#include "ws/close_code.h"
#include "ws/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct dx_endpoint_config config;
    struct dx_pool pool;
    struct dx_output output;
    struct dx_endpoint endpoint;
    bool has_no_random;
    uint8_t random;
};

static bool fill_random(void *context, uint8_t *bytes, size_t len)
{
    struct fixture *fixture = context;

    for (size_t i = 0; i < len; i++)
        bytes[i] = ++fixture->random;
    return !fixture->has_no_random;
}

static void fixture_init(struct fixture *fixture, enum dx_role role)
{
    *fixture = (struct fixture){0};
    fixture->config = (struct dx_endpoint_config){
        .role = role,
        .max_message = 1 << 20,
        .max_fragments = 100,
        .fill_random = fill_random,
        .random_context = fixture,
    };
    dx_pool_init(&fixture->pool, 0, 16 << 20);
    dx_output_init(&fixture->output, &fixture->pool);
    dx_endpoint_init(&fixture->endpoint, &fixture->config, &fixture->output);
}

static void fixture_release(struct fixture *fixture)
{
    dx_endpoint_release(&fixture->endpoint);
    dx_output_clear(&fixture->output);
    dx_pool_release(&fixture->pool);
}

/* What is queued, taken off the queue, as bytes; returns the length. */
static size_t take_bytes(struct fixture *fixture, uint8_t *bytes, size_t room)
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

static void assert_out(struct fixture *fixture, const char *wanted)
{
    static uint8_t bytes[300100];
    size_t len = take_bytes(fixture, bytes, sizeof(bytes));
    struct journal journal = {0};

    journal_frames(&journal, fixture->config.role, bytes, len);
    assert_string_equal(journal_text(&journal), wanted);
    journal_release(&journal);
}

/* Feeds a frame from the peer (payload of at most 125 bytes) and returns the first event. */
static struct dx_event receive(struct fixture *fixture, uint8_t first, const char *payload)
{
    static uint8_t bytes[256];
    struct frame_text frame = {.first = first, .payload = payload, .len = strlen(payload)};
    struct dx_event event;

    dx_endpoint_feed(&fixture->endpoint, bytes,
                     frame_text_write(&frame, fixture->config.role, bytes));
    dx_endpoint_next(&fixture->endpoint, &event);
    return event;
}

static void assert_drained(struct fixture *fixture)
{
    struct dx_event event;

    assert_int_equal(dx_endpoint_next(&fixture->endpoint, &event), DX_EVENT_NONE);
    assert_int_equal(event.type, DX_EVENT_NONE);
}

static const enum dx_role roles[] = {DX_ROLE_SERVER, DX_ROLE_CLIENT};

/* ---- sending ---- */

static void messages_and_fragments(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture;
        struct dx_endpoint *endpoint = &fixture.endpoint;

        fixture_init(&fixture, roles[i]);
        assert_int_equal(dx_endpoint_send(endpoint, DX_OP_TEXT, "Hello", 5), DX_OK);
        assert_int_equal(dx_endpoint_send(endpoint, DX_OP_BINARY, NULL, 0), DX_OK);
        assert_int_equal(dx_endpoint_send_fragment(endpoint, DX_OP_TEXT, "a", 1, false), DX_OK);
        assert_int_equal(dx_endpoint_ping(endpoint, "p", 1), DX_OK);
        assert_int_equal(dx_endpoint_send(endpoint, DX_OP_TEXT, "no", 2), DX_ERR_STATE);
        assert_int_equal(dx_endpoint_send_fragment(endpoint, DX_OP_TEXT, NULL, 0, false), DX_OK);
        assert_int_equal(dx_endpoint_send_fragment(endpoint, DX_OP_TEXT, "bc", 2, true), DX_OK);
        assert_int_equal(dx_endpoint_pong(endpoint, NULL, 0), DX_OK);
        assert_int_equal(dx_endpoint_send(endpoint, DX_OP_TEXT, "again", 5), DX_OK);
        assert_out(&fixture,
                   "text(Hello) binary() text+(a) ping(p) cont+() cont(bc) pong() text(again)");
        fixture_release(&fixture);
    }
}

static void refused_before_anything_is_queued(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture;
        struct dx_endpoint *endpoint = &fixture.endpoint;
        char long_payload[126] = "";

        fixture_init(&fixture, roles[i]);
        assert_int_equal(dx_endpoint_send(endpoint, DX_OP_PING, "a", 1), DX_ERR_USAGE);
        assert_int_equal(dx_endpoint_send(endpoint, DX_OP_CONTINUATION, "a", 1), DX_ERR_USAGE);
        assert_int_equal(dx_endpoint_send_fragment(endpoint, DX_OP_CLOSE, "a", 1, true),
                         DX_ERR_USAGE);
        assert_int_equal(dx_endpoint_ping(endpoint, long_payload, 126), DX_ERR_USAGE);
        assert_int_equal(dx_endpoint_pong(endpoint, long_payload, 126), DX_ERR_USAGE);
        assert_int_equal(dx_endpoint_close(endpoint, 1005, "a", 1), DX_ERR_USAGE);
        assert_int_equal(dx_endpoint_close(endpoint, 1000, "\xff", 1), DX_ERR_USAGE);
        for (unsigned code = 0; code < 65536; code++)
            if (!dx_close_code_is_valid((uint16_t)code) && code != DX_CLOSE_NO_STATUS)
                assert_int_equal(dx_endpoint_close(endpoint, (uint16_t)code, NULL, 0),
                                 DX_ERR_USAGE);
        assert_false(dx_endpoint_close_is_sent(endpoint));
        assert_out(&fixture, "");
        fixture_release(&fixture);
    }
}

/* Around every length form and every block boundary; the caller's bytes stay as they were. */
static void every_size(void **state)
{
    static const size_t sizes[] = {0,     1,     125,   126,   127,   1023,  1024,  1025,
                                   16000, 16380, 16384, 32768, 65535, 65536, 100000};
    static uint8_t data[100000], before[100000];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = before[i] = (uint8_t)(i * 7 >> 3);
    for (size_t role = 0; role < 2; role++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            static uint8_t bytes[300100];
            uint8_t header[DX_FRAME_HEADER_MAX], *at = bytes;
            struct fixture fixture;
            size_t header_len;

            fixture_init(&fixture, roles[role]);
            for (size_t filler = 0; filler < 3; filler++) /* the second starts in a used block */
                assert_int_equal(dx_endpoint_send(&fixture.endpoint, DX_OP_BINARY, data, sizes[i]),
                                 DX_OK);
            header_len = dx_frame_header_write(header, 0x82, sizes[i],
                                               role ? (const uint8_t *)"\1\2\3\4" : NULL);
            assert_int_equal(take_bytes(&fixture, bytes, sizeof(bytes)) % (header_len + sizes[i]),
                             0);
            for (uint8_t n = 0; n < 3; n++, at += header_len + sizes[i]) {
                assert_memory_equal(at, header, role ? header_len - 4 : header_len);
                for (size_t k = 0; k < sizes[i]; k++) {
                    uint8_t key = role ? at[header_len - 4 + k % 4] : 0;

                    if ((at[header_len + k] ^ key) != data[k])
                        fail_msg("size %zu, byte %zu", sizes[i], k);
                }
                if (role)
                    assert_int_equal(at[header_len - 4], n * 4 + 1); /* a fresh key each */
            }
            fixture_release(&fixture);
        }
    }
    assert_memory_equal(data, before, sizeof(data));
}

static void a_small_frame_stands_in_one_piece(void **state)
{
    struct fixture fixture;
    struct dx_slice slices[4];
    uint8_t data[1024] = {0};

    (void)state;
    fixture_init(&fixture, DX_ROLE_SERVER);
    for (int i = 0; i < 15; i++)
        assert_int_equal(dx_endpoint_send(&fixture.endpoint, DX_OP_BINARY, data, 1024), DX_OK);
    assert_int_equal(dx_endpoint_send(&fixture.endpoint, DX_OP_BINARY, data, 1000), DX_OK);
    assert_int_equal(dx_output_peek(&fixture.output, slices, 4), 2);
    assert_int_equal(slices[0].len, 15 * 1028);
    assert_int_equal(slices[1].len, 1004);
    fixture_release(&fixture);
}

static void headers_for_those_who_send_themselves(void **state)
{
    struct fixture fixture;
    struct dx_endpoint *endpoint = &fixture.endpoint;
    uint8_t header[DX_FRAME_HEADER_MAX];
    size_t len = 0;

    (void)state;
    fixture_init(&fixture, DX_ROLE_SERVER);
    assert_int_equal(dx_endpoint_begin_frame(endpoint, DX_OP_TEXT, 70000, false, header, &len),
                     DX_OK);
    assert_int_equal(len, 10);
    assert_memory_equal(header, "\x01\x7f\0\0\0\0\0\x01\x11\x70", 10);
    assert_int_equal(dx_endpoint_begin_frame(endpoint, DX_OP_TEXT, 200, true, header, &len), DX_OK);
    assert_int_equal(len, 4);
    assert_memory_equal(header, "\x80\x7e\x00\xc8", 4);
    assert_int_equal(dx_endpoint_begin_frame(endpoint, DX_OP_BINARY, 3, true, header, &len), DX_OK);
    assert_int_equal(len, 2);
    assert_memory_equal(header, "\x82\x03", 2);
    assert_int_equal(dx_endpoint_begin_frame(endpoint, DX_OP_PING, 3, true, header, &len),
                     DX_ERR_USAGE);
    assert_int_equal(
        dx_endpoint_begin_frame(endpoint, DX_OP_TEXT, UINT64_C(1) << 63, true, header, &len),
        DX_ERR_USAGE);
    assert_int_equal(dx_endpoint_close(endpoint, 1000, NULL, 0), DX_OK);
    assert_int_equal(dx_endpoint_begin_frame(endpoint, DX_OP_TEXT, 3, true, header, &len),
                     DX_ERR_CLOSED);
    fixture_release(&fixture);
    fixture_init(&fixture, DX_ROLE_CLIENT);
    assert_int_equal(dx_endpoint_begin_frame(endpoint, DX_OP_TEXT, 3, true, header, &len),
                     DX_ERR_USAGE);
    fixture_release(&fixture);
}

/* ---- closing ---- */

static void after_our_close_nothing_is_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture;
        struct dx_endpoint *endpoint = &fixture.endpoint;

        fixture_init(&fixture, roles[i]);
        assert_int_equal(dx_endpoint_send_fragment(endpoint, DX_OP_TEXT, "a", 1, false), DX_OK);
        assert_int_equal(dx_endpoint_close(endpoint, 4321, "b\xc3\xa4", 3), DX_OK);
        assert_true(dx_endpoint_close_is_sent(endpoint));
        assert_int_equal(dx_endpoint_close(endpoint, 1000, "again", 5), DX_OK);
        assert_int_equal(dx_endpoint_send(endpoint, DX_OP_TEXT, "a", 1), DX_ERR_CLOSED);
        assert_int_equal(dx_endpoint_send_fragment(endpoint, DX_OP_TEXT, "a", 1, true),
                         DX_ERR_CLOSED);
        assert_int_equal(dx_endpoint_ping(endpoint, "a", 1), DX_ERR_CLOSED);
        assert_int_equal(dx_endpoint_pong(endpoint, "a", 1), DX_ERR_CLOSED);

        /* The peer may go on until its own Close: its messages come, its pings get no answer. */
        assert_int_equal(receive(&fixture, 0x81, "still").type, DX_EVENT_DATA);
        assert_int_equal(receive(&fixture, 0x89, "ping").type, DX_EVENT_PING);
        assert_int_equal(receive(&fixture, 0x88, "\x10\xe1").code, 4321);
        assert_true(dx_endpoint_close_is_received(endpoint));
        assert_false(dx_endpoint_is_failed(endpoint));
        assert_int_equal(receive(&fixture, 0x81, "late").type, DX_EVENT_NONE);
        assert_out(&fixture, "text+(a) close(4321 b\\xc3\\xa4)");
        fixture_release(&fixture);
    }
}

static void a_failure_after_our_close_sends_no_second_one(void **state)
{
    struct fixture fixture;
    struct dx_event event;

    (void)state;
    fixture_init(&fixture, DX_ROLE_SERVER);
    assert_int_equal(dx_endpoint_close(&fixture.endpoint, 1000, NULL, 0), DX_OK);
    event = receive(&fixture, 0x83, "");
    assert_int_equal(event.type, DX_EVENT_FAIL);
    assert_int_equal(event.code, 1002);
    assert_int_equal(event.err, DX_ERR_PROTOCOL);
    assert_true(dx_endpoint_is_failed(&fixture.endpoint));
    assert_out(&fixture, "close(1000)");
    fixture_release(&fixture);
}

static void the_owner_may_send_before_it_answers_a_close(void **state)
{
    struct fixture fixture;
    struct dx_event event;

    (void)state;
    fixture_init(&fixture, DX_ROLE_SERVER);
    event = receive(&fixture, 0x88,
                    "\x03\xe9"
                    "bye");
    assert_int_equal(event.type, DX_EVENT_CLOSE);
    assert_int_equal(event.code, 1001);
    assert_int_equal(event.len, 3);
    assert_memory_equal(event.data, "bye", 3);
    assert_false(dx_endpoint_close_is_sent(&fixture.endpoint));
    assert_int_equal(dx_endpoint_send(&fixture.endpoint, DX_OP_TEXT, "last", 4), DX_OK);
    assert_int_equal(dx_endpoint_close(&fixture.endpoint, DX_CLOSE_NO_STATUS, NULL, 0), DX_OK);
    assert_out(&fixture, "text(last) close()");
    fixture_release(&fixture);
}

static void a_long_reason_is_cut_between_code_points(void **state)
{
    struct fixture fixture;
    char reason[149] = "xy"; /* then code points of three bytes: byte 123 is inside one */

    (void)state;
    for (size_t i = 2; i < sizeof(reason); i += 3)
        memcpy(reason + i, "\xe2\x82\xac", 3);
    fixture_init(&fixture, DX_ROLE_SERVER);
    assert_int_equal(dx_endpoint_close(&fixture.endpoint, 1000, reason, sizeof(reason)), DX_OK);
    assert_int_equal(fixture.output.len, 2 + 2 + 122);
    fixture_release(&fixture);
}

/* ---- blocked output ---- */

static void while_blocked_the_latest_pong_waits(void **state)
{
    struct fixture fixture;
    struct dx_endpoint *endpoint = &fixture.endpoint;

    (void)state;
    fixture_init(&fixture, DX_ROLE_SERVER);
    receive(&fixture, 0x89, "0");
    dx_endpoint_set_blocked(endpoint, true);
    receive(&fixture, 0x89, "1");
    receive(&fixture, 0x89, "22");
    receive(&fixture, 0x89, "");
    receive(&fixture, 0x89, "333");
    assert_out(&fixture, "pong(0)");
    dx_endpoint_set_blocked(endpoint, false);
    assert_out(&fixture, "pong(333)");
    assert_null(endpoint->pong);
    receive(&fixture, 0x89, "4");
    assert_out(&fixture, "pong(4)");

    dx_endpoint_set_blocked(endpoint, true);
    receive(&fixture, 0x89, "5");
    assert_int_equal(dx_endpoint_close(endpoint, 1000, NULL, 0), DX_OK);
    dx_endpoint_set_blocked(endpoint, false);
    assert_out(&fixture, "close(1000)");
    fixture_release(&fixture);
}

/* ---- questions ---- */

static void feed_bytes(struct fixture *fixture, uint8_t *bytes, size_t len)
{
    struct dx_event event;

    dx_endpoint_feed(&fixture->endpoint, bytes, len);
    while (dx_endpoint_next(&fixture->endpoint, &event) != DX_EVENT_NONE)
        continue;
}

static void what_is_begun_and_what_is_left(void **state)
{
    uint8_t bytes[] = {0x02, 0x7e, 0x00, 0xc8, 1, 2, 3}, rest[197] = {0};
    uint8_t last[] = {0x80, 0x01, 9}, ping[] = {0x89, 0x02, 'a', 'b'};
    struct fixture fixture;
    struct dx_endpoint *endpoint = &fixture.endpoint;

    (void)state;
    fixture_init(&fixture, DX_ROLE_CLIENT);
    assert_false(dx_endpoint_is_in_message(endpoint));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        feed_bytes(&fixture, bytes + i, 1);
        assert_true(dx_endpoint_is_in_message(endpoint));
        assert_int_equal(dx_endpoint_payload_left(endpoint), i < 3 ? 0 : 203 - i);
    }
    feed_bytes(&fixture, rest, 197);
    assert_int_equal(dx_endpoint_payload_left(endpoint), 0);
    assert_true(dx_endpoint_is_in_message(endpoint));
    feed_bytes(&fixture, ping, 3);
    assert_int_equal(dx_endpoint_payload_left(endpoint), 0);
    feed_bytes(&fixture, ping + 3, 1);
    assert_true(dx_endpoint_is_in_message(endpoint));
    feed_bytes(&fixture, last, 3);
    assert_false(dx_endpoint_is_in_message(endpoint));
    feed_bytes(&fixture, ping, 1);
    assert_true(dx_endpoint_is_in_message(endpoint));
    feed_bytes(&fixture, ping + 1, 3);
    assert_false(dx_endpoint_is_in_message(endpoint));
    fixture_release(&fixture);
}

static void an_idle_endpoint_owns_nothing(void **state)
{
    uint8_t bytes[] = {0x89, 0x85, 0, 0, 0, 0, 'H', 'e', 'l', 'l', 'o'};
    struct fixture fixture;

    (void)state;
    assert_true(sizeof(struct dx_endpoint) <= 144);
    failing_allocator_start(0);
    fixture_init(&fixture, DX_ROLE_SERVER);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        feed_bytes(&fixture, bytes + i, 1);
        assert_int_equal(failing_allocator_live(),
                         i < 6 ? 0 : 1); /* then: what is split; the pong */
    }
    assert_out(&fixture, "pong(Hello)");
    assert_int_equal(failing_allocator_live(), 0);
    fixture_release(&fixture);
    failing_allocator_stop();
}

static void events_may_be_interrupted_by_sending(void **state)
{
    uint8_t bytes[] = {0x81, 0x01, 'a', 0x89, 0x00, 0x81, 0x01, 'b', 0x88, 0x00};
    struct fixture fixture;
    struct dx_event event;

    (void)state;
    fixture_init(&fixture, DX_ROLE_CLIENT);
    dx_endpoint_feed(&fixture.endpoint, bytes, sizeof(bytes));
    assert_int_equal(dx_endpoint_next(&fixture.endpoint, &event), DX_EVENT_DATA);
    assert_true(event.is_first && event.is_last);
    assert_int_equal(dx_endpoint_send(&fixture.endpoint, DX_OP_TEXT, "1", 1), DX_OK);
    assert_int_equal(dx_endpoint_next(&fixture.endpoint, &event), DX_EVENT_PING);
    assert_int_equal(dx_endpoint_close(&fixture.endpoint, 1000, NULL, 0), DX_OK);
    assert_int_equal(dx_endpoint_next(&fixture.endpoint, &event), DX_EVENT_DATA);
    assert_int_equal(event.data[0], 'b');
    assert_int_equal(dx_endpoint_next(&fixture.endpoint, &event), DX_EVENT_CLOSE);
    assert_int_equal(event.code, DX_CLOSE_NO_STATUS);
    assert_drained(&fixture);
    assert_drained(&fixture);
    assert_out(&fixture, "text(1) pong() close(1000)");
    fixture_release(&fixture);
}

/* ---- no memory, no room, no randomness ---- */

static void a_frame_is_queued_whole_or_not_at_all(void **state)
{
    static uint8_t data[70000];

    (void)state;
    for (size_t role = 0; role < 2; role++) {
        for (size_t len = 0; len <= sizeof(data); len = len * 3 + 500) {
            for (size_t nth = 1;; nth++) {
                struct fixture fixture;
                enum dx_err err;

                fixture_init(&fixture, roles[role]);
                assert_int_equal(dx_endpoint_send(&fixture.endpoint, DX_OP_TEXT, "first", 5),
                                 DX_OK);
                failing_allocator_start(nth);
                err = dx_endpoint_send(&fixture.endpoint, DX_OP_BINARY, data, len);
                if (!failing_allocator_stop()) {
                    assert_int_equal(err, DX_OK);
                    fixture_release(&fixture);
                    break;
                }
                assert_int_equal(err, DX_ERR_NOMEM);
                assert_int_equal(failing_allocator_live(), 0);
                assert_int_equal(
                    dx_endpoint_send_fragment(&fixture.endpoint, DX_OP_TEXT, "b", 1, true), DX_OK);
                assert_out(&fixture, "text(first) text(b)");
                fixture_release(&fixture);
            }
        }
    }
}

static void the_pools_limit(void **state)
{
    static uint8_t data[70000];
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture, DX_ROLE_CLIENT);
    fixture.pool.limit_len = (size_t)2 * DX_BLOCK_SIZE;
    assert_int_equal(dx_endpoint_send(&fixture.endpoint, DX_OP_BINARY, data, sizeof(data)),
                     DX_ERR_TOO_MANY);
    assert_int_equal(fixture.output.len, 0);
    assert_int_equal(fixture.pool.used_len, 0);
    assert_int_equal(dx_endpoint_send(&fixture.endpoint, DX_OP_BINARY, data, 20000), DX_OK);
    fixture.pool.limit_len = 0;
    for (int i = 0; i < 200; i++)
        if (dx_endpoint_ping(&fixture.endpoint, data, 125) != DX_OK)
            break;
    assert_int_equal(dx_endpoint_ping(&fixture.endpoint, data, 125), DX_ERR_TOO_MANY);
    /* And a ping that cannot be answered fails the connection, even without its Close. */
    {
        struct dx_event event = receive(&fixture, 0x89,
                                        "0123456789abcdef0123456789abcdef0123456789"
                                        "0123456789abcdef0123456789abcdef0123456789"
                                        "0123456789abcdef0123456789abcdef");

        assert_int_equal(event.type, DX_EVENT_FAIL);
        assert_int_equal(event.err, DX_ERR_NOMEM);
        assert_string_equal(event.detail, "the limit of all buffers is reached");
    }
    fixture_release(&fixture);
}

static void a_client_without_randomness(void **state)
{
    struct fixture fixture;
    struct dx_event event;

    (void)state;
    fixture_init(&fixture, DX_ROLE_CLIENT);
    fixture.has_no_random = true;
    assert_int_equal(dx_endpoint_send(&fixture.endpoint, DX_OP_TEXT, "a", 1), DX_ERR_SYSTEM);
    assert_int_equal(dx_endpoint_close(&fixture.endpoint, 1000, NULL, 0), DX_ERR_SYSTEM);
    assert_false(dx_endpoint_close_is_sent(&fixture.endpoint));
    event = receive(&fixture, 0x89, "x");
    assert_int_equal(event.type, DX_EVENT_FAIL);
    assert_int_equal(event.err, DX_ERR_SYSTEM);
    assert_int_equal(event.code, DX_CLOSE_ABNORMAL);
    assert_out(&fixture, "");
    fixture_release(&fixture);
}

/* ---- a transform ---- */

/*
 * Doubles each byte, gives at most three bytes a call, and knows one byte that no message may have; it holds the last byte
 * back until the next comes or the message ends.
 */
struct doubler {
    uint8_t out[3];
    uint8_t held;
    bool has_held;
    bool is_out_of_memory;
};

static enum dx_err doubler_decode(void *state, struct dx_transform_step *step)
{
    struct doubler *doubler = state;

    step->out = doubler->out;
    step->out_len = 0;
    if (doubler->is_out_of_memory)
        return DX_ERR_NOMEM;
    if (doubler->has_held && (step->in_len > 0 || step->is_end)) {
        doubler->out[0] = doubler->out[1] = doubler->held;
        step->out_len = 2;
        doubler->has_held = false;
    }
    if (step->in_len > 0) {
        if (*step->in == '!')
            return DX_ERR_PROTOCOL;
        doubler->held = *step->in++;
        step->in_len--;
        doubler->has_held = true;
    }
    step->is_done = step->in_len == 0 && !(step->is_end && doubler->has_held);
    return DX_OK;
}

static void doubler_reset(void *state)
{
    ((struct doubler *)state)->has_held = false;
}

static const struct dx_transform doubling = {doubler_decode};

static const struct transform_row {
    const char *name;
    struct frame_text frames[4];
    const char *events;
} transform_rows[] = {
    {"a transformed message", {{.first = 0xc1, .payload = "abc", .len = 3}}, "[1:aabbcc]"},
    {"an empty transformed message", {{.first = 0xc2, .payload = "", .len = 0}}, "[2:]"},
    {"a plain message beside it",
     {{.first = 0xc1, .payload = "ab", .len = 2}, {.first = 0x81, .payload = "ab", .len = 2}},
     "[1:aabb] [1:ab]"},
    {"in fragments, with a ping",
     {{.first = 0x41, .payload = "ab", .len = 2},
      {.first = 0x89, .payload = "p", .len = 1},
      {.first = 0x00, .payload = "", .len = 0},
      {.first = 0x80, .payload = "c", .len = 1}},
     "[1:aa ping(p) bbcc]"},
    {"with an empty last fragment",
     {{.first = 0x42, .payload = "ab", .len = 2}, {.first = 0x80, .payload = "", .len = 0}},
     "[2:aabb]"},
    {"data that it refuses",
     {{.first = 0xc1, .payload = "ab!", .len = 3}},
     "[1:aa fail(1007 a message does not fit the extension that made it)"},
    {"text that is not UTF-8 afterwards",
     {{.first = 0xc1, .payload = "a\xc3", .len = 2}},
     "[1:aa\\xc3 fail(1007 a text message is not UTF-8)"},
    {"larger than the limit afterwards",
     {{.first = 0xc2, .payload = "abcdef", .len = 6}},
     "[2:aabbccddee fail(1009 a message is larger than the limit)"},
    {"RSV1 on a continuation",
     {{.first = 0x41, .payload = "ab", .len = 2}, {.first = 0xc0, .payload = "c", .len = 1}},
     "[1:aa fail(1002 a reserved bit is set and no extension gives it a meaning)"},
    {"RSV1 on a ping",
     {{.first = 0xc9, .payload = "", .len = 0}},
     "fail(1002 a reserved bit is set and no extension gives it a meaning)"},
    {"RSV2",
     {{.first = 0xa1, .payload = "", .len = 0}},
     "fail(1002 a reserved bit is set and no extension gives it a meaning)"},
};

static void transforms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(transform_rows) / sizeof(transform_rows[0]); i++) {
        const struct transform_row *row = &transform_rows[i];
        struct doubler doubler = {0};
        uint8_t bytes[128];
        struct scenario scenario = {
            .name = row->name,
            .max_message = 10,
            .in = bytes,
            .transform = &doubling,
            .transform_state = &doubler,
            .reset_transform = doubler_reset,
        };

        for (int role = 0; role < 2; role++) {
            scenario.role = roles[role];
            scenario.in_len = 0;
            for (size_t n = 0; n < 4 && row->frames[n].payload != NULL; n++)
                scenario.in_len +=
                    frame_text_write(&row->frames[n], roles[role], bytes + scenario.in_len);
            scenario_check(&scenario, row->events, NULL);
        }
    }
}

static void a_transform_without_memory(void **state)
{
    struct doubler doubler = {.is_out_of_memory = true};
    struct fixture fixture;
    struct dx_event event;

    (void)state;
    fixture_init(&fixture, DX_ROLE_SERVER);
    fixture.config.transform = &doubling;
    dx_endpoint_set_transform_state(&fixture.endpoint, &doubler);
    event = receive(&fixture, 0xc1, "a");
    assert_int_equal(event.type, DX_EVENT_FAIL);
    assert_int_equal(event.err, DX_ERR_NOMEM);
    assert_out(&fixture, "close(1011 out of memory)");
    fixture_release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_and_fragments),
        cmocka_unit_test(refused_before_anything_is_queued),
        cmocka_unit_test(every_size),
        cmocka_unit_test(a_small_frame_stands_in_one_piece),
        cmocka_unit_test(headers_for_those_who_send_themselves),
        cmocka_unit_test(after_our_close_nothing_is_sent),
        cmocka_unit_test(a_failure_after_our_close_sends_no_second_one),
        cmocka_unit_test(the_owner_may_send_before_it_answers_a_close),
        cmocka_unit_test(a_long_reason_is_cut_between_code_points),
        cmocka_unit_test(while_blocked_the_latest_pong_waits),
        cmocka_unit_test(what_is_begun_and_what_is_left),
        cmocka_unit_test(an_idle_endpoint_owns_nothing),
        cmocka_unit_test(events_may_be_interrupted_by_sending),
        cmocka_unit_test(a_frame_is_queued_whole_or_not_at_all),
        cmocka_unit_test(the_pools_limit),
        cmocka_unit_test(a_client_without_randomness),
        cmocka_unit_test(transforms),
        cmocka_unit_test(a_transform_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
