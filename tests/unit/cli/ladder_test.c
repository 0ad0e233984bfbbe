/*
 * ladder_test.c - three durations, no more and no fewer.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#include "cli/serve/ladder.h"

static void reads_three_steps(void **state)
{
    struct cli_ladder ladder;

    (void)state;
    assert_null(cli_ladder_parse("1s,250ms,0", &ladder));
    assert_int_equal(ladder.step_ms[0], 1000);
    assert_int_equal(ladder.step_ms[1], 250);
    assert_int_equal(ladder.step_ms[2], 0);
}

static void refuses_everything_else(void **state)
{
    static const char *const bad[] = {
        "",       "1s",       "1s,1s",    "1s,1s,1s,1s", "1s,1s,1s,",
        ",1s,1s", "1s,,1s",   "1s,1s,",   "1s, 1s,1s",   "1s;1s;1s",
        "a,b,c",  "1s,1s,1x", "169h,1,1", ",,",          "0000000000000000000000000000000001,1,1"};
    struct cli_ladder ladder = {{7, 8, 9}};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_string_equal(
            cli_ladder_parse(bad[i], &ladder),
            "not a ladder (write three durations, to INT, to TERM and to KILL: 1s,1s,1s)");
    assert_int_equal(ladder.step_ms[0], 7);
    assert_int_equal(ladder.step_ms[2], 9);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_three_steps),
        cmocka_unit_test(refuses_everything_else),
    };

    return run_group(tests, NULL, NULL);
}
