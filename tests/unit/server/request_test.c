/*
 * request_test.c - what a route sees of a request, and answers that come later: early bytes,
 * pipelining, peers that go.
 */
#include "net/loop/loop.h"
#include "support/server/service.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "Host: localhost\r\n"
#define LATER "GET /later HTTP/1.1\r\n" HOST "\r\n"
#define PLAIN "GET /plain HTTP/1.1\r\n" HOST "\r\n"

static struct service service;
static struct answer answer;

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

static struct dx_request *keep(struct raw *raw, const char *text, size_t len)
{
    (void)raw_connect(raw, &service, false);
    assert_true(raw_send(raw, text, len, 0));
    assert_true(service_wait(&service, one_is_kept, NULL, PATIENCE_MS));
    return service.kept[--service.kept_count];
}

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user)
{
    (void)user;
    assert_int_equal(dx_connection_send(connection, opcode, data, len), DX_OK);
}

static const struct dx_connection_handlers handlers = {.size = sizeof(handlers),
                                                       .on_message = on_message};

static int set_up(void **state)
{
    struct service_setup setup = service_setup_init();

    (void)state;
    return !service_start(&service, &setup);
}

static int tear_down(void **state)
{
    (void)state;
    service_stop(&service);
    return 0;
}

static void test_accessors(void **state)
{
    static const struct dx_header header = {"X-Mine", "yes"};
    static const char text[] = "GET /later/a%20b?x=1&y HTTP/1.1\r\nHost: LOCALHOST:81\r\n"
                               "X-One: 1\r\nX-Two: a\r\nX-Two: b\r\nX-Empty:\r\n\r\n";
    const char *name, *value;
    size_t name_len, value_len;
    struct dx_request *request;
    struct raw raw;

    (void)state;
    request = keep(&raw, text, strlen(text));
    assert_false(dx_request_is_upgrade(request));
    assert_string_equal(dx_request_method(request), "GET");
    assert_string_equal(dx_request_target(request), "/later/a%20b?x=1&y");
    assert_string_equal(dx_request_path(request), "/later/a b");
    assert_string_equal(dx_request_query(request), "x=1&y");
    assert_string_equal(dx_request_route_path(request), "/later");
    assert_string_equal(dx_request_header(request, "x-one"), "1");
    assert_string_equal(dx_request_header(request, "X-Two"), "a, b");
    assert_string_equal(dx_request_header(request, "X-Empty"), "");
    assert_null(dx_request_header(request, "X-None"));
    assert_true(dx_request_header_at(request, 1, &name, &name_len, &value, &value_len));
    assert_string_equal(name, "X-One");
    assert_int_equal(name_len, 5);
    assert_string_equal(value, "1");
    assert_int_equal(value_len, 1);
    assert_true(dx_request_header_at(request, 4, &name, &name_len, &value, &value_len));
    assert_false(dx_request_header_at(request, 5, &name, &name_len, &value, &value_len));
    assert_false(dx_request_header_at(request, SIZE_MAX, &name, &name_len, &value, &value_len));
    assert_string_equal(dx_request_peer_host(request), "127.0.0.1");
    assert_int_not_equal(dx_request_peer_port(request), 0);
    assert_string_equal(dx_request_server_host(request), "localhost");
    assert_int_equal(dx_request_server_port(request), 81);
    assert_false(dx_request_is_tls(request));
    assert_null(dx_request_subprotocol(request));
    assert_ptr_equal(dx_request_loop(request), service.loop);
    assert_ptr_equal(dx_request_server(request), service.server);
    dx_request_respond(request, 204, NULL, &header, 1, NULL, 0);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 204);
    assert_true(answer_has(&answer, "X-Mine: yes"));
    assert_null(strstr(answer.head, "Content-Length"));
    raw_close(&raw);
}

/* Requests that come while one is decided wait and are answered in their order. */
static void test_pipelined_behind_a_later_answer(void **state)
{
    struct dx_request *request;
    struct raw raw;

    (void)state;
    request = keep(&raw, LATER PLAIN LATER PLAIN, strlen(LATER PLAIN LATER PLAIN));
    service_turn(&service, 20);
    assert_int_equal(raw.len, 0);
    dx_request_respond(request, 200, "text/plain", NULL, 0, "1", 1);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_memory_equal(answer.body, "1", 1);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_memory_equal(answer.body, "hello\n", 6);
    assert_true(service_wait(&service, one_is_kept, NULL, PATIENCE_MS));
    dx_request_refuse(service.kept[--service.kept_count], 404, "not today", NULL, 0);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 404);
    assert_memory_equal(answer.body, "404 Not Found: not today\n", 25);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_memory_equal(answer.body, "hello\n", 6);
    assert_int_equal(dx_loop_pool(service.loop)->used_len, 0);
    raw_close(&raw);
}

/* The answer comes after the head was sent in pieces, so nothing of it lies in the read buffer. */
static void test_accepted_later_with_frames_waiting(void **state)
{
    struct dx_connection *connection;
    uint8_t bytes[1024];
    size_t len = upgrade_write((char *)bytes, sizeof(bytes), &service, "/later", "");
    struct dx_request *request;
    struct raw raw;

    (void)state;
    len += frame_write(bytes + len, 0x81, "one", 3);
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send(&raw, bytes, len, 1));
    assert_true(service_wait(&service, one_is_kept, NULL, PATIENCE_MS));
    len = frame_write(bytes, 0x81, "two", 3);
    assert_true(raw_send(&raw, bytes, len, 1));
    service_turn(&service, 20);
    request = service.kept[--service.kept_count];
    assert_true(dx_request_is_upgrade(request));
    assert_int_equal(dx_request_accept(request, &handlers, &service, &connection), DX_OK);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 101);
    assert_true(raw_wait_len(&raw, 10));
    assert_memory_equal(raw.in, "\x81\x03one\x81\x03two", 10);
    raw_consume(&raw, 10);
    assert_true(raw_echo(&raw, "three"));
    dx_connection_abort(connection, DX_ERR_CLOSED, "test");
    assert_true(raw_wait_end(&raw));
    raw_close(&raw);
}

/*
 * A peer that is always some requests ahead: what was used of the bytes that wait makes room for
 * what comes.
 */
static void test_always_ahead(void **state)
{
    struct dx_request *request;
    struct raw raw;

    (void)state;
    request = keep(&raw, LATER LATER, strlen(LATER LATER));
    for (int i = 0; i < 500; i++) {
        assert_true(raw_send(&raw, LATER, strlen(LATER), 0));
        service_turn(&service, 0);
        dx_request_respond(request, 200, "text/plain", NULL, 0, "", 0);
        assert_true(raw_wait_answer(&raw, &answer, false));
        assert_true(service_wait(&service, one_is_kept, NULL, PATIENCE_MS));
        request = service.kept[--service.kept_count];
    }
    assert_in_range(dx_loop_pool(service.loop)->used_len, 1, 4096);
    dx_request_respond(request, 200, "text/plain", NULL, 0, "", 0);
    assert_true(raw_wait_answer(&raw, &answer, false));
    raw_close(&raw);
}

static const struct linger reset = {1, 0};

/*
 * Of what comes before the decision 64 KiB are kept; then the peer waits. That it is gone is still
 * seen, where the network tells: a reset overtakes what waits, an end of stream cannot. */
static void test_early_bytes_have_a_bound(void **state)
{
    static uint8_t bytes[4 * 1024 * 1024];
    size_t len = upgrade_write((char *)bytes, sizeof(bytes), &service, "/later", "");
    struct dx_request *request;
    struct raw raw;
    size_t put = 0;

    (void)state;
    request = keep(&raw, (char *)bytes, len);
    (void)request;
    service.kept_count++;
    for (int i = 0; i < 200; i++) {
        ssize_t now = send(raw.fd, bytes, sizeof(bytes) - put, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (now > 0)
            put += (size_t)now;
        service_turn(&service, 0);
    }
    assert_true(put > 65536);
    assert_in_range(dx_loop_pool(service.loop)->used_len, 65536, 3 * 65536);
    (void)setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    raw_close(&raw);
    assert_true(service_wait(&service, one_is_abandoned, NULL, PATIENCE_MS));
    assert_int_equal(dx_loop_pool(service.loop)->used_len, 0);
}

static void test_peer_goes_before_the_answer(void **state)
{
    char text[512];
    size_t len = upgrade_write(text, sizeof(text), &service, "/later", "");
    struct raw raw;

    (void)state;
    for (int i = 0; i < 2; i++) {
        (void)keep(&raw, text, len);
        service.kept_count++;
        if (i == 1)
            (void)setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        raw_close(&raw);
        assert_true(service_wait(&service, one_is_abandoned, NULL, PATIENCE_MS));
        assert_int_equal(service.kept_count, 0);
        service.abandoned_count = 0;
    }
}

static void test_wrong_use(void **state)
{
    static const struct dx_connection_handlers no_size = {.on_message = on_message};
    static const struct dx_header injected = {"X", "a\r\n\r\nHTTP/1.1 200 OK"};
    struct dx_connection *connection;
    char upgrade[512];
    struct dx_request *request;
    struct raw raw;

    (void)state;
    request = keep(&raw, LATER, strlen(LATER));
    assert_int_equal(dx_request_accept(request, &handlers, &service, &connection), DX_ERR_STATE);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 500);
    raw_close(&raw);
    request = keep(&raw, upgrade, upgrade_write(upgrade, sizeof(upgrade), &service, "/later", ""));
    assert_int_equal(dx_request_accept(request, &no_size, &service, &connection), DX_ERR_USAGE);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 500);
    raw_close(&raw);
    request = keep(&raw, LATER, strlen(LATER));
    dx_request_respond(request, 200, "text/plain", &injected, 1, "x", 1);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 500);
    assert_true(raw_wait_end(&raw));
    assert_int_equal(raw.len, 0);
    raw_close(&raw);
}

/* More than the network takes at once: it waits, and the next request's answer behind it. */
static void test_large_body(void **state)
{
    static uint8_t body[12 * 1024 * 1024];
    struct dx_request *request;
    struct raw raw;
    size_t at = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = (uint8_t)(i * 7 + i / 251);
    request = keep(&raw, LATER PLAIN, strlen(LATER PLAIN));
    dx_request_respond(request, 200, "application/octet-stream", NULL, 0, body, sizeof(body));
    assert_true(raw_wait_answer(&raw, &answer, true));
    assert_true(answer_has(&answer, "Content-Length: 12582912"));
    while (at < sizeof(body)) {
        size_t now = sizeof(body) - at;

        assert_true(raw_wait_len(&raw, 1));
        now = raw.len < now ? raw.len : now;
        assert_memory_equal(raw.in, body + at, now);
        raw_consume(&raw, now);
        at += now;
    }
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_memory_equal(answer.body, "hello\n", 6);
    assert_int_equal(dx_loop_pool(service.loop)->used_len, 0);
    raw_close(&raw);
}

static void test_unusual_requests(void **state)
{
    static const struct {
        const char *text;
        unsigned status;
    } table[] = {
        {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 404},
        {"GET /plain HTTP/1.1\r\n" HOST "Expect: miracles\r\n\r\n", 417},
        {"POST /plain HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {"GET /plain HTTP/1.0\r\n" HOST "\r\n", 200},
        {"GET /plain HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 200},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct raw raw;

        (void)raw_connect(&raw, &service, false);
        assert_true(raw_send_text(&raw, table[i].text));
        assert_true(raw_wait_answer(&raw, &answer, false));
        assert_int_equal(answer.status, table[i].status);
        assert_true(answer_has(&answer, "Connection: close"));
        assert_true(raw_wait_end(&raw));
        assert_int_equal(raw.len, 0);
        raw_close(&raw);
    }
}

static void test_routes(void **state)
{
    static const struct {
        const char *path;
        unsigned status;
    } table[] = {{"/plain", 200},   {"/plain/", 200}, {"/plain/below", 200},
                 {"/plainer", 426}, {"/", 426},       {"/%70lain", 200}};
    struct raw raw;

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[128];

        (void)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n", table[i].path);
        (void)raw_connect(&raw, &service, false);
        assert_true(raw_send_text(&raw, text));
        assert_true(raw_wait_answer(&raw, &answer, false));
        assert_int_equal(answer.status, table[i].status);
        raw_close(&raw);
    }
}

static void nothing(struct dx_request *request, void *user)
{
    (void)user;
    dx_request_respond(request, 200, NULL, NULL, 0, NULL, 0);
}

static void test_route_table(void **state)
{
    const struct dx_route plain = {
        .size = sizeof(plain), .on_request = nothing, .wants_plain = true};
    const struct dx_route upgrades = {
        .size = sizeof(upgrades), .on_request = nothing, .wants_upgrades = true};
    const struct dx_route neither = {.size = sizeof(neither), .on_request = nothing};
    struct dx_server *server;
    struct dx_loop *loop;
    char why[128];

    (void)state;
    assert_int_equal(dx_loop_new(&loop), DX_OK);
    assert_int_equal(dx_server_new(loop, NULL, &server), DX_OK);
    assert_int_equal(dx_server_route(server, "a", &plain), DX_ERR_USAGE);
    assert_int_equal(dx_server_route(server, "/a", &neither), DX_ERR_USAGE);
    assert_int_equal(dx_server_route(server, "/a", &plain), DX_OK);
    assert_int_equal(dx_server_route(server, "/a/", &plain), DX_ERR_USAGE);
    assert_int_equal(dx_server_route(server, "/a", &upgrades), DX_OK);
    assert_int_equal(dx_server_route_files(server, "/b", "/does/not/exist", NULL),
                     DX_ERR_NOT_FOUND);
    assert_int_equal(dx_server_route_files(server, "/a", "/", NULL), DX_ERR_USAGE);
    assert_int_equal(dx_server_listen(server, "nonsense", NULL, why, sizeof(why)), DX_ERR_USAGE);
    assert_true(strlen(why) > 0);
    assert_int_equal(dx_server_listen(server, "0", NULL, why, sizeof(why)), DX_OK);
    assert_non_null(dx_server_url(server, 1));
    assert_null(dx_server_url(server, 2));
    assert_memory_equal(dx_server_url(server, 0), "http://127.0.0.1:", 17);
    assert_memory_equal(dx_server_url(server, 1), "http://[::1]:", 13);
    assert_int_equal(dx_server_route(server, "/c", &plain), DX_ERR_STATE);
    dx_server_free(server);
    dx_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_accessors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pipelined_behind_a_later_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_accepted_later_with_frames_waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_always_ahead, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_early_bytes_have_a_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_peer_goes_before_the_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unusual_requests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_routes, set_up, tear_down),
        cmocka_unit_test(test_route_table),
    };

    return run_group(tests, NULL, NULL);
}
