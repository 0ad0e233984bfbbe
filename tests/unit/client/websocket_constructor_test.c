/*
 * websocket_constructor_test.c - the rules of `new WebSocket(url, protocols)` under strict_browser:
 * C1 to C9 of the checklist. The rows' ids are its numbers.
 */
#include "support/client/websocket_bench.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct websocket_bench bench;

static const struct url_row {
    const char *id;
    const char *base;
    const char *url;
    const char *want; /* NULL: SyntaxError */
} url_rows[] = {
    {"C1 absolute", NULL, "ws://a.example/x?y", "ws://a.example/x?y"},
    {"C1 no path", NULL, "ws://a.example", "ws://a.example/"},
    {"C1 relative", "ws://a.example/b/c", "test", "ws://a.example/b/test"},
    {"C1 relative to the root", "ws://a.example/b/c", "/test", "ws://a.example/test"},
    {"C1 a query", "ws://a.example/b/c?d", "?", "ws://a.example/b/c?"},
    {"C1 null", "ws://a.example/b/c", "null", "ws://a.example/b/null"},
    {"C1 a number", "ws://a.example/", "123", "ws://a.example/123"},
    {"C1 without a scheme", "wss://a.example/b", "//other.example/c", "wss://other.example/c"},
    {"C1 dots", "ws://a.example/b/c/d", "../e", "ws://a.example/b/e"},
    {"C1 empty is the base", "ws://a.example/b?c", "", "ws://a.example/b?c"},
    {"C1 absolute in spite of a base", "ws://a.example/", "ws://b.example/", "ws://b.example/"},
    {"C1 relative without a base", NULL, "test", NULL},
    {"C1 empty", NULL, "", NULL},
    {"C1 no host", NULL, "ws://", NULL},
    {"C1 a port of its own", NULL, "ws://a.example:1234/", "ws://a.example:1234/"},
    {"C1 the default port", NULL, "ws://a.example:80/", "ws://a.example/"},
    {"C1 the default port of wss", NULL, "wss://a.example:443/", "wss://a.example/"},
    {"C1 port 0", NULL, "ws://a.example:0/", "ws://a.example:0/"},
    {"C1 port 65535", NULL, "ws://a.example:65535/", "ws://a.example:65535/"},
    {"C1 port 65536", NULL, "ws://a.example:65536/", NULL},
    {"C1 a port that is none", NULL, "ws://a.example:8x/", NULL},
    {"C1 IPv6", NULL, "ws://[0:0::1]:9/", "ws://[::1]:9/"},
    {"C1 IPv4 of few parts", NULL, "ws://127.1/", "ws://127.0.0.1/"},
    {"C1 upper case", NULL, "WS://A.Example/B", "ws://a.example/B"},
    {"C1 xn--", NULL, "ws://xn--nxasmq6b.example/", "ws://xn--nxasmq6b.example/"},
    {"C1 a host outside ASCII", NULL,
     "ws://b\xc3\xbc"
     "cher.example/",
     NULL},
    {"C1 a path outside ASCII", NULL, "ws://a.example/\xc3\xbc", "ws://a.example/%C3%BC"},
    {"C1 not UTF-8", NULL, "ws://a.example/\xff", NULL},
    {"C1 a control character", NULL, "ws://a.example/\r\nHost: evil", NULL},
    {"C1 a space in the host", NULL, "ws://a b/", NULL},
    {"C2 http", NULL, "http://a.example/x", "ws://a.example/x"},
    {"C2 https", NULL, "https://a.example/x", "wss://a.example/x"},
    {"C2 https and its port", NULL, "https://a.example:443/x", "wss://a.example/x"},
    {"C2 https and another port", NULL, "https://a.example:80/x", "wss://a.example:80/x"},
    {"C2 a base of http", "http://a.example/b", "c", "ws://a.example/c"},
    {"C2 a base of https", "https://a.example/b", "c", "wss://a.example/c"},
    {"C2 ftp", NULL, "ftp://a.example/", NULL},
    {"C2 mailto", NULL, "mailto:a@a.example", NULL},
    {"C2 about", NULL, "about:blank", NULL},
    {"C3 a fragment", NULL, "ws://a.example/#x", NULL},
    {"C3 an empty fragment", NULL, "ws://a.example/#", NULL},
    {"C3 a fragment behind a relative one", "ws://a.example/", "test#", NULL},
    {"C8 a name and a password", NULL, "ws://foo:bar@a.example/x", "ws://a.example/x"},
    {"C8 a name", NULL, "ws://foo@a.example/", "ws://a.example/"},
    {"C8 of http", NULL, "https://foo:bar@a.example/", "wss://a.example/"},
    {"C8 a control in it", NULL, "ws://foo%0d%0a:bar@a.example/", NULL},
};

static void test_urls(void **state)
{
    size_t failed = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(url_rows) / sizeof(url_rows[0]); i++) {
        const struct url_row *row = &url_rows[i];
        struct dx_websocket *websocket = NULL;
        struct dx_websocket_options options = dx_websocket_options_init();
        enum dx_err err;
        const char *got;

        options.strict_browser = true;
        options.base_url = row->base;
        err = dx_websocket_new(bench.loop, row->url, &options, &websocket);
        got = err == DX_OK ? dx_websocket_url(websocket) : NULL;
        if ((row->want == NULL && err != DX_ERR_USAGE) ||
            (row->want != NULL && (got == NULL || strcmp(got, row->want) != 0))) {
            print_error("%s: %s %s\n", row->id, dx_err_name(err), got != NULL ? got : "-");
            failed++;
        }
        dx_websocket_free(websocket);
    }
    print_message("%zu URLs\n", sizeof(url_rows) / sizeof(url_rows[0]));
    assert_int_equal(failed, 0);
}

static const struct protocol_row {
    const char *id;
    const char *protocols[3];
    size_t count;
    bool is_valid;
} protocol_rows[] = {
    {"C4 none", {NULL}, 0, true},
    {"C4 one", {"chat"}, 1, true},
    {"C4 two", {"chat", "echo"}, 2, true},
    {"C4 every sign of a token", {"!#$%&'*+-.^_`|~0aZ"}, 1, true},
    {"C4 empty", {""}, 1, false},
    {"C4 a space", {"a b"}, 1, false},
    {"C4 a comma", {"a,b"}, 1, false},
    {"C4 a separator", {"a/b"}, 1, false},
    {"C4 a quote", {"\"a\""}, 1, false},
    {"C4 a control", {"a\x01"}, 1, false},
    {"C4 DEL", {"a\x7f"}, 1, false},
    {"C4 CRLF", {"a\r\nX: y"}, 1, false},
    {"C4 outside ASCII", {"\xc3\xbc"}, 1, false},
    {"C4 twice", {"echo", "chat", "echo"}, 3, false},
    {"C4 twice, in other case", {"echo", "eCho"}, 2, false},
    {"C4 NULL", {NULL}, 1, false},
};

static void test_protocols(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(protocol_rows) / sizeof(protocol_rows[0]); i++) {
        const struct protocol_row *row = &protocol_rows[i];
        struct dx_websocket_options options = dx_websocket_options_init();
        struct dx_websocket *websocket = NULL;
        enum dx_err err;

        options.strict_browser = true;
        options.protocols = row->protocols;
        options.protocol_count = row->count;
        err = dx_websocket_new(bench.loop, "ws://a.example/", &options, &websocket);
        if ((err == DX_OK) != row->is_valid)
            fail_msg("%s: %s", row->id, dx_err_name(err));
        dx_websocket_free(websocket);
    }
    print_message("%zu lists of protocols\n", sizeof(protocol_rows) / sizeof(protocol_rows[0]));
}

/* C5: what it says of itself at first. C6: nothing happens before the turn's end. */
static void test_c5_c6(void **state)
{
    (void)state;
    bench.options.strict_browser = true;
    websocket_bench_start(&bench, NULL);
    assert_string_equal(dx_websocket_url(bench.websocket), bench.url);
    assert_int_equal(dx_websocket_ready_state(bench.websocket), DX_READY_STATE_CONNECTING);
    assert_string_equal(dx_websocket_extensions(bench.websocket), "");
    assert_string_equal(dx_websocket_protocol(bench.websocket), "");
    assert_int_equal(dx_websocket_buffered_amount(bench.websocket), 0);
    assert_null(dx_websocket_response_header(bench.websocket, "Upgrade"));
    assert_journal(&bench, "");
    assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_TEXT, "x", 1), DX_ERR_STATE);
    websocket_bench_accept(&bench, "X-One: two\r\n", NULL, 0);
    assert_true(websocket_bench_until_journal(&bench, "open"));
    assert_journal(&bench, "open/1 ");
    assert_string_equal(dx_websocket_response_header(bench.websocket, "x-one"), "two");
}

/* C7: blocked ports do not throw. */
static void test_c7_strict(void **state)
{
    (void)state;
    bench.options.strict_browser = true;
    bench.options.reconnect = &bench.reconnect; /* one attempt after what will not change */
    websocket_bench_start(&bench, "ws://127.0.0.1:25/");
    assert_journal(&bench, "");
    assert_true(websocket_bench_until(&bench, websocket_bench_is_closed));
    websocket_bench_quiet(&bench);
    assert_journal(&bench, "error/3 close:1006::unclean/3 ");
    assert_int_equal(bench.step, DX_STEP_CONNECT);
    assert_int_equal(bench.err, DX_ERR_ACCESS);
    assert_false(bench.close.will_reconnect);
}

/* … and by default they are as others: nobody listens there. */
static void test_c7_default(void **state)
{
    (void)state;
    websocket_bench_start(&bench, "ws://127.0.0.1:1/");
    assert_true(websocket_bench_until(&bench, websocket_bench_is_closed));
    assert_journal(&bench, "error/3 close:1006::unclean/3 ");
    assert_int_equal(bench.err, DX_ERR_CONNECT);
}

static void check_login(const char *userinfo, const char *want)
{
    char url[16384], line[128];

    (void)snprintf(url, sizeof(url), "ws://%s%s", userinfo, bench.url + 5);
    bench.options.strict_browser = true;
    websocket_bench_start(&bench, url);
    assert_string_equal(dx_websocket_url(bench.websocket), bench.url);
    assert_true(websocket_bench_wait_request(&bench));
    (void)snprintf(line, sizeof(line), "\r\nAuthorization: %s\r\n", want);
    if (want[0] != '\0')
        assert_non_null(strstr(bench.head, line));
    else
        assert_null(strstr(bench.head, "Authorization"));
    assert_null(strstr(bench.head, "foo"));
}

static void test_c8(void **state)
{
    (void)state;
    check_login("foo:bar@", "Basic Zm9vOmJhcg==");
}

static void test_c8_name(void **state)
{
    (void)state;
    check_login("foo@", "Basic Zm9vOg==");
}

static void test_c8_encoded(void **state)
{
    (void)state;
    check_login("a%40b:c%3ad@", "Basic YUBiOmM6ZA==");
}

static void test_c8_none(void **state)
{
    (void)state;
    check_login("@", "");
}

/* An error must not say the password. */
static void test_c8_not_told(void **state)
{
    (void)state;
    bench.options.strict_browser = true;
    websocket_bench_start(&bench, "ws://foo:secret@127.0.0.1:2/");
    assert_true(websocket_bench_until(&bench, websocket_bench_is_closed));
    assert_null(strstr(bench.detail, "secret"));
}

/*
 * C9: one connects to a host at a time; a second one gets its turn when the first is open, fails,
 * is closed or freed.
 */
static void start_two(bool is_strict, struct dx_websocket **other)
{
    bench.options.strict_browser = is_strict;
    websocket_bench_start(&bench, NULL);
    assert_int_equal(dx_websocket_new(bench.loop, bench.url, NULL, other), DX_OK);
    dx_websocket_free(*other);
    {
        struct dx_websocket_options options = dx_websocket_options_init();

        options.strict_browser = is_strict;
        assert_int_equal(dx_websocket_new(bench.loop, bench.url, &options, other), DX_OK);
    }
    assert_true(websocket_bench_wait_request(&bench));
    bench.in_len = 0;
    for (int i = 0; i < 10; i++)
        websocket_bench_turn(&bench, 10);
}

/* Whether somebody else waits to be accepted now. */
static bool is_second_there(void)
{
    int peer = bench.peer;
    size_t count = bench.accepted_count;

    bench.peer = -1;
    for (int i = 0; i < 20 && bench.peer < 0; i++)
        websocket_bench_turn(&bench, 10);
    if (bench.peer >= 0) {
        struct websocket_bench gone = {.peer = bench.peer};

        websocket_bench_hang_up(&gone, false);
    }
    bench.peer = peer;
    return bench.accepted_count > count;
}

static void test_c9_default(void **state)
{
    struct dx_websocket *other;

    (void)state;
    start_two(false, &other);
    assert_true(is_second_there());
    dx_websocket_free(other);
}

static void test_c9_closed(void **state)
{
    struct dx_websocket *other;

    (void)state;
    start_two(true, &other);
    assert_false(is_second_there());
    assert_int_equal(dx_websocket_close(bench.websocket, 0, NULL, 0), DX_OK);
    assert_true(is_second_there());
    dx_websocket_free(other);
}

static void test_c9_freed(void **state)
{
    struct dx_websocket *other;

    (void)state;
    start_two(true, &other);
    assert_false(is_second_there());
    dx_websocket_free(bench.websocket);
    bench.websocket = NULL;
    assert_true(is_second_there());
    dx_websocket_free(other);
}

static void test_c9_failed(void **state)
{
    struct dx_websocket *other;

    (void)state;
    start_two(true, &other);
    websocket_bench_put(&bench, "nonsense\r\n\r\n", 12);
    assert_true(websocket_bench_until(&bench, websocket_bench_is_closed));
    assert_true(bench.accepted_count == 2 || is_second_there());
    dx_websocket_free(other);
}

/* The one that waits is closed, or freed, before its turn. */
static void test_c9_waiting_closed(void **state)
{
    struct dx_websocket *other;

    (void)state;
    start_two(true, &other);
    assert_int_equal(dx_websocket_close(other, 0, NULL, 0), DX_OK);
    websocket_bench_quiet(&bench);
    assert_int_equal(dx_websocket_ready_state(other), DX_READY_STATE_CLOSED);
    dx_websocket_free(other);
    assert_int_equal(dx_websocket_close(bench.websocket, 0, NULL, 0), DX_OK);
    assert_false(is_second_there());
}

/* A browser fails where it asked for subprotocols and none, or another one, is agreed. */
static void check_subprotocol(const char *answer, const char *want)
{
    static const char *const names[] = {"one", "two"};

    bench.options.strict_browser = true;
    bench.options.protocols = names;
    bench.options.protocol_count = 2;
    websocket_bench_start(&bench, NULL);
    websocket_bench_accept(&bench, answer, NULL, 0);
    assert_non_null(strstr(bench.head, "\r\nSec-WebSocket-Protocol: one, two\r\n"));
    if (want == NULL) {
        assert_true(websocket_bench_until(&bench, websocket_bench_is_closed));
        assert_journal(&bench, "error/3 close:1006::unclean/3 ");
        assert_int_equal(bench.step, DX_STEP_HANDSHAKE);
        return;
    }
    assert_true(websocket_bench_until_journal(&bench, "open"));
    assert_string_equal(dx_websocket_protocol(bench.websocket), want);
}

static void test_subprotocol(void **state)
{
    (void)state;
    check_subprotocol("Sec-WebSocket-Protocol: two\r\n", "two");
}

static void test_subprotocol_none(void **state)
{
    (void)state;
    check_subprotocol("", NULL);
}

static void test_subprotocol_foreign(void **state)
{
    (void)state;
    check_subprotocol("Sec-WebSocket-Protocol: three\r\n", NULL);
}

static int set_up(void **state)
{
    (void)state;
    websocket_bench_init(&bench);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    websocket_bench_release(&bench);
    return 0;
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(test_urls),        ROW(test_protocols),        ROW(test_c5_c6),
        ROW(test_c7_strict),   ROW(test_c7_default),       ROW(test_c8),
        ROW(test_c8_name),     ROW(test_c8_encoded),       ROW(test_c8_none),
        ROW(test_c8_not_told), ROW(test_c9_default),       ROW(test_c9_closed),
        ROW(test_c9_freed),    ROW(test_c9_failed),        ROW(test_c9_waiting_closed),
        ROW(test_subprotocol), ROW(test_subprotocol_none), ROW(test_subprotocol_foreign),
    };

    return run_group(tests, NULL, NULL);
}
