/*
 * frame_test.c - frame headers in their exact bytes (RFC 6455 5.2), and which lengths are minimal.
 */
#include <duplex/frame.h>
#include "ws/frame.h"

#include <string.h>

#include "support/test.h"

static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};

static const struct {
    uint64_t payload_len;
    size_t len;
    const char *bytes;
} headers[] = {
    {0, 2, "\x81\x00"},
    {5, 2, "\x81\x05"},
    {125, 2, "\x81\x7d"},
    {126, 4, "\x81\x7e\x00\x7e"},
    {65535, 4, "\x81\x7e\xff\xff"},
    {65536, 10, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"},
    {UINT64_C(0x7fffffffffffffff), 10, "\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"},
};

static void headers_in_their_exact_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        uint8_t got[DX_FRAME_HEADER_MAX];
        size_t len = headers[i].len;

        assert_int_equal(dx_frame_header_len(headers[i].payload_len, false), len);
        assert_int_equal(dx_frame_header_write(got, 0x81, headers[i].payload_len, NULL), len);
        assert_memory_equal(got, headers[i].bytes, len);
        assert_int_equal(dx_frame_payload_len(got), headers[i].payload_len);
        assert_int_equal(dx_frame_extended_len(got[1]), len - 2);
        assert_true(dx_frame_length_is_minimal(got));

        assert_int_equal(dx_frame_header_len(headers[i].payload_len, true), len + 4);
        assert_int_equal(dx_frame_header_write(got, 0x81, headers[i].payload_len, key), len + 4);
        assert_int_equal(got[1], (uint8_t)headers[i].bytes[1] | 0x80);
        assert_memory_equal(got + 2, headers[i].bytes + 2, len - 2);
        assert_memory_equal(got + len, key, 4);
        assert_int_equal(dx_frame_payload_len(got), headers[i].payload_len);
        assert_true(dx_frame_length_is_minimal(got));
    }
}

static void longer_forms_than_needed_are_not_minimal(void **state)
{
    (void)state;
    assert_false(dx_frame_length_is_minimal((const uint8_t *)"\x82\x7e\x00\x00"));
    assert_false(dx_frame_length_is_minimal((const uint8_t *)"\x82\x7e\x00\x7d"));
    assert_false(
        dx_frame_length_is_minimal((const uint8_t *)"\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x05"));
    assert_false(
        dx_frame_length_is_minimal((const uint8_t *)"\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff"));
}

static void close_codes(void **state)
{
    static const struct {
        unsigned first, last;
        bool is_valid;
    } ranges[] = {
        {0, 999, false},     {1000, 1003, true}, {1004, 1006, false},  {1007, 1014, true},
        {1015, 2999, false}, {3000, 4999, true}, {5000, 65535, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        for (unsigned code = ranges[i].first; code <= ranges[i].last; code++)
            assert_int_equal(dx_close_code_is_valid((uint16_t)code), ranges[i].is_valid);
}

/* Reads what write wrote, whole; at each cut it asks for more and touches nothing. */
static void check_round_trip(const struct dx_frame *frame)
{
    uint8_t bytes[DX_FRAME_HEADER_MAX];
    size_t len = dx_frame_write(frame, bytes), got_len = 99;
    struct dx_frame got = {.payload_len = 42};

    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(dx_frame_read(bytes, cut, &got, &got_len), DX_ERR_AGAIN);
        assert_int_equal(got.payload_len, 42);
        assert_int_equal(got_len, 99);
    }
    assert_int_equal(dx_frame_read(bytes, sizeof(bytes), &got, &got_len), DX_OK);
    assert_int_equal(got_len, len);
    assert_int_equal(got.opcode, frame->opcode);
    assert_int_equal(got.is_final, frame->is_final);
    assert_int_equal(got.rsv1 << 2 | got.rsv2 << 1 | got.rsv3,
                     frame->rsv1 << 2 | frame->rsv2 << 1 | frame->rsv3);
    assert_int_equal(got.is_masked, frame->is_masked);
    assert_int_equal(got.payload_len, frame->payload_len);
    if (frame->is_masked)
        assert_memory_equal(got.key, frame->key, 4);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        for (unsigned bits = 0; bits < 32; bits++) {
            struct dx_frame frame = {.opcode = bits & 1 ? DX_OP_BINARY : DX_OP_CONTINUATION,
                                     .is_final = (bits & 2) != 0,
                                     .rsv1 = (bits & 4) != 0,
                                     .rsv2 = (bits & 8) != 0,
                                     .rsv3 = (bits & 8) == 0,
                                     .is_masked = (bits & 16) != 0,
                                     .key = {1, 2, 3, 4},
                                     .payload_len = headers[i].payload_len};

            check_round_trip(&frame);
        }
}

static void what_no_frame_may_look_like(void **state)
{
    static const struct {
        const char *why;
        const char *bytes;
        size_t len; /* from here on it is refused */
    } rows[] = {
        {"reserved opcode 3", "\x83\x00", 1},
        {"reserved opcode 7", "\x87\x00", 1},
        {"reserved control opcode 11", "\x8b\x00", 1},
        {"fragmented ping", "\x09\x00", 1},
        {"fragmented close", "\x08\x00", 1},
        {"close of 126 bytes", "\x88\x7e\x00\x7e", 2},
        {"pong of 2^16 bytes", "\x8a\xff\0\0\0\0\0\1\0\0\1\2\3\4", 2},
        {"length 125 in 16 bits", "\x82\x7e\x00\x7d", 4},
        {"length 65535 in 64 bits", "\x82\x7f\0\0\0\0\0\0\xff\xff", 10},
        {"length with its top bit set", "\x82\x7f\x80\0\0\0\0\0\0\0", 10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const uint8_t *bytes = (const uint8_t *)rows[i].bytes;
        struct dx_frame frame = {.payload_len = 42};
        size_t len = 99;

        for (size_t cut = 0; cut < rows[i].len; cut++)
            if (dx_frame_read(bytes, cut, &frame, &len) != DX_ERR_AGAIN)
                fail_msg("%s: judged too early, at %zu", rows[i].why, cut);
        if (dx_frame_read(bytes, rows[i].len, &frame, &len) != DX_ERR_PROTOCOL)
            fail_msg("%s: accepted", rows[i].why);
        assert_int_equal(frame.payload_len, 42);
        assert_int_equal(len, 99);
    }
}

static void masking_goes_on_where_it_was_left(void **state)
{
    uint8_t plain[200], whole[200], pieces[200];

    (void)state;
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (uint8_t)(i * 7);
    memcpy(whole, plain, sizeof(plain));
    dx_frame_mask(whole, sizeof(whole), key, 0);
    for (size_t i = 0; i < sizeof(plain); i++)
        assert_int_equal(whole[i], plain[i] ^ key[i & 3]);
    for (size_t cut = 0; cut <= sizeof(plain); cut++) {
        memcpy(pieces, plain, sizeof(plain));
        dx_frame_mask(pieces, cut, key, 0);
        dx_frame_mask(pieces + cut, sizeof(plain) - cut, key, cut);
        assert_memory_equal(pieces, whole, sizeof(plain));
    }
    dx_frame_mask(whole, sizeof(whole), key, UINT64_C(1) << 40);
    assert_memory_equal(whole, plain, sizeof(plain));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_in_their_exact_bytes),
        cmocka_unit_test(longer_forms_than_needed_are_not_minimal),
        cmocka_unit_test(close_codes),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_no_frame_may_look_like),
        cmocka_unit_test(masking_goes_on_where_it_was_left),
    };

    return run_group(tests, NULL, NULL);
}
