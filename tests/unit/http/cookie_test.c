/*
 * cookie_test.c - cookies of a Cookie header.
 */
#include "http/cookie.h"

#include <stdlib.h>

#include "support/test.h"

static void test_cookies(void **state)
{
    static const struct {
        const char *header, *name, *value;
    } table[] = {
        {"a=1; b=2", "a", "1"},
        {"a=1; b=2", "b", "2"},
        {"a=1; b=2", "c", NULL},
        {"a=1;b=2", "b", "2"},
        {"a=1 ;\t b=2 ", "b", "2"},
        {"a=1; a=2", "a", "1"},
        {"a=", "a", ""},
        {"a=\"q\"", "a", "\"q\""},
        {"a=b=c; d=e", "a", "b=c"},
        {"a; b=2", "a", NULL},
        {"a; b=2", "b", "2"},
        {";;; b=2;", "b", "2"},
        {"A=1", "a", NULL},
        {"aa=1", "a", NULL},
        {"a=1", "aa", NULL},
        {"xa=1; a=2", "a", "2"},
        {"", "a", NULL},
        {"=x", "", "x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        size_t len = strlen(table[i].header);
        uint8_t *copy = malloc(len > 0 ? len : 1);
        struct dx_slice value;
        bool is_found;

        assert_non_null(copy);
        memcpy(copy, table[i].header, len);
        is_found = dx_cookie_find((struct dx_slice){copy, len}, table[i].name, &value);
        if (is_found != (table[i].value != NULL) ||
            (is_found && !dx_slice_is(value, table[i].value)))
            fail_msg("%s of %s", table[i].name, table[i].header);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cookies)};

    return run_group(tests, NULL, NULL);
}
