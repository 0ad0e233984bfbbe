/*
 * connector_rows_test.c - a client against malicious servers, proxies and URLs: one test a row of
 * the threat model, each with its exact result.
 */
#include "support/client/connector_bench.h"
#include "support/client/scripted_names.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static struct connector_bench bench;

static int begin(void **state)
{
    (void)state;
    bench_begin(&bench);
    return 0;
}

static int end(void **state)
{
    (void)state;
    scripted_names_set(NULL, 0, 0);
    bench_end(&bench);
    return 0;
}

static void expect_failure(enum dx_failure_step step, enum dx_err err, const char *detail)
{
    assert_int_equal(bench.seen.calls, 1);
    assert_false(bench.seen.is_open);
    assert_string_equal(bench.seen.detail, detail);
    assert_int_equal(bench.seen.step, step);
    assert_int_equal(bench.seen.err, err);
}

static void run(const char *answer)
{
    assert_int_equal(bench_run_answer(&bench, answer, 0, SCRIPTED_STAYS), DX_OK);
}

/* ---- answers ---- */

#define LINE "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define ACCEPT "Sec-WebSocket-Accept: {accept}\r\n"

static void row_115_a_101_that_breaks_the_rules(void **state)
{
    static const char no_accept[] = "the server's Sec-WebSocket-Accept does not belong to our key";
    static const char no_upgrade[] = "the server's Upgrade does not say websocket";
    static const char no_connection[] = "the server's Connection does not say Upgrade";
    static const struct {
        const char *answer;
        const char *detail;
    } rows[] = {
        {LINE UPGRADE CONNECTION "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
         no_accept},
        {LINE UPGRADE CONNECTION "Sec-WebSocket-Accept: x{accept}\r\n\r\n", no_accept},
        {LINE UPGRADE CONNECTION "Sec-WebSocket-Accept:\r\n\r\n", no_accept},
        {LINE UPGRADE CONNECTION "\r\n", no_accept},
        {LINE UPGRADE CONNECTION ACCEPT "Sec-WebSocket-Accept: x\r\n\r\n", no_accept},
        {LINE CONNECTION ACCEPT "\r\n", no_upgrade},
        {LINE "Upgrade: h2c\r\n" CONNECTION ACCEPT "\r\n", no_upgrade},
        {LINE "Upgrade: websocket, h2c\r\n" CONNECTION ACCEPT "\r\n", no_upgrade},
        {LINE UPGRADE UPGRADE CONNECTION ACCEPT "\r\n", no_upgrade},
        {LINE UPGRADE ACCEPT "\r\n", no_connection},
        {LINE UPGRADE "Connection: close\r\n" ACCEPT "\r\n", no_connection},
        {"HTTP/1.0 101 Switching Protocols\r\n" UPGRADE CONNECTION ACCEPT "\r\n",
         "the server switches protocols in HTTP/1.0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run(rows[i].answer);
        expect_failure(DX_STEP_HANDSHAKE, DX_ERR_PROTOCOL, rows[i].detail);
    }
    run(LINE "UPGRADE: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n" ACCEPT "\r\n");
    assert_true(bench.seen.is_open);
}

static void row_116_a_subprotocol_or_extension_that_nobody_offered(void **state)
{
    static const char subprotocol[] = "the server chose a subprotocol that was not offered";
    static const char extension[] = "the server chose an extension that was not offered";
    static const char *const offered[] = {"chat"};

    (void)state;
    run(BENCH_101 "Sec-WebSocket-Protocol: chat\r\n\r\n");
    expect_failure(DX_STEP_HANDSHAKE, DX_ERR_PROTOCOL, subprotocol);
    run(BENCH_101 "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
    expect_failure(DX_STEP_HANDSHAKE, DX_ERR_PROTOCOL, extension);
    bench.options.request.subprotocols = offered;
    bench.options.request.subprotocol_count = 1;
    run(BENCH_101 "Sec-WebSocket-Protocol: Chat\r\n\r\n");
    expect_failure(DX_STEP_HANDSHAKE, DX_ERR_PROTOCOL, subprotocol);
    run(BENCH_101 "Sec-WebSocket-Protocol: chat, chat\r\n\r\n");
    expect_failure(DX_STEP_HANDSHAKE, DX_ERR_PROTOCOL, subprotocol);
    run(BENCH_101 "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n\r\n");
    expect_failure(DX_STEP_HANDSHAKE, DX_ERR_PROTOCOL, subprotocol);
    run(BENCH_101 "\r\n");
    assert_true(bench.seen.is_open);
    assert_string_equal(bench.seen.subprotocol, "");
}

static void row_117_heads_without_end(void **state)
{
    static char answer[200000];
    size_t len = (size_t)snprintf(answer, sizeof(answer), "HTTP/1.1 101 x\r\n");
    size_t one;

    (void)state;
    for (int i = 0; i < 101; i++)
        len += (size_t)snprintf(answer + len, 16, "A: b\r\n");
    assert_int_equal(bench_run_answer(&bench, answer, len, SCRIPTED_STAYS), DX_OK);
    assert_int_equal(bench.seen.step, DX_STEP_HANDSHAKE);
    assert_int_equal(bench.seen.err, DX_ERR_TOO_BIG);
    len = (size_t)snprintf(answer, sizeof(answer), "HTTP/1.1 101 x\r\n");
    for (int i = 0; i < 70; i++)
        len += (size_t)snprintf(answer + len, 1100, "A: %01000d\r\n", i);
    assert_int_equal(bench_run_answer(&bench, answer, len, SCRIPTED_STAYS), DX_OK);
    assert_int_equal(bench.seen.step, DX_STEP_HANDSHAKE);
    assert_int_equal(bench.seen.err, DX_ERR_TOO_BIG);
    len = 0;
    /* 512 of them are as long as a head may be. */
    one = strlen("HTTP/1.1 102 Still at work!!\r\n\r\n");
    while (len + one < 150000)
        len += (size_t)snprintf(answer + len, 64, "HTTP/1.1 102 Still at work!!\r\n\r\n");
    for (int is_bytewise = 0; is_bytewise < 2; is_bytewise++) {
        bench.server.is_bytewise = is_bytewise == 1;
        assert_int_equal(bench_run_answer(&bench, answer, len, SCRIPTED_STAYS), DX_OK);
        assert_int_equal(bench.seen.step, DX_STEP_HANDSHAKE);
        assert_int_equal(bench.seen.err, DX_ERR_TOO_BIG);
    }
}

/* ---- redirects ---- */

static struct scripted_turn hops[8];
static struct scripted_talk talks[8];
static char locations[8][512];

/* The n-th answer of the server redirects there; NULL: it opens. */
static void hop(size_t n, int status, const char *to)
{
    if (to != NULL)
        (void)snprintf(locations[n], sizeof(locations[n]),
                       "HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", status,
                       to);
    hops[n] = (struct scripted_turn){.wait_for = "\r\n\r\n",
                                     .say = to != NULL ? locations[n] : BENCH_101 "\r\n"};
    talks[n] = (struct scripted_talk){&hops[n], 1, SCRIPTED_STAYS, false, 0, false};
}

static void run_hops(size_t count)
{
    scripted_server_restart(&bench.server);
    assert_int_equal(bench_run(&bench, talks, count), DX_OK);
}

static void row_118_redirects_are_off(void **state)
{
    (void)state;
    hop(0, 301, "/elsewhere");
    run_hops(1);
    expect_failure(DX_STEP_UPGRADE, DX_ERR_REFUSED, "the server answered 301 Moved");
    assert_int_equal(bench.seen.http_status, 301);
    assert_non_null(strstr(bench.seen.headers, "Location: /elsewhere\n"));
    assert_int_equal(bench.server.connection_count, 1);
}

static void row_118_redirects_of_each_form(void **state)
{
    char authority[64], absolute[80];
    const struct {
        int status;
        const char *to;
        const char *request;
    } rows[] = {
        {301, "/x", "GET /x HTTP/1.1\r\n"},       {302, "x", "GET /a/x HTTP/1.1\r\n"},
        {303, "../x?y", "GET /x?y HTTP/1.1\r\n"}, {307, "?y", "GET /a/b?y HTTP/1.1\r\n"},
        {308, "/x#part", "GET /x HTTP/1.1\r\n"},  {301, authority, "GET /z HTTP/1.1\r\n"},
        {301, absolute, "GET /z HTTP/1.1\r\n"},   {301, "\\x", "GET /x HTTP/1.1\r\n"},
    };

    (void)state;
    (void)snprintf(authority, sizeof(authority), "//127.0.0.1:%u/z", (unsigned)bench_port(&bench));
    (void)snprintf(absolute, sizeof(absolute), "HTTP:%s", authority);
    bench.options.max_redirects = 1;
    bench.options.url = bench_url(&bench, "ws", "127.0.0.1", "/a/b?c");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        hop(0, rows[i].status, rows[i].to);
        hop(1, 0, NULL);
        run_hops(2);
        assert_true(bench.seen.is_open);
        assert_memory_equal(scripted_server_heard(&bench.server, 1), rows[i].request,
                            strlen(rows[i].request));
    }
}

static void row_118_more_redirects_than_allowed(void **state)
{
    (void)state;
    bench.options.max_redirects = 5;
    for (size_t i = 0; i < 6; i++)
        hop(i, 302, "/again");
    run_hops(6);
    expect_failure(DX_STEP_UPGRADE, DX_ERR_REFUSED,
                   "too many redirects: the server answered 302 Moved");
    assert_int_equal(bench.server.connection_count, 6);
    hop(5, 0, NULL);
    run_hops(6);
    assert_true(bench.seen.is_open);
}

static void row_118_redirects_that_lead_nowhere(void **state)
{
    static const struct {
        const char *answer;
        const char *why;
    } rows[] = {
        {"HTTP/1.1 302 Moved\r\nContent-Length: 0\r\n\r\n", "the redirect has no usable Location"},
        {"HTTP/1.1 302 Moved\r\nLocation:\r\nContent-Length: 0\r\n\r\n",
         "the redirect has no usable Location"},
        {"HTTP/1.1 302 Moved\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
         "the redirect has no usable Location"},
        {"HTTP/1.1 302 Moved\r\nLocation: ftp://x/\r\nContent-Length: 0\r\n\r\n",
         "the redirect's Location is not a URL"},
        {"HTTP/1.1 302 Moved\r\nLocation: ws://a:b@c/\r\nContent-Length: 0\r\n\r\n",
         "the redirect's Location is not a URL"},
        {"HTTP/1.1 302 Moved\r\nLocation: ws://a:65536/\r\nContent-Length: 0\r\n\r\n",
         "the redirect's Location is not a URL"},
    };
    char detail[128];

    (void)state;
    bench.options.max_redirects = 5;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run(rows[i].answer);
        (void)snprintf(detail, sizeof(detail), "%s: the server answered 302 Moved", rows[i].why);
        expect_failure(DX_STEP_UPGRADE, DX_ERR_REFUSED, detail);
        assert_int_equal(bench.seen.http_status, 302);
    }
    run("HTTP/1.1 300 Which\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n");
    assert_string_equal(bench.seen.detail, "the server answered 300 Which");
}

static void row_118_secrets_stay_within_one_origin(void **state)
{
    static const struct dx_header headers[] = {
        {"Authorization", "Bearer x"}, {"Cookie", "a=b"}, {"X-Key", "y"}, {"user-agent", "me/1"}};
    const char *heard;

    (void)state;
    bench.options.max_redirects = 5;
    bench.options.request.headers = headers;
    bench.options.request.header_count = 4;
    (void)scripted_server_listen(&bench.server, "127.0.0.2", bench_port(&bench));
    hop(0, 302, "/same");
    hop(1, 302, bench_url(&bench, "ws", "127.0.0.2", "/other"));
    hop(2, 302, bench_url(&bench, "ws", "127.0.0.1", "/back"));
    hop(3, 0, NULL);
    run_hops(4);
    assert_true(bench.seen.is_open);
    for (size_t i = 0; i < 4; i++) {
        heard = scripted_server_heard(&bench.server, i);
        assert_true((strstr(heard, "Authorization") != NULL) == (i < 2));
        assert_true((strstr(heard, "Cookie") != NULL) == (i < 2));
        assert_true((strstr(heard, "X-Key") != NULL) == (i < 2));
        assert_non_null(strstr(heard, "\r\nuser-agent: me/1\r\n"));
    }
}

/* ---- what is not to get out ---- */

static void expect_refused_before_connecting(void)
{
    struct scripted_talk none = {NULL, 0, SCRIPTED_STAYS, false, 0, false};

    assert_int_equal(bench_run(&bench, &none, 1), DX_ERR_USAGE);
    (void)scripted_server_step(&bench.server);
    assert_int_equal(bench.server.connection_count, 0);
}

static void row_121_line_ends_in_the_url(void **state)
{
    static const char *const rests[] = {"/a\r\nX: y", "/a\nb", "/\ra", "/\tb", "/?\x01", "/\x7f"};

    (void)state;
    for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
        bench.options.url = bench_url(&bench, "ws", "127.0.0.1", rests[i]);
        expect_refused_before_connecting();
    }
    bench.options.url = bench_url(&bench, "ws", "127.0.0.1\r\nX", "/");
    expect_refused_before_connecting();
}

static void row_121_line_ends_in_options(void **state)
{
    static const struct dx_header headers[] = {{"X", "a\r\nb"},
                                               {"X\r\n", "a"},
                                               {"X", "a\nb"},
                                               {"X", "\ra"},
                                               {"X: y", "a"},
                                               {"", "a"},
                                               {"X Y", "a"},
                                               {"Host", "a"},
                                               {"Content-Length", "0"},
                                               {"Connection", "a"},
                                               {"sec-websocket-key", "a"},
                                               {"X", "\x7f"}};
    static const char *const subprotocols[] = {"a\r\nb", "a b", "", "a,b", "a\x7f"};

    (void)state;
    bench.options.request.header_count = 1;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        bench.options.request.headers = &headers[i];
        expect_refused_before_connecting();
    }
    bench.options.request.header_count = 0;
    bench.options.request.subprotocol_count = 1;
    for (size_t i = 0; i < sizeof(subprotocols) / sizeof(subprotocols[0]); i++) {
        bench.options.request.subprotocols = &subprotocols[i];
        expect_refused_before_connecting();
    }
    bench.options.request.subprotocol_count = 0;
    bench.options.request.origin = "https://a\r\nb";
    expect_refused_before_connecting();
}

static void row_121_line_ends_in_proxies(void **state)
{
    static const char *const texts[] = {"http://a%0d%0ab:c@127.0.0.1:1",
                                        "http://a:b%0a@127.0.0.1:1",
                                        "http://a:b%00@127.0.0.1:1",
                                        "socks5://a\r\n:b@127.0.0.1:1",
                                        "http://a@127.0.0.1:1\r\n",
                                        "http://127.0.0.1:1/\r\nX: y",
                                        "http://127.0.0.1\n:1",
                                        "http://:b@127.0.0.1:1",
                                        "http://a%3@127.0.0.1:1",
                                        "http://127.0.0.1:0",
                                        "http://127.0.0.1:65536",
                                        "ftp://127.0.0.1",
                                        "http://",
                                        "",
                                        "http://127.0.0.1:1/path"};
    struct dx_proxy proxy;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *detail = NULL;

        assert_int_equal(dx_proxy_parse(texts[i], &proxy, &detail), DX_ERR_USAGE);
        assert_non_null(detail);
    }
}

/* ---- proxies ---- */

static void run_through_proxy(const char *answer, size_t len, enum scripted_end then)
{
    static struct dx_proxy proxy;
    const char *detail;
    char text[64];

    (void)snprintf(text, sizeof(text), "http://127.0.0.1:%u", (unsigned)bench_port(&bench));
    assert_int_equal(dx_proxy_parse(text, &proxy, &detail), DX_OK);
    bench.options.proxy = &proxy;
    bench.options.url = "ws://far.example/x";
    assert_int_equal(bench_run_answer(&bench, answer, len, then), DX_OK);
}

static void row_122_proxies_that_refuse(void **state)
{
    static char answer[1100000];
    size_t len;

    (void)state;
    run_through_proxy("HTTP/1.1 407 Who\r\nContent-Length: 3\r\n\r\nno!", 0, SCRIPTED_STAYS);
    expect_failure(DX_STEP_PROXY, DX_ERR_REFUSED, "the proxy requires valid credentials");
    assert_int_equal(bench.seen.http_status, 407);
    run_through_proxy("HTTP/1.1 502 Bad\r\n\r\n", 0, SCRIPTED_CLOSES);
    expect_failure(DX_STEP_PROXY, DX_ERR_REFUSED, "the proxy refuses the connection");
    assert_int_equal(bench.seen.http_status, 502);
    run_through_proxy("HTTP/1.1 200", 0, SCRIPTED_CLOSES);
    expect_failure(DX_STEP_PROXY, DX_ERR_CLOSED, "the proxy closed the connection");
    run_through_proxy("", 0, SCRIPTED_RESETS);
    expect_failure(DX_STEP_PROXY, DX_ERR_RESET, "the proxy closed the connection");
    run_through_proxy("SSH-2.0-x\r\n", 0, SCRIPTED_STAYS);
    assert_int_equal(bench.seen.err, DX_ERR_PROTOCOL);
    len = (size_t)snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nX: ");
    memset(answer + len, 'x', 1048576);
    run_through_proxy(answer, len + 1048576, SCRIPTED_STAYS);
    assert_int_equal(bench.seen.step, DX_STEP_PROXY);
    assert_int_equal(bench.seen.err, DX_ERR_PROTOCOL);
}

/* What stands behind its head is the target's, whatever a Content-Length says. */
static void row_122_bytes_behind_the_proxys_head(void **state)
{
    (void)state;
    run_through_proxy("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                      "HTTP/1.1 403 Far\r\nContent-Length: 2\r\n\r\nno",
                      0, SCRIPTED_STAYS);
    expect_failure(DX_STEP_UPGRADE, DX_ERR_REFUSED, "the server answered 403 Far");
    assert_int_equal(bench.seen.body_len, 2);
    run_through_proxy("HTTP/1.1 200 OK\r\n\r\n<html>\r\n", 0, SCRIPTED_STAYS);
    assert_int_equal(bench.seen.step, DX_STEP_HANDSHAKE);
    assert_int_equal(bench.seen.err, DX_ERR_PROTOCOL);
}

static void row_122_a_host_that_a_proxy_cannot_be_told(void **state)
{
    static const struct scripted_turn turns[] = {
        {.wait_for = "\r\n\r\n", .say = "HTTP/1.1 200 OK\r\n\r\n"},
        {.wait_for = "\r\n\r\n", .say = BENCH_101 "\r\n\x81\x00", .say_len = 0}};
    static const struct scripted_talk talk = {turns, 2, SCRIPTED_STAYS, false, 0, false};
    struct dx_proxy proxy;
    const char *detail;
    char text[64];

    (void)state;
    (void)snprintf(text, sizeof(text), "http://n%%40:p%%3a@127.0.0.1:%u",
                   (unsigned)bench_port(&bench));
    assert_int_equal(dx_proxy_parse(text, &proxy, &detail), DX_OK);
    bench.options.proxy = &proxy;
    bench.options.url = "ws://[2001:db8::1]:81/x";
    assert_int_equal(bench_run(&bench, &talk, 1), DX_OK);
    assert_true(bench.seen.is_open);
    assert_memory_equal(scripted_server_heard(&bench.server, 0),
                        "CONNECT [2001:db8::1]:81 HTTP/1.1\r\nHost: [2001:db8::1]:81\r\n"
                        "Proxy-Authorization: Basic bkA6cDo=\r\n\r\nGET /x HTTP/1.1\r\n",
                        115);
    proxy.name[1] = ':';
    assert_int_equal(bench_run_answer(&bench, "", 0, SCRIPTED_STAYS), DX_OK);
    expect_failure(DX_STEP_PROXY, DX_ERR_USAGE, "this host name cannot be sent to the proxy");
}

/* ---- names ---- */

static void row_123_names_without_and_with_a_thousand_addresses(void **state)
{
    static const char *many[1000];

    (void)state;
    bench.options.url = bench_url(&bench, "ws", "some.name", "/");
    scripted_names_set(many, 0, 0);
    run("");
    expect_failure(DX_STEP_RESOLVE, DX_ERR_RESOLVE,
                   "some.name: no address of the requested family");
    /* All dead: each is refused at once, and after 32 it is told; the only good one is the last. */
    for (size_t i = 0; i < 1000; i++)
        many[i] = i < 999 ? "127.0.0.9" : "127.0.0.1";
    scripted_names_set(many, 1000, 0);
    run("");
    assert_int_equal(bench.seen.step, DX_STEP_CONNECT);
    assert_int_equal(bench.seen.err, DX_ERR_CONNECT);
    many[31] = "127.0.0.1";
    run(BENCH_101 "\r\n");
    assert_true(bench.seen.is_open);
}

/* One family is dead: the other gets its turn at once, however many there are of the first. */
static void row_123_families_take_turns(void **state)
{
    static const char *const addresses[] = {"::1", "::1", "::1", "127.0.0.1"};

    (void)state;
    bench.options.url = bench_url(&bench, "ws", "some.name", "/");
    scripted_names_set(addresses, 4, 0);
    run(BENCH_101 "\r\n");
    assert_true(bench.seen.is_open);
    bench.options.family = AF_INET6;
    run(BENCH_101 "\r\n");
    assert_false(bench.seen.is_open);
}

static void row_124_a_server_that_never_answers(void **state)
{
    uint64_t begun_ms = dx_loop_now_ms(bench.loop);

    (void)state;
    assert_int_equal(dx_websocket_options_init().connect_timeout_ms, 10000);
    bench.options.timeout_ms = 100;
    run("");
    expect_failure(DX_STEP_HANDSHAKE, DX_ERR_TIMEOUT, "the connection did not open in time");
    assert_true(dx_loop_now_ms(bench.loop) - begun_ms >= 100);
    /* A byte now and then buys no time. */
    bench.server.is_bytewise = true;
    bench.server.cut = 0;
    run("HTTP/1.1 1");
    expect_failure(DX_STEP_HANDSHAKE, DX_ERR_TIMEOUT, "the connection did not open in time");
}

static void row_125_urls(void **state)
{
    static const char *const refused[] = {"ws://a:b@127.0.0.1/",
                                          "ws://@127.0.0.1/",
                                          "ws://127.0.0.1/#a",
                                          "ws://127.0.0.1/#",
                                          "ws://127.0.0.1:65536/",
                                          "ws://127.0.0.1:x/",
                                          "ws://[fe80::1%25lo]/",
                                          "ws://[fe80::1%lo]/",
                                          "ws://[::1/",
                                          "ws://b\xc3\xbc"
                                          "cher.example/",
                                          "ws://b%C3%BCcher.example/",
                                          "ws://a b/",
                                          "ws://",
                                          "ws:///",
                                          "//127.0.0.1/",
                                          "127.0.0.1",
                                          "ws://127.0.0.256/",
                                          "ws://1.2.3.4.5/",
                                          "ws://a%00b/",
                                          "javascript:x",
                                          "ws://a<b/",
                                          "ws://a^b/",
                                          ""};
    static const struct {
        const char *before; /* the port */
        const char *behind;
        const char *host;
    } written[] = {
        {"http://127.1", "/", "127.0.0.1"},
        {"WS://0x7f.1", "", "127.0.0.1"},
        {"ws:127.0.0.1", "", "127.0.0.1"},
        {"ws:\\\\2130706433", "\\a", "127.0.0.1"},
        {"ws://%31%32%37.0.0.1", "/", "127.0.0.1"},
        {"ws://LOCALHOST.", "/", "localhost."},
        {"ws://xn--bcher-kva.localhost", "/", "xn--bcher-kva.localhost"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        bench.options.url = refused[i];
        expect_refused_before_connecting();
    }
    for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
        char url[128], host[128];

        (void)snprintf(url, sizeof(url), "%s:%u%s", written[i].before, (unsigned)bench_port(&bench),
                       written[i].behind);
        (void)snprintf(host, sizeof(host), "\r\nHost: %s:%u\r\n", written[i].host,
                       (unsigned)bench_port(&bench));
        bench.options.url = url;
        hop(0, 0, NULL);
        run_hops(1);
        assert_true(bench.seen.is_open);
        assert_non_null(strstr(scripted_server_heard(&bench.server, 0), host));
    }
}

/* Port 0 is a URL for the standard; nobody accepts there. */
static void row_125_port_0(void **state)
{
    (void)state;
    bench.options.url = "ws://127.0.0.1:0/";
    run("");
    assert_int_equal(bench.seen.step, DX_STEP_CONNECT);
    assert_int_equal(bench.seen.err, DX_ERR_CONNECT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(row_115_a_101_that_breaks_the_rules),
        TEST(row_116_a_subprotocol_or_extension_that_nobody_offered),
        TEST(row_117_heads_without_end),
        TEST(row_118_redirects_are_off),
        TEST(row_118_redirects_of_each_form),
        TEST(row_118_more_redirects_than_allowed),
        TEST(row_118_redirects_that_lead_nowhere),
        TEST(row_118_secrets_stay_within_one_origin),
        TEST(row_121_line_ends_in_the_url),
        TEST(row_121_line_ends_in_options),
        TEST(row_121_line_ends_in_proxies),
        TEST(row_122_proxies_that_refuse),
        TEST(row_122_bytes_behind_the_proxys_head),
        TEST(row_122_a_host_that_a_proxy_cannot_be_told),
        TEST(row_123_names_without_and_with_a_thousand_addresses),
        TEST(row_123_families_take_turns),
        TEST(row_124_a_server_that_never_answers),
        TEST(row_125_urls),
        TEST(row_125_port_0),
    };

    return run_group(tests, NULL, NULL);
}
