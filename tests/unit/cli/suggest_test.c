/*
 * suggest_test.c - slips of the finger find their name, other words find none.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#include "cli/options/suggest.h"

static const char *suggest(const char *typed)
{
    static const char *const names[] = {"listen",        "port", "static",  "max-message",
                                        "max-fragments", "env",  "threads", "drain"};
    struct cli_suggestion suggestion = {.typed = typed, .typed_len = strlen(typed)};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        cli_suggestion_offer(&suggestion, names[i]);
    return suggestion.best;
}

static void finds_the_nearest(void **state)
{
    static const char *const rows[][2] = {
        {"statc", "static"},
        {"sttaic", "static"},
        {"statics", "static"},
        {"prot", "port"},
        {"thread", "threads"},
        {"max-mesage", "max-message"},
        {"max_message", "max-message"},
        {"max-f", "max-fragments"},
        {"lsiten", "listen"},
        {"drian", "drain"},
        {"envv", "env"},
        {"max-", "max-message"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *best = suggest(rows[i][0]);

        assert_non_null(best);
        assert_string_equal(best, rows[i][1]);
    }
}

static void finds_nothing_far_away(void **state)
{
    static const char *const rows[] = {"",
                                       "x",
                                       "foo",
                                       "verbose",
                                       "share",
                                       "origins",
                                       "a-very-long-name-that-no-option-will-ever-have"};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_null(suggest(rows[i]));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_nearest),
        cmocka_unit_test(finds_nothing_far_away),
    };

    return run_group(tests, NULL, NULL);
}
