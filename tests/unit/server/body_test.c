/*
 * body_test.c - requests with bodies: of a known length, in chunks, too long, too slow, broken (row
 * 69), one behind the other; each whole, byte by byte and cut at each position.
 */
#include "body_rows.h"
#include "net/loop/loop.h"
#include "support/server/service.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
#define MAX_BODY 100000
#define TIMEOUT_MS 150

static struct service service;
static struct answer answer;

/* ---- routes ---- */

static void on_echo(struct dx_request *request, void *user)
{
    size_t len;
    const char *body = dx_request_body(request, &len);

    (void)user;
    assert_int_equal(body[len], 0);
    dx_request_respond(request, 200, "application/octet-stream", NULL, 0, body, len);
}

static void on_plain(struct dx_request *request, void *user)
{
    size_t len = 1;

    (void)user;
    assert_string_equal(dx_request_body(request, &len), "");
    assert_int_equal(len, 0);
    dx_request_respond(request, 200, "text/plain", NULL, 0, "hello\n", 6);
}

static void on_later(struct dx_request *request, void *user)
{
    (void)user;
    service.kept[service.kept_count++] = request;
}

static void on_abandoned(struct dx_request *request, void *user)
{
    (void)request;
    (void)user;
    service.kept_count = 0;
    service.abandoned_count++;
}

static bool add_routes(struct service *started, void *data)
{
    static struct dx_connection_options slow;
    struct dx_route route = dx_route_init();
    bool is_right;

    (void)data;
    slow = dx_connection_options_init();
    slow.message_timeout_ms = TIMEOUT_MS;
    route.wants_plain = true;
    route.on_request = on_plain;
    is_right = dx_server_route(started->server, "/plain", &route) == DX_OK;
    route.on_request = on_echo;
    route.max_body = MAX_BODY;
    is_right = dx_server_route(started->server, "/echo", &route) == DX_OK && is_right;
    route.max_body = SIZE_MAX;
    is_right = dx_server_route(started->server, "/any", &route) == DX_OK && is_right;
    route.max_body = 5;
    is_right = dx_server_route(started->server, "/five", &route) == DX_OK && is_right;
    route.methods = "POST";
    is_right = dx_server_route(started->server, "/post", &route) == DX_OK && is_right;
    route.max_body = MAX_BODY;
    route.connection = &slow;
    is_right = dx_server_route(started->server, "/slow", &route) == DX_OK && is_right;
    route.on_request = on_later;
    route.on_abandoned = on_abandoned;
    return dx_server_route(started->server, "/later", &route) == DX_OK && is_right;
}

static int start(uint64_t max_memory)
{
    struct service_setup setup = service_setup_init();

    setup.prepare = add_routes;
    if (max_memory > 0)
        setup.options.max_memory = max_memory;
    return !service_start(&service, &setup);
}

static int set_up(void **state)
{
    (void)state;
    return start(0);
}

static int tear_down(void **state)
{
    (void)state;
    service_stop(&service);
    return 0;
}

static void expect_nothing_left(void)
{
    service_turn(&service, 5);
    assert_int_equal(dx_loop_pool(service.loop)->used_len, 0);
}

/* `cut` 0: byte by byte. */
static void send_cut(struct raw *raw, const char *text, size_t len, size_t cut)
{
    (void)raw_connect(raw, &service, false);
    if (cut == 0) {
        assert_true(raw_send(raw, text, len, 1));
        return;
    }
    assert_true(raw_send(raw, text, cut, cut < len ? cut : 0));
    assert_true(raw_send(raw, text + cut, len - cut, 0));
}

static void expect_body(struct raw *raw, unsigned status, const char *body, size_t len)
{
    assert_true(raw_wait_answer(raw, &answer, false));
    assert_int_equal(answer.status, status);
    assert_int_equal(answer.body_len, len);
    assert_memory_equal(answer.body, body, len);
}

/* ---- in order ---- */

/* Bodies of all kinds and what comes behind each, as one stream. */
static void test_pipelined_in_every_cut(void **state)
{
    static const char text[] =
        POST "Content-Length: 5\r\n\r\nhello" PLAIN CHUNKED
             "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nSum: 1\r\n\r\n" PLAIN POST
             "Content-Length: 0\r\n\r\n" CHUNKED "0\r\n\r\n" POST "\r\n"
             "PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\nConnection: close\r\n\r\nlast";
    size_t len = strlen(text);

    (void)state;
    for (size_t cut = 0; cut <= len; cut++) {
        struct raw raw;

        send_cut(&raw, text, len, cut);
        expect_body(&raw, 200, "hello", 5);
        assert_true(answer_has(&answer, "Connection: keep-alive"));
        expect_body(&raw, 200, "hello\n", 6);
        expect_body(&raw, 200, "abcdefg", 7);
        assert_true(answer_has(&answer, "Connection: keep-alive"));
        expect_body(&raw, 200, "hello\n", 6);
        expect_body(&raw, 200, "", 0);
        expect_body(&raw, 200, "", 0);
        expect_body(&raw, 200, "", 0);
        expect_body(&raw, 200, "last", 4);
        assert_true(answer_has(&answer, "Connection: close"));
        assert_true(raw_wait_end(&raw));
        assert_int_equal(raw.len, 0);
        assert_false(raw.is_reset);
        raw_close(&raw);
    }
    print_message("%zu cuts\n", len + 1);
    expect_nothing_left();
}

static void fill(char *body, size_t len)
{
    for (size_t i = 0; i < len; i++)
        body[i] = (char)(i * 31 + i / 253);
}

/* As large as is allowed: it comes in several reads, and grows. */
static void test_largest(void **state)
{
    static char body[MAX_BODY + 1], text[2 * MAX_BODY];
    struct raw raw;
    size_t len;

    (void)state;
    fill(body, sizeof(body));
    for (size_t chunk_len = 0; chunk_len < 80000; chunk_len = chunk_len * 9 + 7) {
        if (chunk_len == 0) {
            len = (size_t)sprintf(text, POST "Content-Length: %d\r\n\r\n", MAX_BODY);
            memcpy(text + len, body, MAX_BODY);
            len += MAX_BODY;
        } else {
            len = (size_t)sprintf(text, CHUNKED);
            for (size_t at = 0; at < MAX_BODY; at += chunk_len) {
                size_t now = MAX_BODY - at < chunk_len ? MAX_BODY - at : chunk_len;

                len += (size_t)sprintf(text + len, "%zx\r\n", now);
                memcpy(text + len, body + at, now);
                len += now;
                len += (size_t)sprintf(text + len, "\r\n");
            }
            len += (size_t)sprintf(text + len, "0\r\n\r\n");
        }
        (void)raw_connect(&raw, &service, false);
        assert_true(raw_send(&raw, text, len, 7777));
        assert_true(raw_wait_answer(&raw, &answer, true));
        assert_int_equal(answer.status, 200);
        assert_true(raw_wait_len(&raw, MAX_BODY));
        assert_memory_equal(raw.in, body, MAX_BODY);
        raw_close(&raw);
    }
    expect_nothing_left();
}

/* It is kept for later with its body, and goes with it when the peer goes. */
static bool one_is_kept(void *data)
{
    (void)data;
    return service.kept_count == 1;
}

static bool one_is_abandoned(void *data)
{
    (void)data;
    return service.abandoned_count == 1;
}

static void test_decided_later(void **state)
{
    static const char text[] = "POST /later HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc" PLAIN;
    const char *body;
    struct raw raw;
    size_t len;

    (void)state;
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send(&raw, text, strlen(text), 1));
    assert_true(service_wait(&service, one_is_kept, NULL, PATIENCE_MS));
    service_turn(&service, TIMEOUT_MS * 2); /* the body's deadline is over */
    body = dx_request_body(service.kept[0], &len);
    assert_int_equal(len, 3);
    assert_string_equal(body, "abc");
    service.kept_count = 0;
    dx_request_respond(service.kept[0], 201, "text/plain", NULL, 0, body, len);
    expect_body(&raw, 201, "abc", 3);
    expect_body(&raw, 200, "hello\n", 6);
    assert_true(raw_send_text(&raw, text));
    assert_true(service_wait(&service, one_is_kept, NULL, PATIENCE_MS));
    raw_close(&raw);
    assert_true(service_wait(&service, one_is_abandoned, NULL, PATIENCE_MS));
    expect_nothing_left();
}

/* ---- 100 ---- */

static void test_continue(void **state)
{
    struct raw raw;

    (void)state;
    (void)raw_connect(&raw, &service, false);
    for (int i = 0; i < 2; i++) {
        assert_true(raw_send_text(&raw, POST "Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n"));
        assert_true(raw_wait_len(&raw, strlen(CONTINUE)));
        assert_int_equal(raw.len, strlen(CONTINUE));
        assert_memory_equal(raw.in, CONTINUE, strlen(CONTINUE));
        raw_consume(&raw, raw.len);
        assert_true(raw_send_text(&raw, "hello"));
        expect_body(&raw, 200, "hello", 5);
    }
    /* Who has begun to send does not wait for it. */
    assert_true(raw_send_text(&raw, POST "Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhe"));
    service_turn(&service, 10);
    assert_true(raw_send_text(&raw, "llo"));
    expect_body(&raw, 200, "hello", 5);
    /* Nor HTTP/1.0, which does not know it, nor who sends nothing. */
    assert_true(raw_send_text(&raw, POST "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n"));
    expect_body(&raw, 200, "", 0);
    assert_true(raw_send_text(&raw, "POST /echo HTTP/1.0\r\n" HOST
                                    "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
    service_turn(&service, 10);
    assert_int_equal(raw.len, 0);
    assert_true(raw_send_text(&raw, "hello"));
    expect_body(&raw, 200, "hello", 5);
    raw_close(&raw);
    expect_nothing_left();
}

/* Refused at once: no body is asked for. */
static void test_no_continue_when_refused(void **state)
{
    static const struct {
        const char *request;
        unsigned status;
    } table[] = {
        {"POST /five HTTP/1.1\r\n" HOST "Content-Length: 6\r\nExpect: 100-continue\r\n\r\n", 413},
        {"PUT /post HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n", 405},
        {"PUT /none HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n", 404},
        {"PUT /plain HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n", 200},
        {"PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 200-ok\r\n\r\n", 417},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct raw raw;

        (void)raw_connect(&raw, &service, false);
        assert_true(raw_send_text(&raw, table[i].request));
        assert_true(raw_wait_answer(&raw, &answer, false));
        assert_int_equal(answer.status, table[i].status);
        assert_true(answer_has(&answer, "Connection: close"));
        assert_true(table[i].status != 405 || answer_has(&answer, "Allow: POST"));
        assert_true(raw_wait_end(&raw));
        assert_int_equal(raw.len, 0);
        raw_close(&raw);
    }
    expect_nothing_left();
}

/* ---- what breaks a rule: one row a rule ---- */

static void check_row(const struct row *row, const char *text, size_t len, size_t cut)
{
    size_t log_count = service.log_count;
    struct raw raw;

    send_cut(&raw, text, len, cut);
    if (!raw_wait_answer(&raw, &answer, false))
        fail_msg("%s: no answer", row->name);
    if (answer.status != row->status)
        fail_msg("%s: %u instead of %u", row->name, answer.status, row->status);
    assert_true(answer_has(&answer, "Connection: close"));
    if (!raw_wait_end(&raw) || raw.is_reset || raw.len != 0)
        fail_msg("%s: %zu more bytes, ended %d, reset %d", row->name, raw.len, raw.is_ended,
                 raw.is_reset);
    raw_close(&raw);
    if (service.log_count != log_count + 1)
        fail_msg("%s: %zu log lines", row->name, service.log_count - log_count);
}

static void test_row_69(void **state)
{
    static char text[MADE_ROOM];
    size_t count = sizeof(rows) / sizeof(rows[0]), sent = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        size_t len = rows[i].make != NULL ? rows[i].make(text) : strlen(rows[i].request);

        if (rows[i].make == NULL)
            memcpy(text, rows[i].request, len);
        memcpy(text + len, PLAIN, strlen(PLAIN));
        len += strlen(PLAIN);
        for (size_t cut = rows[i].make == NULL ? 0 : len; cut <= len; cut++, sent++)
            check_row(&rows[i], text, len, cut);
    }
    print_message("%zu rows, sent %zu times\n", count, sent);
    expect_nothing_left();
}

/* Handshakes with a body stay refused, also where bodies are read. */
static void test_no_body_for_a_websocket(void **state)
{
    char text[1024];
    struct raw raw;
    size_t len = upgrade_write(text, sizeof(text), &service, "/echo", "Content-Length: 3\r\n");

    (void)state;
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send(&raw, text, len, 0));
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 404); /* there is no WebSocket */
    assert_true(raw_wait_end(&raw));
    raw_close(&raw);
    expect_nothing_left();
}

/* ---- slow and greedy peers ---- */

/* 1 byte every 10 ms is no progress. */
static void test_drip(void **state)
{
    static const char *const heads[] = {
        "POST /slow HTTP/1.1\r\n" HOST "Content-Length: 50000\r\n\r\n",
        "POST /slow HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nC350;",
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint64_t begin_ms = clock_ms();
        struct raw raw;

        (void)raw_connect(&raw, &service, false);
        assert_true(raw_send_text(&raw, heads[i]));
        while (raw.len == 0 && clock_ms() < begin_ms + PATIENCE_MS) {
            (void)raw_send_text(&raw, "x");
            service_turn(&service, 10);
            (void)raw_wait_len(&raw, 0);
        }
        assert_true(raw.len > 0);
        assert_true(clock_ms() >= begin_ms + TIMEOUT_MS - 1);
        assert_true(raw_wait_answer(&raw, &answer, false));
        assert_int_equal(answer.status, 408);
        assert_true(answer_has(&answer, "Connection: close"));
        raw_close(&raw);
        service_turn(&service, 5);
    }
    expect_nothing_left();
}

/* Who sends enough in each span may take longer than one. */
static void test_slow_but_steady(void **state)
{
    static char piece[20000];
    struct raw raw;

    (void)state;
    memset(piece, 'x', sizeof(piece));
    (void)raw_connect(&raw, &service, false);
    assert_true(
        raw_send_text(&raw, "POST /slow HTTP/1.1\r\n" HOST "Content-Length: 80000\r\n\r\n"));
    for (int i = 0; i < 4; i++) {
        service_turn(&service, TIMEOUT_MS * 3 / 4);
        assert_true(raw_send(&raw, piece, sizeof(piece), 0));
    }
    assert_true(raw_wait_answer(&raw, &answer, true));
    assert_int_equal(answer.status, 200);
    raw_close(&raw);
    expect_nothing_left();
}

/* Announced, and never sent: costs next to nothing. */
static void test_announced_only(void **state)
{
    struct raw raws[20];

    (void)state;
    for (size_t i = 0; i < 20; i++) {
        (void)raw_connect(&raws[i], &service, false);
        assert_true(raw_send_text(&raws[i], "POST /any HTTP/1.1\r\n" HOST
                                            "Content-Length: 9000000000000000000\r\n\r\nx"));
    }
    service_turn(&service, 20);
    assert_in_range(dx_loop_pool(service.loop)->used_len, 20, 20 * 8192);
    for (size_t i = 0; i < 20; i++)
        raw_close(&raws[i]);
    service_turn(&service, 20);
    assert_int_equal(dx_loop_pool(service.loop)->used_len, 0);
    expect_nothing_left();
}

/* Bodies count against --max-memory; a peer that brings more is told to come again. */
static void test_short_of_memory(void **state)
{
    static char body[300000];
    char head[128];
    struct raw raw;

    (void)state;
    service_stop(&service);
    assert_int_equal(start(200000), 0);
    for (int is_chunked = 0; is_chunked < 2; is_chunked++) {
        (void)raw_connect(&raw, &service, false);
        (void)snprintf(head, sizeof(head), "POST /any HTTP/1.1\r\n" HOST "%s",
                       is_chunked ? "Transfer-Encoding: chunked\r\n\r\n493e0\r\n"
                                  : "Content-Length: 300000\r\n\r\n");
        assert_true(raw_send_text(&raw, head));
        assert_true(raw_send(&raw, body, sizeof(body), 0));
        assert_true(raw_wait_answer(&raw, &answer, false));
        assert_int_equal(answer.status, 503);
        assert_true(answer_has(&answer, "Retry-After: 1"));
        assert_true(raw_wait_end(&raw));
        raw_close(&raw);
    }
    expect_nothing_left();
}

/* Many bodies that never end leave an eighth to those who are there already. */
static void test_bodies_leave_an_eighth(void **state)
{
    static char body[20000];
    struct raw raws[60];
    unsigned refused = 0;

    (void)state;
    service_stop(&service);
    assert_int_equal(start(800000), 0);
    for (size_t i = 0; i < 60; i++) {
        (void)raw_connect(&raws[i], &service, false);
        assert_true(raw_send_text(&raws[i],
                                  "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 60000\r\n\r\n"));
        (void)raw_send(&raws[i], body, sizeof(body), 0);
        service_turn(&service, 1);
        assert_true(dx_loop_pool(service.loop)->used_len < 700000 + 40000);
    }
    for (size_t i = 0; i < 60; i++) {
        if (!raw_wait_len(&raws[i], 0) || raws[i].len == 0)
            continue;
        assert_true(raw_wait_answer(&raws[i], &answer, false));
        assert_int_equal(answer.status, 503);
        refused++;
    }
    assert_in_range(refused, 10, 50);
    for (size_t i = 0; i < 60; i++)
        raw_close(&raws[i]);
    expect_nothing_left();
}

static void test_gone_inside_a_body(void **state)
{
    struct raw raw;

    (void)state;
    for (int i = 0; i < 2; i++) {
        const struct linger reset = {1, 0};

        (void)raw_connect(&raw, &service, false);
        assert_true(raw_send_text(&raw, POST "Content-Length: 5\r\n\r\nhel"));
        service_turn(&service, 10);
        assert_true(dx_loop_pool(service.loop)->used_len > 0);
        if (i == 1)
            (void)setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        raw_close(&raw);
        service_turn(&service, 20);
        assert_int_equal(dx_loop_pool(service.loop)->used_len, 0);
    }
    expect_nothing_left();
}

static void on_closed(void *user)
{
    (void)user;
    service.is_closed = true;
}

static bool has_closed(void *data)
{
    (void)data;
    return service.is_closed;
}

static void test_server_ends_inside_a_body(void **state)
{
    struct raw raw;

    (void)state;
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, POST "Content-Length: 5\r\n\r\nhel"));
    service_turn(&service, 10);
    dx_server_close(service.server, 0, on_closed, NULL);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 503);
    assert_true(answer_has(&answer, "Retry-After: 1"));
    raw_close(&raw);
    assert_true(service_wait(&service, has_closed, NULL, PATIENCE_MS));
    expect_nothing_left();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pipelined_in_every_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_largest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_decided_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_continue, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_continue_when_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_row_69, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_body_for_a_websocket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_drip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_but_steady, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_announced_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_short_of_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bodies_leave_an_eighth, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gone_inside_a_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_server_ends_inside_a_body, set_up, tear_down),
    };

    return run_group(tests, NULL, NULL);
}
