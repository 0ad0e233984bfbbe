/*
 * words_test.c - quoting as in a shell, without its expansions.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#include "cli/serve/words.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define WORDS_MAX 8

static void splits(void **state)
{
    static const struct {
        const char *text;
        const char *words[WORDS_MAX];
    } rows[] = {
        {"cat", {"cat"}},
        {"  cat \t\n ", {"cat"}},
        {"a b c d e", {"a", "b", "c", "d", "e"}},
        {"tail -f 'my log'", {"tail", "-f", "my log"}},
        {"tail -f \"my log\"", {"tail", "-f", "my log"}},
        {"tail -f my\\ log", {"tail", "-f", "my log"}},
        {"a'b'\"c\"\\d", {"abcd"}},
        {"a '' \"\"", {"a", "", ""}},
        {"a'\"'\"'\"", {"a\"'"}},
        {"e '\\n' \"\\n\"", {"e", "\\n", "\\n"}},
        {"e \"\\\"\\\\\\$\\`\"", {"e", "\"\\$`"}},
        {"e \\\\ \\' \\\" \\$", {"e", "\\", "'", "\"", "$"}},
        {"e $HOME `x` * ~ #", {"e", "$HOME", "`x`", "*", "~", "#"}},
        {"sh -c 'a | b; c > d'", {"sh", "-c", "a | b; c > d"}},
        {"\xc3\xa9 \xe4\xbd\xa0\xe5\xa5\xbd", {"\xc3\xa9", "\xe4\xbd\xa0\xe5\xa5\xbd"}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char **words = NULL;
        const char *problem = NULL;
        size_t count = 0;

        assert_int_equal(cli_words_split(rows[i].text, &words, &problem), DX_OK);
        for (; count < WORDS_MAX && rows[i].words[count]; count++)
            assert_string_equal(words[count], rows[i].words[count]);
        assert_null(words[count]);
        free(words);
    }
}

static void refuses(void **state)
{
    static const char open_quote[] = "a quote is not closed (close it, or write \\ before it)";
    static const char backslash[] = "ends in a backslash (write \\\\ for one)";
    static const char nothing[] = "no command (write PATH=COMMAND)";
    static const struct {
        const char *text;
        const char *problem;
    } rows[] = {
        {"", nothing},         {" \t", nothing},          {"''", nothing},
        {"\"\" a", nothing},   {"'", open_quote},         {"a 'b", open_quote},
        {"a \"b", open_quote}, {"a \"b\\\"", open_quote}, {"a \"b\\", open_quote},
        {"don't", open_quote}, {"a\\", backslash},        {"\\", backslash},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char **words = NULL;
        const char *problem = NULL;

        assert_int_equal(cli_words_split(rows[i].text, &words, &problem), DX_ERR_USAGE);
        assert_string_equal(problem, rows[i].problem);
        assert_null(words);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits),
        cmocka_unit_test(refuses),
    };

    return run_group(tests, NULL, NULL);
}
