/*
 * codec_test.c - bytes in a buffer as hexadecimal digits and as base64, both ways. Which texts are
 * base64 is tests/unit/base/base64_test.c's question.
 */
#include <stdint.h>
#include <string.h>

#include "support/test.h"

#include "cli/text/codec.h"

static void there_and_back(void **state)
{
    uint8_t bytes[256];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 167 + 13);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        struct cli_buffer hex = {0}, base64 = {0}, found = {0};

        cli_hex_encode(&hex, bytes, len);
        assert_int_equal(cli_buffer_len(&hex), 2 * len);
        assert_true(cli_hex_decode(&found, cli_buffer_text(&hex), 2 * len));
        cli_base64_encode(&base64, bytes, len);
        assert_int_equal(cli_buffer_len(&base64), (len + 2) / 3 * 4);
        assert_true(cli_base64_decode(&found, cli_buffer_text(&base64), cli_buffer_len(&base64)));
        assert_int_equal(cli_buffer_len(&found), 2 * len);
        if (len > 0) {
            assert_memory_equal(cli_buffer_text(&found), bytes, len);
            assert_memory_equal(cli_buffer_text(&found) + len, bytes, len);
        }
        cli_buffer_release(&hex);
        cli_buffer_release(&base64);
        cli_buffer_release(&found);
    }
}

static void reads_what_people_type(void **state)
{
    static const char *const good[] = {"0a FF\t1b", "0aff1b", "0 a f f 1 b"};
    static const char *const bad[] = {"0", "0a f", "0g", "0x0a", "0a,0b", "0a\n"};
    struct cli_buffer found = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(cli_hex_decode(&found, good[i], strlen(good[i])));
        assert_int_equal(cli_buffer_len(&found), 3);
        assert_memory_equal(cli_buffer_text(&found), "\x0a\xff\x1b", 3);
        cli_buffer_clear(&found);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(cli_hex_decode(&found, bad[i], strlen(bad[i])));
    assert_false(cli_hex_decode(&found, "0a\0b", 4));
    cli_buffer_clear(&found);
    assert_true(cli_base64_decode(&found, "Zm9vYg", 6));
    assert_int_equal(cli_buffer_len(&found), 4);
    assert_false(cli_base64_decode(&found, "Zm9vY", 5));
    assert_false(cli_base64_decode(&found, "Zm9v\0AAA", 8));
    cli_buffer_release(&found);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(reads_what_people_type),
    };

    return run_group(tests, NULL, NULL);
}
