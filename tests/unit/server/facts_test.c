/*
 * facts_test.c - what a request with everything says: parts of its path, query, cookies, offered
 * subprotocols; and what an application settles before it answers: the subprotocol, more headers,
 * on every kind of answer.
 */
#include "connection/connection.h"
#include "support/server/service.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST "Host: localhost\r\n"

static struct service service;
static struct answer answer;
static size_t abandoned_answers;

/* ---- routes: all keep their requests ---- */

static void on_request(struct dx_request *request, void *user)
{
    (void)user;
    service.kept[service.kept_count++] = request;
}

static const struct dx_response_handlers handlers = {.size = sizeof(handlers)};

/* Too late for any answer. */
static void on_abandoned(struct dx_request *request, void *user)
{
    struct dx_response_options options = dx_response_options_init();
    struct dx_connection *connection;
    struct dx_response *response;

    (void)user;
    options.len = 0;
    options.handlers = &handlers;
    assert_int_equal(dx_request_respond_in_pieces(request, &options, &response), DX_ERR_CLOSED);
    assert_int_equal(dx_request_accept(request, NULL, NULL, &connection), DX_ERR_CLOSED);
    dx_request_respond(request, 200, NULL, NULL, 0, NULL, 0);
    dx_request_refuse(request, 403, "no", NULL, 0);
    abandoned_answers++;
}

static bool add_routes(struct service *started, void *data)
{
    static const struct {
        const char *path, *methods;
        bool wants_upgrades, is_exact;
    } routes[] = {
        {"/", NULL, true, false},
        {"/users/:id", "GET", false, true},
        {"/users/:id/posts/:post", "GET, DELETE", false, false},
        {"/users/me", "PUT", false, true},
        {"/get", "GET", true, false},
        {"/get", "POST", false, true},
    };

    (void)data;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        struct dx_route route = dx_route_init();

        route.on_request = on_request;
        route.on_abandoned = on_abandoned;
        route.methods = routes[i].methods;
        route.wants_plain = true;
        route.wants_upgrades = routes[i].wants_upgrades;
        route.is_exact = routes[i].is_exact;
        if (dx_server_route(started->server, routes[i].path, &route) != DX_OK)
            return false;
    }
    return true;
}

static int set_up(void **state)
{
    static const char *const subprotocols[] = {"first", "second"};
    struct service_setup setup = service_setup_init();

    (void)state;
    abandoned_answers = 0;
    setup.options.subprotocols = subprotocols;
    setup.options.subprotocol_count = 2;
    setup.prepare = add_routes;
    return !service_start(&service, &setup);
}

static int tear_down(void **state)
{
    (void)state;
    service_stop(&service);
    return 0;
}

static bool one_is_kept(void *data)
{
    (void)data;
    return service.kept_count == 1;
}

static struct dx_request *ask(struct raw *raw, const char *text)
{
    (void)raw_connect(raw, &service, false);
    assert_true(raw_send_text(raw, text));
    assert_true(service_wait(&service, one_is_kept, NULL, PATIENCE_MS));
    return service.kept[--service.kept_count];
}

static struct dx_request *ask_upgrade(struct raw *raw, const char *headers)
{
    static char text[20000];

    (void)upgrade_write(text, sizeof(text), &service, "/", headers);
    return ask(raw, text);
}

/* ---- what it says ---- */

static void test_params(void **state)
{
    struct dx_request *request;
    struct raw raw;

    (void)state;
    request = ask(&raw, "GET /users/a%20%C3%A4/posts/7/rest HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(dx_request_route_path(request), "/users/:id/posts/:post");
    assert_string_equal(dx_request_param(request, "id"), "a \xc3\xa4");
    assert_string_equal(dx_request_param(request, "post"), "7");
    assert_null(dx_request_param(request, "none"));
    assert_null(dx_request_param(request, ""));
    assert_null(dx_request_param(request, "users"));
    assert_null(dx_request_user(request));
    dx_request_set_user(request, &raw);
    assert_ptr_equal(dx_request_user(request), &raw);
    dx_request_respond(request, 204, NULL, NULL, 0, NULL, 0);
    assert_true(raw_wait_answer(&raw, &answer, false));
    raw_close(&raw);
    request = ask(&raw, "HEAD /users/5/ HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(dx_request_param(request, "id"), "5");
    dx_request_respond(request, 204, NULL, NULL, 0, NULL, 0);
    raw_close(&raw);
    request = ask(&raw, "GET / HTTP/1.1\r\n" HOST "\r\n");
    assert_null(dx_request_param(request, "id"));
    dx_request_respond(request, 204, NULL, NULL, 0, NULL, 0);
    raw_close(&raw);
}

static void test_query_and_cookies(void **state)
{
    struct dx_tls_facts facts = {.size = sizeof(facts), .version = "untouched"};
    struct dx_request *request;
    const char *value;
    struct raw raw;
    size_t len = 1;

    (void)state;
    request = ask(&raw, "GET /x?a=1&b=two+words&a=3&bad=%ff&nul=%00&e HTTP/1.1\r\n" HOST
                        "Cookie: s=abc; t=\"q\"\r\nX: 1\r\nX: 2\r\nCookie: u=; s=second\r\n\r\n");
    value = dx_request_query_value(request, "b");
    assert_string_equal(value, "two words");
    assert_string_equal(dx_request_query_value(request, "a"), "1");
    assert_string_equal(dx_request_query_value(request, "e"), "");
    assert_null(dx_request_query_value(request, "bad"));
    assert_null(dx_request_query_value(request, "nul"));
    assert_null(dx_request_query_value(request, "none"));
    assert_string_equal(dx_request_cookie(request, "s"), "abc");
    assert_string_equal(dx_request_cookie(request, "t"), "\"q\"");
    assert_string_equal(dx_request_cookie(request, "u"), "");
    assert_null(dx_request_cookie(request, "v"));
    assert_string_equal(dx_request_header(request, "X"), "1, 2");
    /* Asked again it is the same text: nothing grows. */
    assert_ptr_equal(dx_request_query_value(request, "b"), value);
    assert_ptr_equal(dx_request_cookie(request, "s"), dx_request_cookie(request, "s"));
    assert_ptr_equal(dx_request_header(request, "X"), dx_request_header(request, "X"));
    assert_string_equal(dx_request_query(request), "a=1&b=two+words&a=3&bad=%ff&nul=%00&e");
    assert_string_equal(dx_request_body(request, &len), "");
    assert_int_equal(len, 0);
    assert_false(dx_request_tls(request, &facts));
    assert_string_equal(facts.version, "untouched");
    dx_request_respond(request, 204, NULL, NULL, 0, NULL, 0);
    raw_close(&raw);
}

/* ---- methods ---- */

static void test_methods(void **state)
{
    static const struct {
        const char *line, *allow;
    } table[] = {
        {"POST /users/5", "Allow: GET, HEAD"},
        {"GET /users/me", "Allow: PUT"}, /* the path is chosen first */
        {"PUT /users/5/posts/6", "Allow: GET, HEAD, DELETE"},
        {"PUT /get", "Allow: POST, GET, HEAD"},
        {"POST /get/below", "Allow: GET, HEAD"},
        {"get /get", "Allow: POST, GET, HEAD"},
    };
    char text[128];
    struct raw raw;

    (void)state;
    (void)raw_connect(&raw, &service, false);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        (void)snprintf(text, sizeof(text), "%s HTTP/1.1\r\n" HOST "\r\n", table[i].line);
        assert_true(raw_send_text(&raw, text));
        assert_true(raw_wait_answer(&raw, &answer, false));
        assert_int_equal(answer.status, 405);
        if (!answer_has(&answer, table[i].allow))
            fail_msg("%s: %s", table[i].line, answer.head);
        assert_true(answer_has(&answer, "Connection: keep-alive"));
    }
    raw_close(&raw);
    dx_request_respond(ask(&raw, "DELETE /users/5/posts/6 HTTP/1.1\r\n" HOST "\r\n"), 204, NULL,
                       NULL, 0, NULL, 0);
    raw_close(&raw);
    dx_request_respond(ask(&raw, "OPTIONS /x HTTP/1.1\r\n" HOST "\r\n"), 204, NULL, NULL, 0, NULL,
                       0);
    raw_close(&raw);
}

/* ---- subprotocols ---- */

static void expect_agreed(struct raw *raw, struct dx_request *request, const char *agreed)
{
    struct dx_connection *connection;
    char line[9000] = "";

    if (agreed != NULL)
        (void)snprintf(line, sizeof(line), "Sec-WebSocket-Protocol: %s", agreed);
    assert_int_equal(dx_request_accept(request, NULL, NULL, &connection), DX_OK);
    if (agreed != NULL)
        assert_string_equal(dx_connection_subprotocol(connection), agreed);
    else
        assert_null(dx_connection_subprotocol(connection));
    /* Long names are longer than an answer of the bench. */
    assert_true(raw_wait_len(raw, strlen(line) + 50));
    service_turn(&service, 5);
    (void)raw_wait_len(raw, 0);
    assert_memory_equal(raw->in, "HTTP/1.1 101 ", 13);
    assert_non_null(memmem(raw->in, raw->len, line, strlen(line)));
    if (agreed == NULL)
        assert_null(memmem(raw->in, raw->len, "Sec-WebSocket-Protocol", 22));
    assert_memory_equal(raw->in + raw->len - 4, "\r\n\r\n", 4);
    if (agreed != NULL)
        assert_string_equal(dx_connection_subprotocol(connection), agreed);
    dx_connection_abort(connection, DX_ERR_CLOSED, "test");
    raw_close(raw);
    service_turn(&service, 5);
}

static void test_subprotocols(void **state)
{
#define OFFER "Sec-WebSocket-Protocol: mine, second\r\nSec-WebSocket-Protocol: third\r\n"
    struct dx_request *request;
    const char *name;
    struct raw raw;
    size_t len;

    (void)state;
    request = ask_upgrade(&raw, OFFER);
    assert_true(dx_request_offered_subprotocol(request, 0, &name, &len));
    assert_int_equal(len, 4);
    assert_memory_equal(name, "mine", 4);
    assert_true(dx_request_offered_subprotocol(request, 2, &name, &len));
    assert_memory_equal(name, "third", 5);
    assert_false(dx_request_offered_subprotocol(request, 3, &name, &len));
    assert_string_equal(dx_request_subprotocol(request), "second");
    assert_int_equal(dx_request_set_subprotocol(request, "first"), DX_ERR_USAGE);
    assert_int_equal(dx_request_set_subprotocol(request, "Third"), DX_ERR_USAGE);
    assert_int_equal(dx_request_set_subprotocol(request, ""), DX_ERR_USAGE);
    assert_string_equal(dx_request_subprotocol(request), "second");
    assert_int_equal(dx_request_set_subprotocol(request, "mine"), DX_OK);
    assert_int_equal(dx_request_set_subprotocol(request, "third"), DX_OK);
    assert_string_equal(dx_request_subprotocol(request), "third");
    expect_agreed(&raw, request, "third");
    request = ask_upgrade(&raw, OFFER);
    assert_int_equal(dx_request_set_subprotocol(request, NULL), DX_OK);
    assert_null(dx_request_subprotocol(request));
    expect_agreed(&raw, request, NULL);
    request = ask_upgrade(&raw, OFFER);
    assert_int_equal(dx_request_set_subprotocol(request, "second"), DX_OK);
    expect_agreed(&raw, request, "second");
    expect_agreed(&raw, ask_upgrade(&raw, OFFER), "second");
    expect_agreed(&raw, ask_upgrade(&raw, "Sec-WebSocket-Protocol: mine\r\n"), NULL);
    request = ask(&raw, "GET / HTTP/1.1\r\n" HOST OFFER "\r\n");
    assert_int_equal(dx_request_set_subprotocol(request, "mine"), DX_ERR_STATE);
    dx_request_respond(request, 204, NULL, NULL, 0, NULL, 0);
    raw_close(&raw);
}

/* The longest that a head may offer, with as many headers as may be added. */
static void test_long_101(void **state)
{
    static char offer[8300], name[8200], value[5000];
    size_t name_len = 8192 - strlen("Sec-WebSocket-Protocol: ");
    struct dx_request *request;
    struct raw raw;

    (void)state;
    memset(name, 'p', name_len);
    memset(value, 'v', 4000);
    (void)snprintf(offer, sizeof(offer), "Sec-WebSocket-Protocol: %s\r\n", name);
    request = ask_upgrade(&raw, offer);
    assert_int_equal(dx_request_set_subprotocol(request, name), DX_OK);
    assert_int_equal(dx_request_add_header(request, "X", value), DX_OK);
    assert_int_equal(dx_request_add_header(request, "Y", value), DX_OK);
    expect_agreed(&raw, request, name);
}

/* ---- more headers ---- */

static void test_headers_that_are_refused(void **state)
{
    static const struct {
        const char *name, *value;
    } table[] = {
        {"", "x"},
        {"a b", "x"},
        {"a:", "x"},
        {"a\r\nb", "x"},
        {"A", "x\r\nB: y"},
        {"A", "x\n"},
        {"A", "\x01"},
        {"A", "\x7f"},
        {"Connection", "x"},
        {"upgrade", "x"},
        {"CONTENT-LENGTH", "1"},
        {"Transfer-Encoding", "x"},
        {"Date", "x"},
        {"Sec-WebSocket-Accept", "x"},
        {"sec-websocket-protocol", "x"},
        {"Sec-WebSocket-", "x"},
    };
    static char value[8200];
    struct dx_request *request;
    struct raw raw;

    (void)state;
    request = ask(&raw, "GET / HTTP/1.1\r\n" HOST "\r\n");
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        assert_int_equal(dx_request_add_header(request, table[i].name, table[i].value),
                         DX_ERR_USAGE);
    memset(value, 'v', 8192 - strlen("A: \r\n") + 1);
    assert_int_equal(dx_request_add_header(request, "A", value), DX_ERR_TOO_BIG);
    value[8192 - strlen("A: \r\n")] = '\0';
    assert_int_equal(dx_request_add_header(request, "A", value), DX_OK);
    assert_int_equal(dx_request_add_header(request, "B", ""), DX_ERR_TOO_BIG);
    dx_request_respond(request, 200, "text/plain", NULL, 0, "hello\n", 6);
    assert_true(raw_wait_len(&raw, 8192 + 6));
    service_turn(&service, 5);
    (void)raw_wait_len(&raw, 0);
    assert_non_null(memmem(raw.in, raw.len, "\r\nA: vvvv", 9));
    assert_memory_equal(raw.in + raw.len - 10, "\r\n\r\nhello\n", 10);
    raw_close(&raw);
}

/* What cannot be an answer becomes one that says so. */
static void test_answers_that_are_none(void **state)
{
    static const struct {
        uint16_t status;
        const char *content_type;
        struct dx_header header;
    } table[] = {
        {0, NULL, {"a", "b"}},
        {100, NULL, {"a", "b"}},
        {199, NULL, {"a", "b"}},
        {1000, NULL, {"a", "b"}},
        {200, "a\r\nb", {"a", "b"}},
        {200, NULL, {"", "b"}},
        {200, NULL, {"a", "b\r\nc: d"}},
        {200, NULL, {"a ", "b"}},
        {200, NULL, {"a", "\x01"}},
        {200, NULL, {"a\r\nb", "c"}},
        {200, NULL, {"a:", "b"}},
        {200, NULL, {"Content-Length", "1"}},
        {200, NULL, {"transfer-encoding", "chunked"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct raw raw;
        struct dx_request *request = ask(&raw, "GET / HTTP/1.1\r\n" HOST "\r\n");

        dx_request_respond(request, table[i].status, table[i].content_type, &table[i].header, 1,
                           "x", 1);
        assert_true(raw_wait_answer(&raw, &answer, false));
        assert_int_equal(answer.status, 500);
        raw_close(&raw);
        if (table[i].status != 200 || table[i].content_type != NULL)
            continue;
        request = ask(&raw, "GET / HTTP/1.1\r\n" HOST "\r\n");
        dx_request_refuse(request, 404, "no", &table[i].header, 1);
        assert_true(raw_wait_answer(&raw, &answer, false));
        assert_int_equal(answer.status, 500);
        raw_close(&raw);
    }
}

/* So many headers, and one more. */
static void test_many_headers(void **state)
{
    struct dx_header headers[65];
    char names[65][8];

    (void)state;
    for (size_t i = 0; i < 65; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "X-%zu", i);
        headers[i] = (struct dx_header){names[i], "1"};
    }
    for (size_t count = 64; count <= 65; count++) {
        struct raw raw;
        struct dx_request *request = ask(&raw, "GET / HTTP/1.1\r\n" HOST "\r\n");

        dx_request_respond(request, 200, NULL, headers, count, "x", 1);
        assert_true(raw_wait_answer(&raw, &answer, false));
        assert_int_equal(answer.status, count == 64 ? 200 : 500);
        assert_int_equal(answer_has(&answer, "X-63: 1"), count == 64);
        raw_close(&raw);
    }
}

static void add_two(struct dx_request *request)
{
    assert_int_equal(dx_request_add_header(request, "Set-Cookie", "a=1"), DX_OK);
    assert_int_equal(dx_request_add_header(request, "Set-Cookie", "b=\t2; c"), DX_OK);
}

static void expect_two(struct raw *raw, unsigned status)
{
    assert_true(raw_wait_answer(raw, &answer, false));
    assert_int_equal(answer.status, status);
    assert_true(answer_has(&answer, "Set-Cookie: a=1"));
    assert_true(answer_has(&answer, "Set-Cookie: b=\t2; c"));
    raw_close(raw);
}

static void test_headers_on_every_answer(void **state)
{
    struct dx_response_options options = dx_response_options_init();
    static const struct dx_header header = {"X", "y"}, broken = {"no header", ""};
    static const struct dx_connection_handlers none = {.size = sizeof(none)};
    static const char text[] = "GET / HTTP/1.1\r\n" HOST "\r\n";
    struct dx_connection *connection;
    struct dx_response *response;
    struct dx_request *request;
    struct raw raw;

    (void)state;
    add_two(request = ask(&raw, text));
    dx_request_respond(request, 200, "text/plain", &header, 1, "hello\n", 6);
    expect_two(&raw, 200);
    assert_true(answer_has(&answer, "X: y"));
    add_two(request = ask(&raw, text));
    dx_request_refuse(request, 403, "no", NULL, 0);
    expect_two(&raw, 403);
    add_two(request = ask(&raw, text));
    dx_request_respond(request, 200, NULL, &broken, 1, NULL, 0);
    expect_two(&raw, 500);
    add_two(request = ask(&raw, text));
    options.len = 0;
    options.handlers = &handlers;
    assert_int_equal(dx_request_respond_in_pieces(request, &options, &response), DX_OK);
    dx_response_end(response);
    expect_two(&raw, 200);
    add_two(request = ask_upgrade(&raw, ""));
    assert_int_equal(dx_request_accept(request, &none, NULL, &connection), DX_OK);
    expect_two(&raw, 101);
    add_two(ask(&raw, text));
    dx_server_close(service.server, 0, NULL, NULL);
    expect_two(&raw, 503);
    assert_int_equal(abandoned_answers, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_params, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_query_and_cookies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_methods, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_subprotocols, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_101, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_headers_that_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answers_that_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_headers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_headers_on_every_answer, set_up, tear_down),
    };

    return run_group(tests, NULL, NULL);
}
