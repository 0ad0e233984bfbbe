/*
 * origin_test.c - which pages are admitted: hostile origins first, each with its exact status.
 */
#include "feed.h"

#include "http/origin.h"

static struct dx_head head;

/* The status for a request to `host` with these header lines; 0 when it is admitted. */
static unsigned judge(const char *host, const char *lines, const struct dx_origin_rules *rules)
{
    char text[512];
    struct dx_authority authority;
    struct dx_refusal refusal = {0};
    const char *detail;
    int len = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s\r\n", lines);

    assert_int_equal(feed(&head, DX_HEAD_REQUEST, text, (size_t)len), DX_HEAD_DONE);
    assert_true(dx_authority_parse(dx_slice_of(host), &authority, &detail));
    if (dx_origin_judge(&head, &authority, rules, &refusal))
        return 0;
    assert_non_null(refusal.detail);
    return refusal.status;
}

static const struct dx_origin_rules same = {.allow_same = true};

#define ORIGIN(value) "Origin: " value "\r\n"

static void k110_k111_foreign_and_malformed_origins(void **state)
{
    static const struct {
        const char *lines;
        unsigned status;
    } rows[] = {
        {ORIGIN("http://evil.example"), 403},
        {ORIGIN("null"), 403},
        {ORIGIN("http://good.example.evil"), 403},
        {ORIGIN("http://evil.good.example"), 403},
        {ORIGIN("http://evilgood.example:8080"), 403},
        {ORIGIN("http://good.example"), 403},
        {ORIGIN("http://good.example:8081"), 403},
        {ORIGIN("https://good.example"), 403},
        {ORIGIN("http://good.example.:8080"), 403},
        {ORIGIN("chrome-extension://good.example:8080"), 403},
        {ORIGIN("http://xn--gd-mkaa.example:8080"), 403},
        {ORIGIN("http://good@evil:8080"), 400},
        {ORIGIN("http://evil@good.example:8080"), 400},
        {ORIGIN("HTTP://good.example:8080"), 400},
        {ORIGIN("http://GOOD.example:8080"), 400},
        {ORIGIN("http://g\xc3\xb6\xc3\xb6"
                "d.example:8080"),
         400},
        {ORIGIN(""), 400},
        {ORIGIN("NULL"), 400},
        {ORIGIN("good.example:8080"), 400},
        {ORIGIN("http://"), 400},
        {ORIGIN("http://:8080"), 400},
        {ORIGIN("http:good.example:8080"), 400},
        {ORIGIN("://good.example:8080"), 400},
        {ORIGIN("1http://good.example:8080"), 400},
        {ORIGIN("http://good.example:8080/"), 400},
        {ORIGIN("http://good.example:8080?x"), 400},
        {ORIGIN("http://good.example:"), 400},
        {ORIGIN("http://good.example:08080"), 400},
        {ORIGIN("http://good.example:99999"), 400},
        {ORIGIN("http://127.1:8080"), 400},
        {ORIGIN("http://1"), 400},
        {ORIGIN("http://[::ffff:1.2.3.4]"), 400},
        {ORIGIN("http://good.example:8080 http://evil.example"), 400},
        {ORIGIN("http://good.example:8080, http://evil.example"), 400},
        {ORIGIN("http://good.example:8080") ORIGIN("http://good.example:8080"), 400},
        {ORIGIN("http://good.example:8080") ORIGIN("http://evil.example"), 400},
        {ORIGIN("http://good.example:8080"), 0},
        {ORIGIN("https://good.example:8080"), 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (judge("good.example:8080", rows[i].lines, &same) != rows[i].status)
            fail_msg("%s", rows[i].lines);
}

static void k112_no_origin_is_no_browser(void **state)
{
    static const struct dx_origin_rules none = {0};

    (void)state;
    assert_int_equal(judge("a", "", &none), 0);
}

static void default_ports(void **state)
{
    (void)state;
    assert_int_equal(judge("a.example", ORIGIN("http://a.example"), &same), 0);
    assert_int_equal(judge("a.example", ORIGIN("https://a.example"), &same), 0);
    assert_int_equal(judge("a.example:80", ORIGIN("http://a.example"), &same), 0);
    assert_int_equal(judge("a.example:443", ORIGIN("https://a.example"), &same), 0);
    assert_int_equal(judge("a.example:443", ORIGIN("http://a.example"), &same), 403);
    assert_int_equal(judge("a.example:80", ORIGIN("https://a.example"), &same), 403);
    assert_int_equal(judge("a.example", ORIGIN("http://a.example:8080"), &same), 403);
    assert_int_equal(judge("[::1]:8080", ORIGIN("http://[::1]:8080"), &same), 0);
    assert_int_equal(judge("A.Example:8080", ORIGIN("http://a.example:8080"), &same), 0);
}

static void any_loopback_page(void **state)
{
    static const struct dx_origin_rules loopback = {.allow_loopback = true};

    (void)state;
    assert_int_equal(judge("a", ORIGIN("http://localhost:3000"), &loopback), 0);
    assert_int_equal(judge("a", ORIGIN("https://app.localhost"), &loopback), 0);
    assert_int_equal(judge("a", ORIGIN("http://127.0.0.1:5173"), &loopback), 0);
    assert_int_equal(judge("a", ORIGIN("http://[::1]:1"), &loopback), 0);
    assert_int_equal(judge("a", ORIGIN("http://localhost.evil.example"), &loopback), 403);
    assert_int_equal(judge("a", ORIGIN("http://127.0.0.1.evil.example"), &loopback), 403);
    assert_int_equal(judge("a", ORIGIN("null"), &loopback), 403);
    assert_int_equal(judge("a", ORIGIN("chrome-extension://localhost"), &loopback), 403);
}

static void any_admits_all_but_two(void **state)
{
    static const struct dx_origin_rules any = {.allow_any = true};

    (void)state;
    assert_int_equal(judge("a", ORIGIN("http://evil.example"), &any), 0);
    assert_int_equal(judge("a", ORIGIN("null"), &any), 0);
    assert_int_equal(judge("a", ORIGIN("file://"), &any), 0);
    assert_int_equal(judge("a", ORIGIN("null") ORIGIN("null"), &any), 400);
}

static void patterns(void **state)
{
    static const struct {
        const char *pattern;
        const char *origin;
        bool is_match;
    } rows[] = {
        {"https://a.example", "https://a.example", true},
        {"https://a.example:443", "https://a.example", true},
        {"https://a.example", "http://a.example", false},
        {"https://a.example", "https://a.example:8443", false},
        {"https://*.a.example", "https://b.a.example", true},
        {"https://*.a.example", "https://c.b.a.example", true},
        {"https://*.a.example", "https://a.example", false},
        {"https://*.a.example", "https://.a.example", false},
        {"https://*.a.example", "https://ba.example", false},
        {"https://*.a.example", "https://b.a.example.evil", false},
        {"https://*.a.example", "http://b.a.example", false},
        {"https://*.a.example:8443", "https://b.a.example:8443", true},
        {"https://*.a.example:8443", "https://b.a.example", false},
        {"https://*.a.example", "null", false},
        {"null", "null", true},
        {"null", "http://null", false},
        {"a.example", "http://a.example", false},
        {"https://*.1.2.3.4", "https://x.1.2.3.4", false},
        {"chrome-extension://abc", "chrome-extension://abc", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dx_origin_rules rules = {.patterns = &rows[i].pattern, .pattern_count = 1};
        char lines[128];

        snprintf(lines, sizeof(lines), "Origin: %s\r\n", rows[i].origin);
        if ((judge("h", lines, &rules) == 0) != rows[i].is_match)
            fail_msg("%s %s", rows[i].pattern, rows[i].origin);
    }
}

static void patterns_can_be_checked_before(void **state)
{
    static const char *const good[] = {"null", "http://a", "https://*.a.example:8443",
                                       "http://[::1]:80"};
    static const char *const bad[] = {"",
                                      "*",
                                      "http://*",
                                      "http://a.*",
                                      "a",
                                      "http://a/b",
                                      "http://*.1.2.3.4",
                                      "https://*.*.a",
                                      "https://*.a/b",
                                      "https://*.",
                                      "*.a"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(dx_origin_is_pattern(dx_slice_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (dx_origin_is_pattern(dx_slice_of(bad[i])))
            fail_msg("%s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k110_k111_foreign_and_malformed_origins),
        cmocka_unit_test(k112_no_origin_is_no_browser),
        cmocka_unit_test(default_ports),
        cmocka_unit_test(any_loopback_page),
        cmocka_unit_test(any_admits_all_but_two),
        cmocka_unit_test(patterns),
        cmocka_unit_test(patterns_can_be_checked_before),
    };

    return run_group(tests, NULL, NULL);
}
