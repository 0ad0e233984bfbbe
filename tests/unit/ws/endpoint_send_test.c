/*
 * endpoint_send_test.c - messages, fragments, control frames and Closes into the output: their
 * bytes, what is refused, and that without memory, room or randomness nothing of a frame is queued.
 */
#include "support/failing/allocator.h"
#include "support/test.h"
#include "support/ws/endpoint_fixture.h"
#include <duplex/frame.h>
#include "ws/frame.h"

#include <stdlib.h>
#include <string.h>

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
        fixture_assert_out(
            &fixture, "text(Hello) binary() text+(a) ping(p) cont+() cont(bc) pong() text(again)");
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
        fixture_assert_out(&fixture, "");
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
            assert_int_equal(fixture_take(&fixture, bytes, sizeof(bytes)) % (header_len + sizes[i]),
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
        assert_int_equal(fixture_receive(&fixture, 0x81, "still").type, DX_EVENT_DATA);
        assert_int_equal(fixture_receive(&fixture, 0x89, "ping").type, DX_EVENT_PING);
        assert_int_equal(fixture_receive(&fixture, 0x88, "\x10\xe1").code, 4321);
        assert_true(dx_endpoint_close_is_received(endpoint));
        assert_false(dx_endpoint_is_failed(endpoint));
        assert_int_equal(fixture_receive(&fixture, 0x81, "late").type, DX_EVENT_NONE);
        fixture_assert_out(&fixture, "text+(a) close(4321 b\\xc3\\xa4)");
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
    event = fixture_receive(&fixture, 0x83, "");
    assert_int_equal(event.type, DX_EVENT_FAIL);
    assert_int_equal(event.code, 1002);
    assert_int_equal(event.err, DX_ERR_PROTOCOL);
    assert_true(dx_endpoint_is_failed(&fixture.endpoint));
    fixture_assert_out(&fixture, "close(1000)");
    fixture_release(&fixture);
}

static void the_owner_may_send_before_it_answers_a_close(void **state)
{
    struct fixture fixture;
    struct dx_event event;

    (void)state;
    fixture_init(&fixture, DX_ROLE_SERVER);
    event = fixture_receive(&fixture, 0x88,
                            "\x03\xe9"
                            "bye");
    assert_int_equal(event.type, DX_EVENT_CLOSE);
    assert_int_equal(event.code, 1001);
    assert_int_equal(event.len, 3);
    assert_memory_equal(event.data, "bye", 3);
    assert_false(dx_endpoint_close_is_sent(&fixture.endpoint));
    assert_int_equal(dx_endpoint_send(&fixture.endpoint, DX_OP_TEXT, "last", 4), DX_OK);
    assert_int_equal(dx_endpoint_close(&fixture.endpoint, DX_CLOSE_NO_STATUS, NULL, 0), DX_OK);
    fixture_assert_out(&fixture, "text(last) close()");
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
                fixture_assert_out(&fixture, "text(first) text(b)");
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
        struct dx_event event = fixture_receive(&fixture, 0x89,
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
    event = fixture_receive(&fixture, 0x89, "x");
    assert_int_equal(event.type, DX_EVENT_FAIL);
    assert_int_equal(event.err, DX_ERR_SYSTEM);
    assert_int_equal(event.code, DX_CLOSE_ABNORMAL);
    fixture_assert_out(&fixture, "");
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
        cmocka_unit_test(a_frame_is_queued_whole_or_not_at_all),
        cmocka_unit_test(the_pools_limit),
        cmocka_unit_test(a_client_without_randomness),
    };

    return run_group(tests, NULL, NULL);
}
