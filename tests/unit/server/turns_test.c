/*
 * turns_test.c - one peer that asks for very much at once has no more of a turn of the loop than
 * its share, and gets every answer, in order, all the same.
 */
#include "support/server/service.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REQUESTS 3000 /* more than one read of them */
#define TURN_MAX 200  /* requests of one peer within a turn */
#define BODY_LEN 3000

static struct service service;
static struct answer answer;
static size_t asked;

static void on_number(struct dx_request *request, void *user)
{
    const char *query = dx_request_query(request);

    (void)user;
    asked++;
    dx_request_respond(request, 200, "text/plain", NULL, 0, query, strlen(query));
}

static void on_body(struct dx_request *request, void *user)
{
    size_t len;
    const char *body = dx_request_body(request, &len);

    (void)user;
    asked++;
    dx_request_respond(request, 200, "text/plain", NULL, 0, body, len);
}

static bool add_routes(struct service *own, void *data)
{
    struct dx_route number = {.size = sizeof(number), .on_request = on_number, .wants_plain = true};
    struct dx_route body = {
        .size = sizeof(body), .on_request = on_body, .wants_plain = true, .max_body = BODY_LEN};

    (void)data;
    return dx_server_route(own->server, "/n", &number) == DX_OK &&
           dx_server_route(own->server, "/body", &body) == DX_OK;
}

static int set_up(void **state)
{
    struct service_setup setup = service_setup_init();

    (void)state;
    asked = 0;
    setup.prepare = add_routes;
    return !service_start(&service, &setup);
}

static int tear_down(void **state)
{
    (void)state;
    service_stop(&service);
    return 0;
}

/* Turn by turn. Returns the most that one of them has answered. */
static size_t serve_all(size_t count)
{
    uint64_t end_ms = clock_ms() + PATIENCE_MS;
    size_t most = 0;

    while (asked < count && clock_ms() < end_ms) {
        size_t before = asked;

        assert_int_equal(dx_loop_dispatch(service.loop), DX_OK);
        most = asked - before > most ? asked - before : most;
    }
    assert_int_equal(asked, count);
    return most;
}

static void test_many_requests_at_once(void **state)
{
    static char text[REQUESTS * 64];
    char number[16];
    size_t len = 0;
    struct raw raw;

    (void)state;
    for (int i = 0; i < REQUESTS; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                "GET /n?%d HTTP/1.1\r\nHost: localhost\r\n\r\n", i);
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send(&raw, text, len, 0));
    assert_in_range(serve_all(REQUESTS), 1, TURN_MAX);
    for (int i = 0; i < REQUESTS; i++) {
        (void)snprintf(number, sizeof(number), "%d", i);
        assert_true(raw_wait_answer(&raw, &answer, false));
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.body_len, strlen(number));
        assert_memory_equal(answer.body, number, answer.body_len);
    }
    raw_close(&raw);
}

/* The go ends anywhere: behind a head whose body lies there already, too. */
static void test_bodies_among_them(void **state)
{
    enum { ROUNDS = 40 };
    static char text[ROUNDS * (BODY_LEN + 256)];
    char body[BODY_LEN];

    (void)state;
    for (int heads = 0; heads < 20; heads++) {
        size_t len = 0, count = 0;
        struct raw raw;

        asked = 0;
        for (int i = 0; i < heads; i++, count++)
            len += (size_t)snprintf(text + len, sizeof(text) - len,
                                    "GET /n?%d HTTP/1.1\r\nHost: localhost\r\n\r\n", i);
        for (int i = 0; i < ROUNDS / 2; i++, count++) {
            len += (size_t)snprintf(text + len, sizeof(text) - len,
                                    "POST /body HTTP/1.1\r\nHost: localhost\r\n"
                                    "Content-Length: %d\r\n\r\n",
                                    BODY_LEN);
            memset(text + len, 'a' + i, BODY_LEN);
            len += BODY_LEN;
        }
        (void)raw_connect(&raw, &service, false);
        assert_true(raw_send(&raw, text, len, 0));
        assert_int_equal(shutdown(raw.fd, SHUT_WR), 0); /* it has said all */
        (void)serve_all(count);
        for (size_t i = 0; i < count; i++) {
            assert_true(raw_wait_answer(&raw, &answer, false));
            if (i < (size_t)heads)
                continue;
            memset(body, 'a' + (int)i - heads, sizeof(body));
            assert_int_equal(answer.body_len, BODY_LEN);
            assert_memory_equal(answer.body, body, BODY_LEN);
        }
        raw_close(&raw);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_many_requests_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bodies_among_them, set_up, tear_down),
    };

    return run_group(tests, NULL, NULL);
}
