/*
 * error_test.c - the one list of errors: values, names, texts, classes.
 */
#include <stdlib.h>
#include <string.h>

#include <duplex/error.h>

#include "support/test.h"

static const enum dx_err all[] = {
#define ERROR_VALUE(name, value, class_, text) name,
    DX_ERR_MAP(ERROR_VALUE)
#undef ERROR_VALUE
};

#define COUNT (sizeof(all) / sizeof(all[0]))

/* Values are ABI: 0, -1, -2 ... in the order of the list. */
static void values_are_never_renumbered(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(all[i], -(int)i);
    assert_int_equal(DX_ERR_CONNECT, -23);
}

static void each_has_a_name_and_a_text_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        assert_memory_equal(dx_err_name(all[i]), "DX_", 3);
        assert_true(strlen(dx_err_text(all[i])) > 3);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(dx_err_name(all[i]), dx_err_name(all[j]));
            assert_string_not_equal(dx_err_text(all[i]), dx_err_text(all[j]));
        }
    }
    assert_string_equal(dx_err_name(DX_ERR_NOMEM), "DX_ERR_NOMEM");
    assert_int_equal(dx_err_class_of(DX_ERR_PROTOCOL), DX_CLASS_PEER);
    assert_int_equal(dx_err_class_of(DX_OK), DX_CLASS_NONE);
}

static void foreign_values_are_harmless(void **state)
{
    (void)state;
    assert_string_equal(dx_err_text((enum dx_err) - 4711), "unknown error");
    assert_string_equal(dx_err_name((enum dx_err) - 4711), "DX_ERR_UNKNOWN");
    assert_int_equal(dx_err_class_of((enum dx_err) - 4711), DX_CLASS_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_never_renumbered),
        cmocka_unit_test(each_has_a_name_and_a_text_of_its_own),
        cmocka_unit_test(foreign_values_are_harmless),
    };

    return run_group(tests, NULL, NULL);
}
