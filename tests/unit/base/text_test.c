/*
 * text_test.c - case, blanks, numbers, tokens, UTF-8 and what a log may show of hostile text.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

#include "support/test.h"

static void case_is_ascii_only(void **state)
{
    (void)state;
    assert_true(dx_text_is_nocase(dx_slice_of("WebSocket"), "wEBsOCKET"));
    assert_false(dx_text_is_nocase(dx_slice_of("WebSocket"), "WebSocke"));
    assert_false(dx_text_is_nocase(dx_slice_of("@"), "`"));
    assert_false(dx_text_is_nocase(dx_slice_of("\xc3\x84"), "\xc3\xa4"));
    assert_true(dx_text_is_nocase((struct dx_slice){NULL, 0}, ""));
    assert_int_equal(dx_text_lower('Z'), 'z');
    assert_int_equal(dx_text_lower('['), '[');
}

static void blanks_are_cut(void **state)
{
    (void)state;
    assert_true(dx_slice_is(dx_text_trim(dx_slice_of(" \ta b\t ")), "a b"));
    assert_true(dx_slice_is(dx_text_trim(dx_slice_of(" \t ")), ""));
    assert_true(dx_slice_is(dx_text_trim(dx_slice_of("\na")), "\na"));
}

static void tokens(void **state)
{
    static const char separators[] = "\"(),/:;<=>?@[\\]{} ";

    (void)state;
    for (unsigned byte = 0; byte < 256; byte++)
        assert_int_equal(dx_text_is_token_byte((uint8_t)byte),
                         byte > 0x20 && byte < 0x7f && !strchr(separators, (int)byte));
    assert_true(dx_text_is_token(dx_slice_of("permessage-deflate")));
    assert_false(dx_text_is_token(dx_slice_of("")));
    assert_false(dx_text_is_token(dx_slice_of("a b")));
}

static void numbers(void **state)
{
    static const struct {
        const char *text;
        uint64_t max;
        enum dx_err err;
        uint64_t value;
    } rows[] = {
        {"0", 0, DX_OK, 0},
        {"007", 10, DX_OK, 7},
        {"10", 10, DX_OK, 10},
        {"11", 10, DX_ERR_TOO_BIG, 0},
        {"18446744073709551615", UINT64_MAX, DX_OK, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, DX_ERR_TOO_BIG, 0},
        {"99999999999999999999999", UINT64_MAX, DX_ERR_TOO_BIG, 0},
        {"99999999999999999999999x", UINT64_MAX, DX_ERR_PROTOCOL, 0},
        {"", 10, DX_ERR_PROTOCOL, 0},
        {"+1", 10, DX_ERR_PROTOCOL, 0},
        {"-1", 10, DX_ERR_PROTOCOL, 0},
        {" 1", 10, DX_ERR_PROTOCOL, 0},
        {"1 ", 10, DX_ERR_PROTOCOL, 0},
        {"a", 100, DX_ERR_PROTOCOL, 0},
        {"0x1", 100, DX_ERR_PROTOCOL, 0},
    };
    uint64_t value;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        value = 0;
        assert_int_equal(dx_text_parse_decimal(dx_slice_of(rows[i].text), rows[i].max, &value),
                         rows[i].err);
        assert_int_equal(value, rows[i].value);
    }
    assert_int_equal(dx_text_parse_hex(dx_slice_of("fF0"), UINT64_MAX, &value), DX_OK);
    assert_int_equal(value, 0xff0);
    assert_int_equal(dx_text_parse_hex(dx_slice_of("ffffffffffffffff"), UINT64_MAX, &value), DX_OK);
    assert_true(value == UINT64_MAX);
    assert_int_equal(dx_text_parse_hex(dx_slice_of("10000000000000000"), UINT64_MAX, &value),
                     DX_ERR_TOO_BIG);
    assert_int_equal(dx_text_parse_hex(dx_slice_of("g"), UINT64_MAX, &value), DX_ERR_PROTOCOL);
}

/* The encoder that the decoder is held against. */
static size_t encode(uint32_t code_point, uint8_t bytes[4])
{
    if (code_point < 0x80) {
        bytes[0] = (uint8_t)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        bytes[0] = (uint8_t)(0xc0 | code_point >> 6);
        bytes[1] = (uint8_t)(0x80 | (code_point & 63));
        return 2;
    }
    if (code_point < 0x10000) {
        bytes[0] = (uint8_t)(0xe0 | code_point >> 12);
        bytes[1] = (uint8_t)(0x80 | (code_point >> 6 & 63));
        bytes[2] = (uint8_t)(0x80 | (code_point & 63));
        return 3;
    }
    bytes[0] = (uint8_t)(0xf0 | code_point >> 18);
    bytes[1] = (uint8_t)(0x80 | (code_point >> 12 & 63));
    bytes[2] = (uint8_t)(0x80 | (code_point >> 6 & 63));
    bytes[3] = (uint8_t)(0x80 | (code_point & 63));
    return 4;
}

static void every_code_point_is_read(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point < 0x1fffff; code_point++) {
        uint8_t bytes[4];
        size_t len = encode(code_point, bytes);
        uint32_t read = 0;
        bool is_valid = code_point <= 0x10ffff && (code_point < 0xd800 || code_point > 0xdfff);

        if (dx_text_utf8_char((struct dx_slice){bytes, len}, &read) != (is_valid ? len : 0) ||
            (is_valid && read != code_point) ||
            dx_text_utf8_char((struct dx_slice){bytes, len - 1}, &read) != 0)
            fail_msg("%x", code_point);
    }
}

static void malformed_utf8(void **state)
{
    static const char *const texts[] = {"\x80",
                                        "\xbf",
                                        "\xc0\x80",
                                        "\xc1\xbf",
                                        "\xe0\x80\x80",
                                        "\xe0\x9f\xbf",
                                        "\xed\xa0\x80",
                                        "\xf0\x80\x80\x80",
                                        "\xf0\x8f\xbf\xbf",
                                        "\xf4\x90\x80\x80",
                                        "\xf5\x80\x80\x80",
                                        "\xff",
                                        "\xc2",
                                        "\xc2"
                                        "a",
                                        "\xe4\xbd",
                                        "\xe4\xbd"
                                        "a",
                                        "\xf0\x9f\x98",
                                        "a\xfe"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(dx_text_is_utf8(dx_slice_of(texts[i])));
    assert_true(dx_text_is_utf8(dx_slice_of("a\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80")));
    assert_true(dx_text_is_utf8(dx_slice_of("")));
}

static void assert_escaped(const char *text, const char *expected)
{
    char escaped[256];
    bool is_cut = true;
    size_t len = dx_text_escape(dx_slice_of(text), escaped, sizeof(escaped), &is_cut);

    escaped[len] = 0;
    assert_string_equal(escaped, expected);
    assert_false(is_cut);
}

/* Row by row what a peer may try against a log or a terminal. */
static void n133_logs_show_hostile_text_escaped(void **state)
{
    static const char *const rows[][2] = {
        {"plain text ~!", "plain text ~!"},
        {"\x1b[31mred", "\\x1b[31mred"},
        {"\x1b]52;c;cm0=\x07", "\\x1b]52;c;cm0=\\x07"},
        {"\xc2\x9b"
         "2J",
         "\\xc2\\x9b2J"},
        {"\x9b"
         "2J",
         "\\x9b2J"},
        {"a\r\nb\tc", "a\\x0d\\x0ab\\x09c"},
        {"\x7f", "\\x7f"},
        {"back\\slash", "back\\slash"},
        {"", ""},
        {"plain ~!\"'\\", "plain ~!\"'\\"},
        {"\xc3\xa9 \xe4\xbd\xa0", "\xc3\xa9 \xe4\xbd\xa0"},
        {"\x1b[31m\x1b]52;c;AA\x07", "\\x1b[31m\\x1b]52;c;AA\\x07"},
        {"\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\xc2\xa0"},
        {"\xe2\x80\xaegnp.exe", "\\xe2\\x80\\xaegnp.exe"},
        {"\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c", "\\xe2\\x81\\xa6\\xe2\\x80\\x8f\\xd8\\x9c"},
        {"\xe2\x80\x8b\xef\xbb\xbf\xc2\xad", "\\xe2\\x80\\x8b\\xef\\xbb\\xbf\\xc2\\xad"},
        {"\xe1\xa0\x8e", "\\xe1\\xa0\\x8e"},
        {"\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81"},
        {"\x80 \xff \xc0\x80", "\\x80 \\xff \\xc0\\x80"},
        {"\xe4\xbd!", "\\xe4\\xbd!"},
        {"\xe0\x80\x80", "\\xe0\\x80\\x80"},
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
        {"\xf8\x88\x80\x80", "\\xf8\\x88\\x80\\x80"},
        {"\xe2\x80\xae", "\\xe2\\x80\\xae"},
        {"\xe2\x81\xa6x\xe2\x81\xa9", "\\xe2\\x81\\xa6x\\xe2\\x81\\xa9"},
        {"\xd8\x9c", "\\xd8\\x9c"},
        {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"},
        {"\xe2\x80\x8b", "\\xe2\\x80\\x8b"},
        {"\xef\xbb\xbf", "\\xef\\xbb\\xbf"},
        {"\xf3\xa0\x80\x81", "\\xf3\\xa0\\x80\\x81"},
        {"\xc0\xaf", "\\xc0\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
        {"\xe4\xbd", "\\xe4\\xbd"},
        {"\xff", "\\xff"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_escaped(rows[i][0], rows[i][1]);
    assert_escaped("\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80",
                   "\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80");
}

static void escapes_are_not_cut_in_two(void **state)
{
    char text[16];
    bool is_cut;

    (void)state;
    for (size_t room = 0; room < 12; room++) {
        size_t len = dx_text_escape(dx_slice_of("a\n\xe4\xbd\xa0"), text, room, &is_cut);

        assert_int_equal(len, room >= 8 ? 8 : room >= 5 ? 5 : room >= 1 ? 1 : 0);
        assert_int_equal(is_cut, room < 8);
    }
    assert_int_equal(dx_text_escape(dx_slice_of("a"), text, 1, NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_is_ascii_only),
        cmocka_unit_test(blanks_are_cut),
        cmocka_unit_test(tokens),
        cmocka_unit_test(numbers),
        cmocka_unit_test(every_code_point_is_read),
        cmocka_unit_test(malformed_utf8),
        cmocka_unit_test(n133_logs_show_hostile_text_escaped),
        cmocka_unit_test(escapes_are_not_cut_in_two),
    };

    return run_group(tests, NULL, NULL);
}
