/*
 * connector_failures_test.c - connecting, through a proxy, over TLS, along a redirect and to a
 * refusal, with each allocation and each system call failing in turn: it opens or says why, and
 * nothing is left.
 */
#include "support/client/connector_tls_bench.h"
#include "support/failing/allocator.h"
#include "support/failing/system.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

static struct connector_bench bench;

static int begin_all(void **state)
{
    const struct tls_certificate certificate = {
        .name = "good", .common_name = "good", .names = "IP:127.0.0.1"};

    (void)state;
    tls_files_begin();
    tls_certificate_make(&certificate);
    return 0;
}

static int end_all(void **state)
{
    (void)state;
    tls_files_end();
    return 0;
}

/* ---- the ways ---- */

static const struct scripted_turn asked = {.wait_for = "\r\n\r\n",
                                           .say = BENCH_101 "\r\n\x81\x01x"};
static const struct scripted_turn refused = {
    .wait_for = "\r\n\r\n",
    .say = "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno!\r\n0\r\n\r\n"};
static const struct scripted_turn through_connect[] = {
    {.wait_for = "\r\n\r\n", .say = "HTTP/1.1 200 OK\r\n\r\n"},
    {.wait_for = "\r\n\r\n", .say = BENCH_101 "\r\n"}};
static const struct scripted_turn through_socks5[] = {
    {.wait_len = 4, .say = "\x05\x02", .say_len = 2},
    {.wait_len = 5, .say = "\x01\x00", .say_len = 2},
    {.wait_len = 10, .say = "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00", .say_len = 10},
    {.wait_for = "\r\n\r\n", .say = BENCH_101 "\r\n"}};
static char location[128];
static struct scripted_turn moved = {.wait_for = "\r\n\r\n", .say = location};

static const struct way {
    const char *name;
    const char *scheme;
    const char *proxy; /* its scheme and credentials; NULL: none */
    struct scripted_talk talks[2];
    size_t talk_count;
    bool is_refused;
} ways[] = {
    {"plain", "ws", NULL, {{&asked, 1, SCRIPTED_STAYS, false, 0, false}}, 1, false},
    {"refused", "ws", NULL, {{&refused, 1, SCRIPTED_STAYS, false, 0, false}}, 1, true},
    {"redirect",
     "ws",
     NULL,
     {{&moved, 1, SCRIPTED_STAYS, false, 0, false}, {&asked, 1, SCRIPTED_STAYS, false, 0, false}},
     2,
     false},
    {"CONNECT",
     "ws",
     "http://n:p@",
     {{through_connect, 2, SCRIPTED_STAYS, false, 0, false}},
     1,
     false},
    {"SOCKS5",
     "ws",
     "socks5h://n:p@",
     {{through_socks5, 4, SCRIPTED_STAYS, false, 0, false}},
     1,
     false},
    {"TLS", "wss", NULL, {{&asked, 1, SCRIPTED_STAYS, true, 0, false}}, 1, false},
    {"CONNECT, then TLS",
     "wss",
     "http://",
     {{through_connect, 2, SCRIPTED_STAYS, false, 1, false}},
     1,
     false},
    {"TLS, CONNECT, then TLS",
     "wss",
     "https://n:p@",
     {{through_connect, 2, SCRIPTED_STAYS, true, 1, false}},
     1,
     false},
};

static void prepare(const struct way *way, struct dx_proxy *proxy)
{
    struct dx_tls_client_options options = dx_tls_client_options_init();
    const char *detail;
    char text[64];

    options.ca_path = tls_file("good.pem");
    bench_begin(&bench);
    bench_serve(&bench, "good");
    bench_trust(&bench, &options);
    bench.options.max_redirects = 1;
    bench.options.url = bench_url(&bench, way->scheme, "127.0.0.1", "/");
    (void)snprintf(location, sizeof(location),
                   "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
                   bench_url(&bench, way->scheme, "127.0.0.1", "/there"));
    if (way->proxy == NULL)
        return;
    (void)snprintf(text, sizeof(text), "%s127.0.0.1:%u", way->proxy, (unsigned)bench_port(&bench));
    assert_int_equal(dx_proxy_parse(text, proxy, &detail), DX_OK);
    bench.options.proxy = proxy;
}

/* The client goes, too, with the sessions it keeps. */
static void finish(void)
{
    bench_end(&bench);
    SSL_CTX_free(bench.server.context);
    dx_tls_client_free(bench.options.tls);
}

/* Without a failure all is well; with one it opens all the same, or says what it was. */
static void check(const struct way *way, enum dx_err err, bool has_failed)
{
    if (err != DX_OK) {
        assert_true(has_failed);
        return;
    }
    assert_int_equal(bench.seen.calls, 1);
    if (!has_failed && bench.seen.is_open == way->is_refused)
        fail_msg("%s: step %d, %s", way->name, (int)bench.seen.step, bench.seen.detail);
    if (!has_failed) {
        assert_true(bench.seen.is_open == !way->is_refused);
        assert_int_equal(bench.seen.http_status, way->is_refused ? 403 : 0);
    }
    if (!bench.seen.is_open) {
        assert_true(bench.seen.step != 0);
        assert_true(bench.seen.err < 0);
        assert_true(bench.seen.detail[0] != '\0');
    }
}

static void each_allocation_failing(void **state)
{
    size_t injected = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        bool has_failed = true;

        for (size_t nth = 1; has_failed; nth++) {
            struct dx_proxy proxy;
            enum dx_err err;

            prepare(&ways[i], &proxy);
            bench.options.timeout_ms = PATIENCE_MS;
            bench.fails_allocations = true;
            failing_allocator_start(nth);
            err = bench_run(&bench, ways[i].talks, ways[i].talk_count);
            has_failed = failing_allocator_stop();
            check(&ways[i], err, has_failed);
            finish();
            assert_int_equal(failing_allocator_live(), 0);
            injected += has_failed;
        }
    }
    printf("injected %zu failures\n", injected);
    assert_true(injected > 50);
}

/* Before each turn, with the answers cut to bytes. */
static void cancelled_at_each_moment(void **state)
{
    size_t moments = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        bool was_cancelled = true;

        for (size_t at = 1; was_cancelled; at++) {
            int before = bench_open_descriptors();
            struct dx_proxy proxy;

            prepare(&ways[i], &proxy);
            bench.server.is_bytewise = true;
            bench.cancel_at = at;
            failing_allocator_start(0);
            bench.fails_allocations = true;
            assert_int_equal(bench_run(&bench, ways[i].talks, ways[i].talk_count), DX_OK);
            (void)failing_allocator_stop();
            was_cancelled = bench.seen.calls == 0;
            finish();
            assert_int_equal(failing_allocator_live(), 0);
            assert_int_equal(bench_open_descriptors(), before);
            moments += was_cancelled;
        }
    }
    printf("%zu moments\n", moments);
    assert_true(moments > 500);
}

static void each_system_call_failing(void **state)
{
    size_t injected = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]) * FAILING_KINDS; i++) {
        const struct way *way = &ways[i / FAILING_KINDS];
        bool has_failed = true;

        for (size_t nth = 1; has_failed; nth++) {
            int before = bench_open_descriptors();
            struct dx_proxy proxy;
            enum dx_err err;

            prepare(way, &proxy);
            bench.options.timeout_ms = PATIENCE_MS;
            failing_system_choose((unsigned)(i % FAILING_KINDS));
            bench.fails_calls = true;
            failing_system_start(nth);
            err = bench_run(&bench, way->talks, way->talk_count);
            has_failed = failing_system_stop();
            check(way, err, has_failed);
            finish();
            assert_int_equal(bench_open_descriptors(), before);
            injected += has_failed;
        }
    }
    failing_system_choose(0);
    printf("injected %zu failures\n", injected);
    assert_true(injected > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_failing),
        cmocka_unit_test(each_system_call_failing),
        cmocka_unit_test(cancelled_at_each_moment),
    };

    return run_group(tests, begin_all, end_all);
}
