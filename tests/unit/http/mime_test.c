/*
 * mime_test.c - types by file name.
 */
#include <stddef.h>

#include "http/mime.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void types(void **state)
{
    (void)state;
    assert_string_equal(dx_mime_type("index.html"), "text/html; charset=utf-8");
    assert_string_equal(dx_mime_type("/a.b/INDEX.HTM"), "text/html; charset=utf-8");
    assert_string_equal(dx_mime_type("a.min.js"), "text/javascript; charset=utf-8");
    assert_string_equal(dx_mime_type("a.json"), "application/json");
    assert_string_equal(dx_mime_type("a.png"), "image/png");
    assert_string_equal(dx_mime_type("a.html.gz"), "application/gzip");
    assert_string_equal(dx_mime_type("a.sh"), "application/octet-stream");
    assert_string_equal(dx_mime_type("html"), "application/octet-stream");
    assert_string_equal(dx_mime_type("a."), "application/octet-stream");
    assert_string_equal(dx_mime_type("a.html/b"), "application/octet-stream");
    assert_string_equal(dx_mime_type(""), "application/octet-stream");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
