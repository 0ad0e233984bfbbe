/*
 * connector_test.c - from a URL to an open stream and each way it fails: the step, the error, its
 * text, what the answer said; the deadline at each step; answers in any pieces; unix sockets, IPv6,
 * several addresses; cancelled at each moment.
 */
#include "support/client/connector_bench.h"
#include "support/client/scripted_names.h"
#include "support/failing/system.h"
#include "support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static void expect_refusal(uint16_t status, const char *detail, const char *body)
{
    expect_failure(DX_STEP_UPGRADE, DX_ERR_REFUSED, detail);
    assert_int_equal(bench.seen.http_status, status);
    assert_int_equal(bench.seen.body_len, strlen(body));
    assert_memory_equal(bench.seen.body, body, strlen(body));
}

static void run(const char *answer, enum scripted_end then)
{
    assert_int_equal(bench_run_answer(&bench, answer, 0, then), DX_OK);
}

/* ---- open ---- */

static void it_asks_and_opens(void **state)
{
    static const char *const subprotocols[] = {"chat", "superchat"};
    static const struct dx_header headers[] = {{"Authorization", "Basic QQ=="}};
    static const struct scripted_turn turn = {
        .wait_for = "\r\n\r\n",
        .say = BENCH_101 "Sec-WebSocket-Protocol: superchat\r\n\r\n\x81\x02hi"};
    static const struct scripted_talk talk = {&turn, 1, SCRIPTED_STAYS, false, 0, false};
    char wanted[64];
    const char *heard;

    (void)state;
    bench.options.request.origin = "https://example.com";
    bench.options.request.subprotocols = subprotocols;
    bench.options.request.subprotocol_count = 2;
    bench.options.request.headers = headers;
    bench.options.request.header_count = 1;
    bench.options.url = bench_url(&bench, "ws", "127.0.0.1", "/a/../b?c=d");
    assert_int_equal(bench_run(&bench, &talk, 1), DX_OK);
    assert_true(bench.seen.is_open);
    assert_string_equal(bench.seen.subprotocol, "superchat");
    assert_int_equal(bench.seen.early_len, 4);
    assert_memory_equal(bench.seen.early, "\x81\x02hi", 4);
    heard = scripted_server_heard(&bench.server, 0);
    assert_memory_equal(heard, "GET /b?c=d HTTP/1.1\r\n", 21);
    (void)snprintf(wanted, sizeof(wanted), "\r\nHost: 127.0.0.1:%u\r\n",
                   (unsigned)bench_port(&bench));
    assert_non_null(strstr(heard, wanted));
    assert_non_null(strstr(heard, "\r\nOrigin: https://example.com\r\n"));
    assert_non_null(strstr(heard, "\r\nSec-WebSocket-Protocol: chat, superchat\r\n"));
    assert_non_null(strstr(heard, "\r\nAuthorization: Basic QQ==\r\n"));
    assert_null(strstr(heard, "Sec-WebSocket-Extensions"));
}

/* Two interim answers, the 101, and a frame glued behind. */
static void an_answer_in_any_pieces(void **state)
{
    static const char answer[] =
        "HTTP/1.1 100 Continue\r\n\r\n"
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" BENCH_101 "\r\n\x82\x7e\x01\x00";
    size_t len = sizeof(answer) - 1 - 8 + 28, cut;

    (void)state;
    for (cut = 0; cut <= len; cut++) {
        bench.server.cut = cut;
        bench.server.is_bytewise = cut == len;
        run(answer, SCRIPTED_STAYS);
        assert_true(bench.seen.is_open);
        /* What has not come yet stays in the socket. */
        assert_true(bench.seen.early_len <= 4);
        assert_memory_equal(bench.seen.early, "\x82\x7e\x01\x00", bench.seen.early_len);
    }
    printf("%zu cuts\n", cut);
}

static void unix_sockets_and_ipv6(void **state)
{
    char path[64];

    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/connector-test-%d", (int)getpid());
    scripted_server_listen_unix(&bench.server, path);
    bench.options.unix_path = path;
    bench.options.url = "ws://example.com/x";
    run(BENCH_101 "\r\n", SCRIPTED_STAYS);
    assert_true(bench.seen.is_open);
    (void)unlink(path);
    run(BENCH_101 "\r\n", SCRIPTED_STAYS);
    assert_int_equal(bench.seen.system_error, ENOENT);
    assert_int_equal(bench.seen.step, DX_STEP_CONNECT);
    bench.options.unix_path = NULL;
    (void)scripted_server_listen(&bench.server, "::1", bench_port(&bench));
    bench.options.url = bench_url(&bench, "ws", "[::1]", "/x");
    run(BENCH_101 "\r\n", SCRIPTED_STAYS);
    assert_true(bench.seen.is_open);
}

static void an_overlong_unix_path_is_told(void **state)
{
    char path[200];

    (void)state;
    memset(path, 'a', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    bench.options.unix_path = path;
    run("", SCRIPTED_STAYS);
    expect_failure(DX_STEP_CONNECT, DX_ERR_USAGE, "the unix socket's path is too long");
}

/* ---- names and addresses ---- */

static void names_that_fail(void **state)
{
    (void)state;
    bench.options.url = bench_url(&bench, "ws", "some.name", "/");
    scripted_names_set(NULL, 0, EAI_NONAME);
    run("", SCRIPTED_STAYS);
    expect_failure(DX_STEP_RESOLVE, DX_ERR_RESOLVE, "some.name: Name or service not known");
    scripted_names_set(NULL, 0, EAI_MEMORY);
    run("", SCRIPTED_STAYS);
    expect_failure(DX_STEP_RESOLVE, DX_ERR_NOMEM, "some.name: Memory allocation failure");
}

static void do_nothing(void *data)
{
    (void)data;
}

/* Once the look-up is away: fills the queue, and waits until the look-up's thread has met that. */
static void fill_the_queue(void *data)
{
    const size_t *begun = data;
    size_t used = scripted_names_used();

    if (scripted_names_begun() == *begun) {
        assert_int_equal(dx_loop_post(bench.loop, fill_the_queue, data), DX_OK);
        return;
    }
    while (dx_loop_post(bench.loop, do_nothing, NULL) == DX_OK)
        ;
    scripted_names_let_go();
    while (scripted_names_used() == used)
        usleep(1000);
    usleep(50000);
}

/* The queue has no place for what was found: it is told when there is one again. */
static void a_name_found_while_the_queue_is_full(void **state)
{
    static const char *const addresses[] = {"127.0.0.1"};
    size_t begun = scripted_names_begun();

    (void)state;
    scripted_names_set(addresses, 1, 0);
    scripted_names_hold();
    bench.options.url = bench_url(&bench, "ws", "some.name", "/");
    assert_int_equal(dx_loop_post(bench.loop, fill_the_queue, &begun), DX_OK);
    run(BENCH_101 "\r\n", SCRIPTED_STAYS);
    assert_true(bench.seen.is_open);
}

static void a_dead_address_does_not_hold_up_the_others(void **state)
{
    static const char *const addresses[] = {"127.0.0.9", "127.0.0.1"};

    (void)state;
    scripted_names_set(addresses, 2, 0);
    bench.options.url = bench_url(&bench, "ws", "some.name", "/");
    run(BENCH_101 "\r\n", SCRIPTED_STAYS);
    assert_true(bench.seen.is_open);
    assert_string_equal(scripted_names_last(), "some.name");
}

static void run_socks5(const struct scripted_talk *talks, size_t count, const char *scheme)
{
    static struct dx_proxy proxy;
    const char *detail;
    char text[64];

    (void)snprintf(text, sizeof(text), "%s://127.0.0.1:%u", scheme, (unsigned)bench_port(&bench));
    assert_int_equal(dx_proxy_parse(text, &proxy, &detail), DX_OK);
    bench.options.proxy = &proxy;
    bench.options.url = "ws://far.name:81/";
    assert_int_equal(bench_run(&bench, talks, count), DX_OK);
}

/*
 * The proxy is told one address after the other, each on a connection of its own; a name it looks
 * up itself but once.
 */
static void addresses_that_a_proxy_cannot_reach(void **state)
{
    static const char *const addresses[] = {"2001:db8::1", "192.0.2.1", "192.0.2.2"};
    static const struct scripted_turn dead[] = {
        {.wait_len = 3, .say = "\x05\x00", .say_len = 2},
        {.wait_len = 10, .say = "\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00", .say_len = 10}};
    static const struct scripted_turn alive[] = {
        {.wait_len = 3, .say = "\x05\x00", .say_len = 2},
        {.wait_len = 10, .say = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", .say_len = 10},
        {.wait_for = "\r\n\r\n", .say = BENCH_101 "\r\n"}};
    static const struct scripted_turn forbidden[] = {
        {.wait_len = 3, .say = "\x05\x00", .say_len = 2},
        {.wait_len = 10, .say = "\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00", .say_len = 10}};
    const struct scripted_talk talks[] = {{dead, 2, SCRIPTED_STAYS, false, 0, false},
                                          {dead, 2, SCRIPTED_STAYS, false, 0, false},
                                          {alive, 3, SCRIPTED_STAYS, false, 0, false},
                                          {forbidden, 2, SCRIPTED_STAYS, false, 0, false}};

    (void)state;
    scripted_names_set(addresses, 3, 0);
    run_socks5(talks, 3, "socks5");
    assert_true(bench.seen.is_open);
    assert_int_equal(bench.server.connection_count, 3);
    assert_memory_equal(bench.server.connections[0].in + 3, "\x05\x01\x00\x04\x20\x01\x0d\xb8", 8);
    assert_memory_equal(bench.server.connections[1].in + 3,
                        "\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x51", 10);
    assert_memory_equal(bench.server.connections[2].in + 3,
                        "\x05\x01\x00\x01\xc0\x00\x02\x02\x00\x51", 10);
    scripted_server_restart(&bench.server);
    run_socks5(talks, 1, "socks5");
    expect_failure(DX_STEP_PROXY, DX_ERR_REFUSED, "the proxy cannot reach the host");
    assert_int_equal(bench.server.connection_count, 3);
    scripted_server_restart(&bench.server);
    run_socks5(talks, 1, "socks5h");
    expect_failure(DX_STEP_PROXY, DX_ERR_REFUSED, "the proxy cannot reach the host");
    assert_int_equal(bench.server.connection_count, 1);
    scripted_server_restart(&bench.server);
    run_socks5(&talks[3], 1, "socks5");
    expect_failure(DX_STEP_PROXY, DX_ERR_REFUSED, "the proxy's rules do not allow the connection");
    assert_int_equal(bench.server.connection_count, 1);
}

static void nobody_accepts(void **state)
{
    char detail[64], url[64];
    int port = bench_port(&bench);

    (void)state;
    scripted_server_end(&bench.server);
    (void)snprintf(url, sizeof(url), "ws://127.0.0.1:%d/", port);
    bench.options.url = url;
    run("", SCRIPTED_STAYS);
    (void)snprintf(detail, sizeof(detail), "127.0.0.1 port %d: Connection refused", port);
    expect_failure(DX_STEP_CONNECT, DX_ERR_CONNECT, detail);
    assert_int_equal(bench.seen.system_error, ECONNREFUSED);
}

/*
 * Where nobody listens, the system may give us that very port: TCP connects the socket to itself.
 */
static void a_socket_is_not_its_own_server(void **state)
{
    char detail[64], url[64];
    int port = bench_port(&bench);

    (void)state;
    scripted_server_end(&bench.server);
    (void)snprintf(url, sizeof(url), "ws://127.0.0.1:%d/", port);
    bench.options.url = url;
    failing_connecting_bind((uint16_t)port);
    run("", SCRIPTED_STAYS);
    failing_connecting_bind(0);
    (void)snprintf(detail, sizeof(detail), "127.0.0.1 port %d: Connection refused", port);
    expect_failure(DX_STEP_CONNECT, DX_ERR_CONNECT, detail);
}

/* ---- answers that refuse ---- */

static void a_refusal_is_told_with_its_headers_and_body(void **state)
{
    static const char answer[] =
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate:  Basic realm=\"x\" \r\n"
        "X-Empty:\r\nContent-Length: 5\r\n\r\nhellothere";

    (void)state;
    for (size_t cut = 0; cut <= sizeof(answer); cut++) {
        bench.server.cut = cut;
        bench.server.is_bytewise = cut == sizeof(answer);
        run(answer, SCRIPTED_STAYS);
        expect_refusal(401, "the server answered 401 Unauthorized", "hello");
        assert_int_equal(bench.seen.header_count, 3);
        assert_string_equal(bench.seen.headers,
                            "WWW-Authenticate: Basic realm=\"x\"\nX-Empty: \nContent-Length: 5\n");
    }
}

static void chunks_are_put_together(void **state)
{
    static const char answer[] = "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "3;x=y\r\nhel\r\n7\r\nlo you!\r\n0\r\nA: b\r\n\r\nnot this";

    (void)state;
    for (size_t cut = 0; cut <= sizeof(answer); cut++) {
        bench.server.cut = cut;
        bench.server.is_bytewise = cut == sizeof(answer);
        run(answer, SCRIPTED_STAYS);
        expect_refusal(503, "the server answered 503 Busy", "hello you!");
    }
}

static void bodies_end_as_they_say(void **state)
{
    static const struct {
        const char *answer;
        enum scripted_end end;
        uint16_t status;
        const char *detail;
        const char *body;
    } rows[] = {
        {"HTTP/1.1 400 Bad\r\n\r\nuntil the end", SCRIPTED_CLOSES, 400,
         "the server answered 400 Bad", "until the end"},
        {"HTTP/1.1 400 Bad\r\nContent-Length: 9\r\n\r\ncut", SCRIPTED_CLOSES, 400,
         "the server answered 400 Bad", "cut"},
        /* Without waiting: it stays open. */
        {"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", SCRIPTED_STAYS, 404,
         "the server answered 404", ""},
        {"HTTP/1.1 204 None\r\n\r\n", SCRIPTED_STAYS, 204, "the server answered 204 None", ""},
        {"HTTP/1.1 304 Same\r\nContent-Length: 7\r\n\r\n", SCRIPTED_STAYS, 304,
         "the server answered 304 Same", ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n", SCRIPTED_STAYS,
         200, "the server answered 200 OK", "ab"},
        /* Doubtful framing: as it comes. */
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 3\r\n\r\nabcd", SCRIPTED_CLOSES,
         200, "the server answered 200 OK", "abcd"},
        /* Nothing of its reason gets to a terminal as it is. */
        {"HTTP/1.1 500 \xe2\x80\xae\xff!\r\nContent-Length: 0\r\n\r\n", SCRIPTED_STAYS, 500,
         "the server answered 500 \?\?\?\?!", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bench.server.is_bytewise = i % 2 == 1;
        run(rows[i].answer, rows[i].end);
        expect_refusal(rows[i].status, rows[i].detail, rows[i].body);
    }
}

static void of_a_long_body_the_first_4_kib_are_told(void **state)
{
    static char answer[100000];
    static const char *const heads[] = {
        "HTTP/1.1 403 No\r\nContent-Length: 90000\r\n\r\n", "HTTP/1.1 403 No\r\n\r\n",
        "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n15F90\r\n"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(heads[i]);

        memcpy(answer, heads[i], len);
        memset(answer + len, 'x', 90000);
        assert_int_equal(bench_run_answer(&bench, answer, len + 90000, SCRIPTED_STAYS), DX_OK);
        assert_int_equal(bench.seen.http_status, 403);
        assert_int_equal(bench.seen.body_len, DX_CONNECTOR_BODY_MAX);
        assert_int_equal(bench.seen.body[DX_CONNECTOR_BODY_MAX - 1], 'x');
    }
}

/* A body that does not come is not waited for as long as a connection is. */
static void a_body_has_a_second(void **state)
{
    uint64_t begun_ms = dx_loop_now_ms(bench.loop);

    (void)state;
    bench.options.timeout_ms = 60000;
    run("HTTP/1.1 403 No\r\nContent-Length: 10\r\n\r\nhalf", SCRIPTED_STAYS);
    expect_refusal(403, "the server answered 403 No", "half");
    assert_true(dx_loop_now_ms(bench.loop) - begun_ms >= 1000);
}

static void no_answer(void **state)
{
    static const char gone[] = "the server closed the connection without an answer";

    (void)state;
    run("", SCRIPTED_CLOSES);
    expect_failure(DX_STEP_HANDSHAKE, DX_ERR_CLOSED, gone);
    run("HTTP/1.1 101 Swi", SCRIPTED_CLOSES);
    expect_failure(DX_STEP_HANDSHAKE, DX_ERR_CLOSED, gone);
    run("HTTP/1.1 101 Swi", SCRIPTED_RESETS);
    expect_failure(DX_STEP_HANDSHAKE, DX_ERR_RESET, gone);
    run("SSH-2.0-OpenSSH_9.2\r\n", SCRIPTED_STAYS);
    assert_int_equal(bench.seen.step, DX_STEP_HANDSHAKE);
    assert_int_equal(bench.seen.err, DX_ERR_PROTOCOL);
}

/* ---- the deadline ---- */

static void the_deadline_names_the_step(void **state)
{
    static const char *const addresses[] = {"127.0.0.1"};
    static const char late[] = "the connection did not open in time";
    struct dx_proxy proxy;
    const char *detail;
    char text[64];

    (void)state;
    bench.options.timeout_ms = 60;
    run("HTTP/1.1 100 Continue\r\n\r\n", SCRIPTED_STAYS);
    expect_failure(DX_STEP_HANDSHAKE, DX_ERR_TIMEOUT, late);
    scripted_names_hold();
    scripted_names_set(addresses, 1, 0);
    bench.options.url = bench_url(&bench, "ws", "some.name", "/");
    run("", SCRIPTED_STAYS);
    expect_failure(DX_STEP_RESOLVE, DX_ERR_TIMEOUT, late);
    (void)snprintf(text, sizeof(text), "http://127.0.0.1:%u", (unsigned)bench_port(&bench));
    assert_int_equal(dx_proxy_parse(text, &proxy, &detail), DX_OK);
    bench.options.proxy = &proxy;
    run("HTTP/1.1 200", SCRIPTED_STAYS);
    expect_failure(DX_STEP_PROXY, DX_ERR_TIMEOUT, late);
    (void)snprintf(text, sizeof(text), "http://proxy.name:%u", (unsigned)bench_port(&bench));
    assert_int_equal(dx_proxy_parse(text, &proxy, &detail), DX_OK);
    run("", SCRIPTED_STAYS);
    expect_failure(DX_STEP_PROXY, DX_ERR_TIMEOUT, late);
    scripted_names_let_go();
}

/* Its queue is full: the system drops what asks for more, as a dead host does. */
static void the_deadline_where_nobody_says_anything(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fds[4];
    char url[64];

    (void)state;
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fds[0], (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(fds[0], (struct sockaddr *)&at, &len), 0);
    assert_int_equal(listen(fds[0], 0), 0);
    for (int i = 1; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fds[i], (struct sockaddr *)&at, len);
    }
    (void)snprintf(url, sizeof(url), "ws://127.0.0.1:%u/", (unsigned)ntohs(at.sin_port));
    bench.options.url = url;
    bench.options.timeout_ms = 60;
    run("", SCRIPTED_STAYS);
    expect_failure(DX_STEP_CONNECT, DX_ERR_TIMEOUT, "the connection did not open in time");
    for (int i = 0; i < 4; i++)
        close(fds[i]);
}

/* ---- memory ---- */

#define MANY 60

static void on_nothing(void *user, const struct dx_opening *opening)
{
    (void)user;
    (void)opening;
    fail();
}

/*
 * With its request sent, and no answer. Sanitizers' allocators count nothing: there it only runs.
 */
static void a_connecting_socket_is_small(void **state)
{
    struct dx_connector *connectors[MANY];
    size_t before, begun, asking;

    (void)state;
    before = mallinfo2().uordblks;
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(dx_connector_start(&bench.options, on_nothing, NULL, &connectors[i]),
                         DX_OK);
    begun = mallinfo2().uordblks;
    for (int i = 0; i < 20; i++)
        assert_int_equal(dx_loop_dispatch(bench.loop), DX_OK);
    asking = mallinfo2().uordblks;
    printf("bytes a connecting socket: %zu at first, %zu when it has asked\n",
           (begun - before) / MANY, (asking - before) / MANY);
    assert_true((begun - before) / MANY <= 3000);
    assert_true((asking - before) / MANY <= 2500);
    for (size_t i = 0; i < MANY; i++)
        dx_connector_cancel(connectors[i]);
}

/* ---- cancelled ---- */

static void cancelled_at_each_turn_nothing_is_left(void **state)
{
    int before = bench_open_descriptors();
    bool was_cancelled = true;

    (void)state;
    for (bench.cancel_at = 1; was_cancelled; bench.cancel_at++) {
        bench.server.is_bytewise = true;
        run("HTTP/1.1 100 Continue\r\n\r\n" BENCH_101 "\r\n", SCRIPTED_STAYS);
        was_cancelled = bench.seen.calls == 0;
        assert_int_equal(bench_open_descriptors(), before);
    }
    assert_true(bench.cancel_at > 100);
    printf("%zu moments\n", bench.cancel_at - 1);
    dx_connector_cancel(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(it_asks_and_opens),
        TEST(an_answer_in_any_pieces),
        TEST(unix_sockets_and_ipv6),
        TEST(an_overlong_unix_path_is_told),
        TEST(names_that_fail),
        TEST(a_name_found_while_the_queue_is_full),
        TEST(a_dead_address_does_not_hold_up_the_others),
        TEST(addresses_that_a_proxy_cannot_reach),
        TEST(nobody_accepts),
        TEST(a_socket_is_not_its_own_server),
        TEST(a_refusal_is_told_with_its_headers_and_body),
        TEST(chunks_are_put_together),
        TEST(bodies_end_as_they_say),
        TEST(of_a_long_body_the_first_4_kib_are_told),
        TEST(a_body_has_a_second),
        TEST(no_answer),
        TEST(the_deadline_names_the_step),
        TEST(the_deadline_where_nobody_says_anything),
        TEST(a_connecting_socket_is_small),
        TEST(cancelled_at_each_turn_nothing_is_left),
    };

    return run_group(tests, NULL, NULL);
}
