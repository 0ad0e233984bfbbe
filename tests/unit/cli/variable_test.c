/*
 * variable_test.c - NAME=VALUE, and NAME alone out of the environment.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#include "cli/serve/variable.h"

static void keeps_a_value(void **state)
{
    static const char *const rows[] = {"A=b", "_a1=", "A=b=c", "PATH=/x:/y"};
    const char *variable;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_null(cli_variable_parse(rows[i], &variable));
        assert_ptr_equal(variable, rows[i]);
    }
}

static void hands_on_its_own(void **state)
{
    const char *variable = NULL;

    (void)state;
    assert_int_equal(setenv("DX_TEST", "one two", 1), 0);
    assert_int_equal(setenv("DX_TEST_LONGER", "other", 1), 0);
    assert_null(cli_variable_parse("DX_TEST", &variable));
    assert_string_equal(variable, "DX_TEST=one two");
    assert_int_equal(unsetenv("DX_TEST"), 0);
    assert_string_equal(cli_variable_parse("DX_TEST", &variable),
                        "not set here (write NAME=VALUE, or set it before)");
}

static void refuses_names(void **state)
{
    static const char *const bad[] = {"", "=", "=x", "1A=x", "A B=x", "A-B=x", "A.B", "\xc3\xa9=x"};
    const char *variable;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_string_equal(
            cli_variable_parse(bad[i], &variable),
            "not a variable name (write NAME=VALUE; letters, digits and _ in NAME)");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_a_value),
        cmocka_unit_test(hands_on_its_own),
        cmocka_unit_test(refuses_names),
    };

    return run_group(tests, NULL, NULL);
}
