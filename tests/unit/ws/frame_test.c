/*
 * frame_test.c - frame headers in their exact bytes (RFC 6455 5.2), and which lengths are minimal.
 */
#include <duplex/frame.h>
#include "ws/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_in_their_exact_bytes),
        cmocka_unit_test(longer_forms_than_needed_are_not_minimal),
        cmocka_unit_test(close_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
