/*
 * escape_test.c - what could drive a terminal or hide text is shown as \xNN.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#include "cli/text/escape.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void escapes(void **state)
{
    static const struct {
        const char *text;
        const char *shown;
    } rows[] = {
        {"", ""},
        {"plain ~!\"'\\", "plain ~!\"'\\"},
        {"\xc3\xa9 \xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80",
         "\xc3\xa9 \xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80"},
        {"a\nb\r\tc", "a\\x0ab\\x0d\\x09c"},
        {"\x1b[31m\x1b]52;c;AA\x07", "\\x1b[31m\\x1b]52;c;AA\\x07"},
        {"\x7f", "\\x7f"},
        {"\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\xc2\xa0"},
        {"\xe2\x80\xaegnp.exe", "\\xe2\\x80\\xaegnp.exe"},
        {"\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c", "\\xe2\\x81\\xa6\\xe2\\x80\\x8f\\xd8\\x9c"},
        {"\xe2\x80\x8b\xef\xbb\xbf\xc2\xad", "\\xe2\\x80\\x8b\\xef\\xbb\\xbf\\xc2\\xad"},
        {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"},
        {"\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81"},
        {"\x80 \xff \xc0\x80", "\\x80 \\xff \\xc0\\x80"},
        {"\xc3", "\\xc3"},
        {"\xe4\xbd!", "\\xe4\\xbd!"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
        {"\xe0\x80\x80", "\\xe0\\x80\\x80"},
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
        {"\xf8\x88\x80\x80", "\\xf8\\x88\\x80\\x80"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[128];

        cli_escape(rows[i].text, strlen(rows[i].text), out, sizeof(out));
        assert_string_equal(out, rows[i].shown);
    }
}

static void escapes_a_nul(void **state)
{
    char out[32];

    (void)state;
    cli_escape("a\0b", 3, out, sizeof(out));
    assert_string_equal(out, "a\\x00b");
}

/* No cut leaves half a character or half an escape, at any size. */
static void cuts_between_characters(void **state)
{
    static const char text[] = "a\xc3\xa9\n\xe4\xbd\xa0z\x1b\x1b";
    static const char whole[] = "a\xc3\xa9\\x0a\xe4\xbd\xa0z\\x1b\\x1b";
    static const char *const cuts[] = {
        "...",
        "a...",
        "a...",
        "a\xc3\xa9...",
        "a\xc3\xa9...",
        "a\xc3\xa9...",
        "a\xc3\xa9...",
        "a\xc3\xa9\\x0a...",
        "a\xc3\xa9\\x0a...",
        "a\xc3\xa9\\x0a...",
        "a\xc3\xa9\\x0a\xe4\xbd\xa0...",
        "a\xc3\xa9\\x0a\xe4\xbd\xa0z...",
        "a\xc3\xa9\\x0a\xe4\xbd\xa0z...",
        "a\xc3\xa9\\x0a\xe4\xbd\xa0z...",
        "a\xc3\xa9\\x0a\xe4\xbd\xa0z...",
        "a\xc3\xa9\\x0a\xe4\xbd\xa0z\\x1b...",
        whole,
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cuts); i++) {
        char out[64];

        cli_escape(text, sizeof(text) - 1, out, 4 + i);
        assert_string_equal(out, cuts[i]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes),
        cmocka_unit_test(escapes_a_nul),
        cmocka_unit_test(cuts_between_characters),
    };

    return run_group(tests, NULL, NULL);
}
