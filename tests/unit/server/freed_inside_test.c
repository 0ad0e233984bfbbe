/*
 * freed_inside_test.c - a server that is freed inside each of its callbacks while others are still
 * to be called: whoever was in the middle of something must notice. Run under sanitizers this is
 * about memory that is looked at afterwards.
 */
#include "net/loop/loop.h"
#include "support/server/service.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECES_LEN (1024 * 1024)

/* Where the server is freed. */
enum place {
    IN_ON_REQUEST,
    IN_ON_ABANDONED,
    IN_ON_SHUTDOWN,
    IN_ON_CLOSE,
    IN_RESPONSE_ON_DRAIN,
    IN_RESPONSE_ON_CLOSE,
};

static struct service service;
static struct answer answer;
static enum place place;
static size_t closed_calls;
static struct dx_server *freed;

static void on_closed(void *user)
{
    (void)user;
    closed_calls++;
}

static void free_in(enum place here)
{
    struct dx_server *server = service.server;

    if (here != place || server == NULL)
        return;
    service.server = NULL;
    freed = server;
    dx_server_free(server);
}

static void on_socket_close(struct dx_connection *connection, const struct dx_close_info *info,
                            void *user)
{
    (void)connection;
    (void)info;
    (void)user;
    service.closed_count++;
    if (service.server == NULL)
        dx_server_close(freed, 0, on_closed, NULL); /* too late: nothing */
    free_in(IN_ON_CLOSE);
}

static void on_shutdown(struct dx_connection *connection, void *user)
{
    (void)user;
    service.shutdown_count++;
    (void)dx_connection_close(connection, 3001, NULL, 0);
    free_in(IN_ON_SHUTDOWN);
}

static struct dx_connection_handlers socket_handlers = {.size = sizeof(socket_handlers),
                                                        .on_close = on_socket_close};

static void on_later(struct dx_request *request, void *user)
{
    (void)request;
    (void)user;
    service.kept_count++;
}

static void on_abandoned(struct dx_request *request, void *user)
{
    (void)request;
    (void)user;
    service.abandoned_count++;
    free_in(IN_ON_ABANDONED);
}

static void on_plain(struct dx_request *request, void *user)
{
    (void)user;
    dx_request_respond(request, 200, "text/plain", NULL, 0, "hello\n", 6);
    free_in(IN_ON_REQUEST);
}

static void on_pieces_drain(struct dx_response *response, void *user)
{
    (void)response;
    (void)user;
    free_in(IN_RESPONSE_ON_DRAIN);
}

static void on_pieces_close(struct dx_response *response, enum dx_err err, void *user)
{
    (void)response;
    (void)err;
    (void)user;
    service.pieces_closed_count++;
    free_in(IN_RESPONSE_ON_CLOSE);
}

static void on_pieces(struct dx_request *request, void *user)
{
    struct dx_response_options options = dx_response_options_init();
    static const struct dx_response_handlers handlers = {
        .size = sizeof(handlers), .on_drain = on_pieces_drain, .on_close = on_pieces_close};
    static char body[PIECES_LEN];
    struct dx_response *response;
    bool is_short = dx_request_query(request)[0] != '\0';

    (void)user;
    options.content_type = "text/plain";
    options.handlers = &handlers;
    if (dx_request_respond_in_pieces(request, &options, &response) != DX_OK)
        return;
    service.pieces_opened_count++;
    while (!is_short && !dx_response_is_congested(response))
        if (dx_response_write(response, body, sizeof(body)) != DX_OK)
            return;
    if (is_short)
        dx_response_end(response);
}

static bool add_routes(struct service *own, void *data)
{
    struct dx_route socket = dx_route_init_websocket(&socket_handlers);
    struct dx_route plain = {.size = sizeof(plain), .on_request = on_plain, .wants_plain = true};
    struct dx_route pieces = {.size = sizeof(pieces), .on_request = on_pieces, .wants_plain = true};
    struct dx_route later = {.size = sizeof(later),
                             .on_request = on_later,
                             .on_abandoned = on_abandoned,
                             .wants_plain = true};

    (void)data;
    socket.on_shutdown = on_shutdown;
    return dx_server_route(own->server, "/", &socket) == DX_OK &&
           dx_server_route(own->server, "/plain", &plain) == DX_OK &&
           dx_server_route(own->server, "/pieces", &pieces) == DX_OK &&
           dx_server_route(own->server, "/later", &later) == DX_OK;
}

static void start(enum place here, uint32_t threads)
{
    struct service_setup setup = service_setup_init();

    place = here;
    closed_calls = 0;
    setup.prepare = add_routes;
    setup.options.threads = threads;
    assert_true(service_start(&service, &setup));
}

static void ask(struct raw *raw, const char *path)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    (void)raw_connect(raw, &service, false);
    assert_true(raw_send_text(raw, text));
}

static bool is_freed(void *data)
{
    (void)data;
    return service.server == NULL;
}

static bool two_are_kept(void *data)
{
    (void)data;
    return service.kept_count == 2;
}

/* What was made on the loop is gone, whatever was in the middle of something. */
static void wait_and_stop(void)
{
    assert_true(service_wait(&service, is_freed, NULL, PATIENCE_MS));
    service_turn(&service, 60); /* longer than any timer that a closing server has */
    assert_int_equal(dx_loop_pool(service.loop)->used_len, 0);
    assert_int_equal(closed_calls, 0);
    service_stop(&service);
}

/*
 * Threads besides the loop's own would call back elsewhere: with one more its loop stays empty, and
 * is joined all the same.
 */
static void test_on_request(void **state)
{
    struct raw raw;

    (void)state;
    start(IN_ON_REQUEST, 2);
    ask(&raw, "/plain");
    wait_and_stop();
    raw_close(&raw);
}

/* Two that wait: the second must not be told by the ending what it has been told by the freeing. */
static void abandoned_while_closing(uint32_t drain_ms)
{
    struct raw first, second;

    start(IN_ON_ABANDONED, 1);
    ask(&first, "/later");
    ask(&second, "/later");
    assert_true(service_wait(&service, two_are_kept, NULL, PATIENCE_MS));
    dx_server_close(service.server, drain_ms, on_closed, NULL);
    wait_and_stop();
    assert_int_equal(service.abandoned_count, 2);
    raw_close(&first);
    raw_close(&second);
}

static void test_on_abandoned_while_closing(void **state)
{
    (void)state;
    abandoned_while_closing(0);
    abandoned_while_closing(20);
}

static void test_on_abandoned_by_the_peer(void **state)
{
    struct raw first, second;

    (void)state;
    start(IN_ON_ABANDONED, 1);
    ask(&first, "/later");
    ask(&second, "/later");
    assert_true(service_wait(&service, two_are_kept, NULL, PATIENCE_MS));
    raw_close(&first);
    wait_and_stop();
    assert_int_equal(service.abandoned_count, 2);
    raw_close(&second);
}

/* Of several sockets and a request, in one step and in the middle of a drain. */
static void shut_down_while_closing(uint32_t drain_ms)
{
    struct raw sockets[8], idle;

    start(IN_ON_SHUTDOWN, 1);
    for (int i = 0; i < 8; i++)
        assert_true(raw_open(&sockets[i], &service, "/"));
    ask(&idle, "/plain");
    assert_true(raw_wait_answer(&idle, &answer, false));
    dx_server_close(service.server, drain_ms, on_closed, NULL);
    wait_and_stop();
    assert_int_equal(service.shutdown_count, 1);
    assert_int_equal(service.closed_count, 8);
    for (int i = 0; i < 8; i++)
        raw_close(&sockets[i]);
    raw_close(&idle);
}

static void test_on_shutdown(void **state)
{
    (void)state;
    shut_down_while_closing(0);
    shut_down_while_closing(30);
}

/* The only connection is on the loop's own thread; the other thread is told, and joined. */
static void test_on_shutdown_with_threads(void **state)
{
    struct raw own;

    (void)state;
    start(IN_ON_SHUTDOWN, 2);
    assert_true(raw_open(&own, &service, "/"));
    dx_server_close(service.server, 0, on_closed, NULL);
    wait_and_stop();
    assert_int_equal(service.closed_count, 1);
    raw_close(&own);
}

static void test_on_close(void **state)
{
    struct raw sockets[2];

    (void)state;
    start(IN_ON_CLOSE, 1);
    assert_true(raw_open(&sockets[0], &service, "/"));
    assert_true(raw_open(&sockets[1], &service, "/"));
    raw_close(&sockets[0]);
    wait_and_stop();
    assert_int_equal(service.closed_count, 2);
    raw_close(&sockets[1]);
}

static void test_response_on_close(void **state)
{
    struct raw raw;

    (void)state;
    start(IN_RESPONSE_ON_CLOSE, 1);
    ask(&raw, "/pieces?short");
    wait_and_stop();
    assert_int_equal(service.pieces_closed_count, 1);
    raw_close(&raw);
    start(IN_RESPONSE_ON_CLOSE, 1);
    ask(&raw, "/pieces");
    assert_true(raw_wait_len(&raw, 1000));
    raw_close(&raw);
    wait_and_stop();
    assert_int_equal(service.pieces_closed_count, 1);
}

static bool takes_all(void *data)
{
    struct raw *raw = data;

    raw_consume(raw, raw->len);
    (void)raw_wait_len(raw, 1);
    return service.server == NULL;
}

static void test_response_on_drain(void **state)
{
    struct raw raw;

    (void)state;
    start(IN_RESPONSE_ON_DRAIN, 1);
    ask(&raw, "/pieces");
    assert_true(service_wait(&service, takes_all, &raw, PATIENCE_MS));
    wait_and_stop();
    assert_int_equal(service.pieces_closed_count, 1);
    raw_close(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_on_request),
        cmocka_unit_test(test_on_abandoned_while_closing),
        cmocka_unit_test(test_on_abandoned_by_the_peer),
        cmocka_unit_test(test_on_shutdown),
        cmocka_unit_test(test_on_shutdown_with_threads),
        cmocka_unit_test(test_on_close),
        cmocka_unit_test(test_response_on_close),
        cmocka_unit_test(test_response_on_drain),
    };

    return run_group(tests, NULL, NULL);
}
