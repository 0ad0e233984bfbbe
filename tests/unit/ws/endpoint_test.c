/*
 * endpoint_test.c - what the hostile table does not show of the way in: blocked output, the
 * questions that an owner may ask, what an endpoint owns, and transforms.
 */
#include "support/failing/allocator.h"
#include "support/test.h"
#include "support/ws/endpoint_fixture.h"

#include <stdlib.h>
#include <string.h>

static const enum dx_role roles[] = {DX_ROLE_SERVER, DX_ROLE_CLIENT};

static void assert_drained(struct fixture *fixture)
{
    struct dx_event event;

    assert_int_equal(dx_endpoint_next(&fixture->endpoint, &event), DX_EVENT_NONE);
    assert_int_equal(event.type, DX_EVENT_NONE);
}

/* ---- blocked output ---- */

static void while_blocked_the_latest_pong_waits(void **state)
{
    struct fixture fixture;
    struct dx_endpoint *endpoint = &fixture.endpoint;

    (void)state;
    fixture_init(&fixture, DX_ROLE_SERVER);
    fixture_receive(&fixture, 0x89, "0");
    dx_endpoint_set_blocked(endpoint, true);
    fixture_receive(&fixture, 0x89, "1");
    fixture_receive(&fixture, 0x89, "22");
    fixture_receive(&fixture, 0x89, "");
    fixture_receive(&fixture, 0x89, "333");
    fixture_assert_out(&fixture, "pong(0)");
    dx_endpoint_set_blocked(endpoint, false);
    fixture_assert_out(&fixture, "pong(333)");
    assert_null(endpoint->aside);
    fixture_receive(&fixture, 0x89, "4");
    fixture_assert_out(&fixture, "pong(4)");

    dx_endpoint_set_blocked(endpoint, true);
    fixture_receive(&fixture, 0x89, "5");
    assert_int_equal(dx_endpoint_close(endpoint, 1000, NULL, 0), DX_OK);
    dx_endpoint_set_blocked(endpoint, false);
    fixture_assert_out(&fixture, "close(1000)");
    fixture_release(&fixture);
}

/* ---- questions ---- */

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
        fixture_feed(&fixture, bytes + i, 1);
        assert_true(dx_endpoint_is_in_message(endpoint));
        assert_int_equal(dx_endpoint_payload_left(endpoint), i < 3 ? 0 : 203 - i);
    }
    fixture_feed(&fixture, rest, 197);
    assert_int_equal(dx_endpoint_payload_left(endpoint), 0);
    assert_true(dx_endpoint_is_in_message(endpoint));
    fixture_feed(&fixture, ping, 3);
    assert_int_equal(dx_endpoint_payload_left(endpoint), 0);
    fixture_feed(&fixture, ping + 3, 1);
    assert_true(dx_endpoint_is_in_message(endpoint));
    fixture_feed(&fixture, last, 3);
    assert_false(dx_endpoint_is_in_message(endpoint));
    fixture_feed(&fixture, ping, 1);
    assert_true(dx_endpoint_is_in_message(endpoint));
    fixture_feed(&fixture, ping + 1, 3);
    assert_false(dx_endpoint_is_in_message(endpoint));
    fixture_release(&fixture);
}

static void an_idle_endpoint_owns_nothing(void **state)
{
    uint8_t bytes[] = {0x89, 0x85, 0, 0, 0, 0, 'H', 'e', 'l', 'l', 'o'};
    struct fixture fixture;

    (void)state;
    assert_true(sizeof(struct dx_endpoint) <= 96);
    failing_allocator_start(0);
    fixture_init(&fixture, DX_ROLE_SERVER);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        fixture_feed(&fixture, bytes + i, 1);
        assert_int_equal(failing_allocator_live(),
                         i < 6 ? 0 : 1); /* then: what is split; the pong */
    }
    fixture_assert_out(&fixture, "pong(Hello)");
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
    fixture_assert_out(&fixture, "text(1) pong() close(1000)");
    fixture_release(&fixture);
}

/* ---- a transform ---- */

/*
 * Doubles each byte, gives at most three bytes a call, and knows one byte that no message may have;
 * it holds the last byte back until the next comes or the message ends.
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
    struct dx_transform_state transform_state = {.own = &doubler};
    struct fixture fixture;
    struct dx_event event;

    (void)state;
    fixture_init(&fixture, DX_ROLE_SERVER);
    fixture.config.transform = &doubling;
    dx_endpoint_set_transform_state(&fixture.endpoint, &transform_state);
    event = fixture_receive(&fixture, 0xc1, "a");
    assert_int_equal(event.type, DX_EVENT_FAIL);
    assert_int_equal(event.err, DX_ERR_NOMEM);
    fixture_assert_out(&fixture, "close(1011 out of memory)");
    fixture_release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_blocked_the_latest_pong_waits),
        cmocka_unit_test(what_is_begun_and_what_is_left),
        cmocka_unit_test(an_idle_endpoint_owns_nothing),
        cmocka_unit_test(events_may_be_interrupted_by_sending),
        cmocka_unit_test(transforms),
        cmocka_unit_test(a_transform_without_memory),
    };

    return run_group(tests, NULL, NULL);
}
