/*
 * target_test.c - targets and paths that are fine. What is refused stands in hostile_test.c.
 */
#include "feed.h"

#include "http/url/target.h"

static struct dx_head head;

static void assert_target(const char *target_text, const char *path, const char *query)
{
    char text[512];
    struct dx_target target;
    struct dx_refusal refusal;
    int len = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: Example.org:8080\r\n\r\n",
                       target_text);

    assert_int_equal(feed(&head, DX_HEAD_REQUEST, text, (size_t)len), DX_HEAD_DONE);
    assert_true(dx_target_parse(&head, &target, &refusal));
    assert_int_equal(target.kind, DX_TARGET_PATH);
    assert_true(dx_slice_is(target.path, path));
    assert_int_equal(target.has_query, query != NULL);
    assert_true(dx_slice_is(target.query, query ? query : ""));
    assert_string_equal(target.authority.host.text, "example.org");
    assert_int_equal(target.authority.port, 8080);
}

static void targets_are_split(void **state)
{
    (void)state;
    assert_target("/", "/", NULL);
    assert_target("/a/b?c=d?e", "/a/b", "c=d?e");
    assert_target("/?", "/", "");
    assert_target("//x", "//x", NULL);
    assert_target("/a%20b", "/a%20b", NULL);
    assert_target("http://example.org:8080", "/", NULL);
    assert_target("wss://EXAMPLE.ORG:8080?x", "/", "x");
    assert_target("https://example.org:8080/a?x", "/a", "x");
}

static void the_asterisk_is_for_options(void **state)
{
    const char *text = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n";
    struct dx_target target;
    struct dx_refusal refusal;

    (void)state;
    assert_int_equal(feed(&head, DX_HEAD_REQUEST, text, strlen(text)), DX_HEAD_DONE);
    assert_true(dx_target_parse(&head, &target, &refusal));
    assert_int_equal(target.kind, DX_TARGET_ASTERISK);
    assert_true(dx_slice_is(target.path, "*"));
}

static void paths_are_decoded(void **state)
{
    static const struct {
        const char *path;
        const char *decoded;
        bool has_dots;
    } rows[] = {
        {"/", "/", false},
        {"/a/b", "/a/b", false},
        {"/a%20b", "/a b", false},
        {"/%41%5a", "/AZ", false},
        {"/%e4%BD%a0", "/\xe4\xbd\xa0", false},
        {"/%f4%8f%bf%bf", "/\xf4\x8f\xbf\xbf", false},
        {"/%c2%a0", "/\xc2\xa0", false},
        {"/%252e%252e/", "/%2e%2e/", false},
        {"/a%2fb", "/a/b", false},
        {"/...", "/...", false},
        {"/..a/b..", "/..a/b..", false},
        {"/a/./b", "/a/./b", true},
        {"/.", "/.", true},
        {"/a/..", "/a/..", true},
        {"/a//../b", "/a//../b", true},
        {"/a/%2e%2e/b", "/a/../b", true},
        {"/a%2f..%2fb", "/a/../b", true},
        {"/a\\..\\b", "/a\\..\\b", true},
    };
    char text[64];
    size_t len;
    bool has_dots;
    struct dx_refusal refusal;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(dx_path_decode(dx_slice_of(rows[i].path), text, &len, &has_dots, &refusal));
        assert_string_equal(text, rows[i].decoded);
        assert_int_equal(len, strlen(rows[i].decoded));
        assert_int_equal(has_dots, rows[i].has_dots);
    }
    assert_false(dx_path_decode(dx_slice_of(""), text, &len, &has_dots, &refusal));
    assert_false(dx_path_decode(dx_slice_of("a"), text, &len, &has_dots, &refusal));
    assert_int_equal(refusal.status, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_split),
        cmocka_unit_test(the_asterisk_is_for_options),
        cmocka_unit_test(paths_are_decoded),
    };

    return run_group(tests, NULL, NULL);
}
