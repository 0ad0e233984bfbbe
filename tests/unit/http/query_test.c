/*
 * query_test.c - values of a query as the WHATWG URL standard reads
 * application/x-www-form-urlencoded.
 */
#include "http/url/query.h"

#include <stdlib.h>

#include "support/test.h"

/* In memory of its own, so that a read beyond its end is seen. */
static char *value_of(const char *query, const char *name)
{
    size_t len = strlen(query);
    uint8_t *copy = malloc(len + 1);
    struct dx_slice value;
    char *text = NULL;

    assert_non_null(copy);
    copy = realloc(copy, len > 0 ? len : 1);
    memcpy(copy, query, len);
    if (dx_query_find((struct dx_slice){copy, len}, name, &value)) {
        text = malloc(value.len + 1);
        assert_non_null(text);
        if (!dx_query_decode(value, text)) {
            free(text);
            text = NULL;
        }
    }
    free(copy);
    return text;
}

static void test_values(void **state)
{
    static const struct {
        const char *query, *name, *value;
    } table[] = {
        {"a=1&b=2", "a", "1"},
        {"a=1&b=2", "b", "2"},
        {"a=1&b=2", "c", NULL},
        {"", "a", NULL},
        {"&&a=1&&", "a", "1"},
        {"a", "a", ""},
        {"a=", "a", ""},
        {"a&a=2", "a", ""},
        {"a=1&a=2", "a", "1"},
        {"a=b=c", "a", "b=c"},
        {"=x", "", "x"},
        {"ab=1", "a", NULL},
        {"a=1", "ab", NULL},
        {"A=1", "a", NULL},
        {"a=x+y%20z", "a", "x y z"},
        {"a=%2B%26%3d", "a", "+&="},
        {"%61%62=1", "ab", "1"},
        {"a+b=1", "a b", "1"},
        {"a%3Db=1", "a=b", "1"},
        {"a=%", "a", "%"},
        {"a=%4", "a", "%4"},
        {"a=%zz%4g", "a", "%zz%4g"},
        {"a=%C3%A4", "a", "\xc3\xa4"},
        {"a=%C3", "a", NULL},
        {"a=%00", "a", NULL},
        {"a=x%00y", "a", NULL},
        {"a%00=1", "a\0",
         NULL}, /* behind the name's end one more NUL, should somebody look there */
        {"%00=1", "\0", NULL},
        {"a=1;b=2", "b", NULL},
        {"a=%ED%A0%80", "a", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char *value = value_of(table[i].query, table[i].name);

        if ((value == NULL) != (table[i].value == NULL) ||
            (value != NULL && strcmp(value, table[i].value) != 0))
            fail_msg("%s of %s is %s", table[i].name, table[i].query, value ? value : "(none)");
        free(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values)};

    return run_group(tests, NULL, NULL);
}
