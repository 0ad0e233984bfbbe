/*
 * blocking_test.c - the socket for scripts, against a server on a thread of its own.
 */
#include <duplex/blocking.h>
#include <duplex/request.h>

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/clock.h"
#include "support/test.h"

static struct dx_loop *loop;
static struct dx_server *server;
static pthread_t thread;
static char url[64];
static struct dx_blocking *blocking;
static char why[256];

/* ---- the server: echoes; "close" closes, "drop" cuts, "many" sends a hundred ---- */

static void on_server_message(struct dx_connection *connection, enum dx_opcode opcode,
                              uint8_t *data, size_t len, void *user)
{
    char text[8];

    (void)user;
    if (len == 5 && memcmp(data, "close", 5) == 0) {
        (void)dx_connection_close(connection, 4001, "as asked", 8);
    } else if (len == 4 && memcmp(data, "drop", 4) == 0) {
        dx_connection_abort(connection, DX_ERR_CLOSED, "as asked");
    } else if (len == 4 && memcmp(data, "many", 4) == 0) {
        for (int i = 0; i < 100; i++) {
            (void)snprintf(text, sizeof(text), "%02d", i);
            (void)(dx_connection_send(connection, DX_OP_TEXT, text, 2) == DX_OK);
        }
    } else {
        (void)(dx_connection_send(connection, opcode, data, len) == DX_OK);
    }
}

static void on_refused(struct dx_request *request, void *user)
{
    (void)user;
    dx_request_refuse(request, 401, "who are you?", NULL, 0);
}

static void *run(void *data)
{
    (void)data;
    if (dx_loop_run(loop) != DX_OK)
        abort();
    return NULL;
}

static struct dx_connection_handlers handlers;

static int start(void **state)
{
    struct dx_server_options options = dx_server_options_init();
    struct dx_connection_options connection = dx_connection_options_init();
    struct dx_route route, refusing = dx_route_init();

    (void)state;
    handlers = dx_connection_handlers_init();
    handlers.on_message = on_server_message;
    connection.max_message = 64 * 1024 * 1024;
    connection.max_queue = 64 * 1024 * 1024;
    options.connection = &connection;
    route = dx_route_init_websocket(&handlers);
    refusing.on_request = on_refused;
    refusing.wants_upgrades = true;
    assert_int_equal(dx_loop_new(&loop), DX_OK);
    assert_int_equal(dx_server_new(loop, &options, &server), DX_OK);
    assert_int_equal(dx_server_route(server, "/", &route), DX_OK);
    assert_int_equal(dx_server_route(server, "/no", &refusing), DX_OK);
    assert_int_equal(dx_server_listen(server, "127.0.0.1:0", NULL, why, sizeof(why)), DX_OK);
    (void)snprintf(url, sizeof(url), "%s", dx_server_url(server, 0));
    assert_int_equal(pthread_create(&thread, NULL, run, NULL), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    dx_loop_stop(loop);
    assert_int_equal(pthread_join(thread, NULL), 0);
    dx_server_free(server);
    dx_loop_free(loop);
    return 0;
}

static int connect_it(void **state)
{
    (void)state;
    assert_int_equal(dx_blocking_connect(url, NULL, PATIENCE_MS, &blocking, why, sizeof(why)),
                     DX_OK);
    return 0;
}

static int free_it(void **state)
{
    (void)state;
    dx_blocking_free(blocking);
    blocking = NULL;
    return 0;
}

static void expect(const char *text)
{
    struct dx_message *message = NULL;
    const uint8_t *data;
    size_t len;

    assert_int_equal(dx_blocking_receive(blocking, PATIENCE_MS, &message), DX_OK);
    data = dx_message_data(message, &len);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(data, text, len);
    dx_message_drop(message);
}

static void test_echo(void **state)
{
    (void)state;
    assert_int_equal(dx_blocking_state(blocking), DX_READY_STATE_OPEN);
    assert_int_equal(dx_blocking_send_text(blocking, "hello", 5), DX_OK);
    assert_int_equal(dx_blocking_buffered_amount(blocking), 0);
    expect("hello");
    assert_int_equal(dx_blocking_send_binary(blocking, "\0\1", 2), DX_OK);
    assert_int_equal(dx_blocking_ping(blocking, PATIENCE_MS), DX_OK);
    assert_int_equal(dx_blocking_send_text(blocking, "\xff", 1), DX_ERR_UTF8);
    assert_string_not_equal(dx_blocking_error(blocking), "");
    assert_int_equal(dx_blocking_close_code(blocking), 0);
    assert_int_equal(dx_blocking_close(blocking, 1000, "bye", 3, PATIENCE_MS), DX_OK);
    assert_int_equal(dx_blocking_close_code(blocking), 1000);
    assert_int_equal(dx_blocking_state(blocking), DX_READY_STATE_CLOSED);
    assert_int_equal(dx_blocking_close(blocking, 0, NULL, 0, PATIENCE_MS), DX_OK);
}

/* What came before the close can still be received. */
static void test_after_close(void **state)
{
    struct dx_message *message;
    size_t len;

    (void)state;
    assert_int_equal(dx_blocking_send_text(blocking, "one", 3), DX_OK);
    assert_int_equal(dx_blocking_ping(blocking, PATIENCE_MS), DX_OK);
    assert_int_equal(dx_blocking_close(blocking, 0, NULL, 0, PATIENCE_MS), DX_OK);
    expect("one");
    assert_int_equal(dx_blocking_receive(blocking, PATIENCE_MS, &message), DX_ERR_CLOSED);
    assert_int_equal(dx_blocking_send_text(blocking, "two", 3), DX_ERR_CLOSED);
    assert_int_equal(dx_blocking_ping(blocking, PATIENCE_MS), DX_ERR_CLOSED);
    (void)len;
}

static void test_timeouts(void **state)
{
    struct dx_message *message;

    (void)state;
    assert_int_equal(dx_blocking_receive(blocking, 0, &message), DX_ERR_TIMEOUT);
    assert_int_equal(dx_blocking_receive(blocking, 30, &message), DX_ERR_TIMEOUT);
    assert_string_equal(dx_blocking_error(blocking), "no message arrived in time");
    assert_int_equal(dx_blocking_send_text(blocking, "x", 1), DX_OK);
    expect("x");
}

static void test_peer_closes(void **state)
{
    struct dx_message *message;

    (void)state;
    assert_int_equal(dx_blocking_send_text(blocking, "close", 5), DX_OK);
    assert_int_equal(dx_blocking_receive(blocking, PATIENCE_MS, &message), DX_ERR_CLOSED);
    assert_int_equal(dx_blocking_close_code(blocking), 4001);
}

static void test_peer_drops(void **state)
{
    struct dx_message *message;
    enum dx_err err;

    (void)state;
    /* It may be noticed in the sending already. */
    err = dx_blocking_send_text(blocking, "drop", 4);
    if (err == DX_OK)
        err = dx_blocking_receive(blocking, PATIENCE_MS, &message);
    assert_true(err == DX_ERR_RESET || err == DX_ERR_CLOSED);
    assert_int_equal(dx_blocking_close_code(blocking), 1006);
    assert_string_not_equal(dx_blocking_error(blocking), "");
}

static void test_many(void **state)
{
    char text[8];

    (void)state;
    assert_int_equal(dx_blocking_send_text(blocking, "many", 4), DX_OK);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof(text), "%02d", i);
        expect(text);
    }
}

/* More than may wait comes back while nobody receives: reading pauses, and nothing is lost. */
static void test_pauses(void **state)
{
    static char much[65536];
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_connection_options connection = dx_connection_options_init_client();
    struct dx_message *message;
    size_t len;

    (void)state;
    connection.max_queue = 100000;
    options.connection = &connection;
    assert_int_equal(dx_blocking_connect(url, &options, PATIENCE_MS, &blocking, why, sizeof(why)),
                     DX_OK);
    for (int i = 0; i < 100; i++) {
        much[0] = (char)i;
        assert_int_equal(dx_blocking_send_binary(blocking, much, sizeof(much)), DX_OK);
    }
    for (int i = 0; i < 100; i++) {
        assert_int_equal(dx_blocking_receive(blocking, PATIENCE_MS, &message), DX_OK);
        assert_int_equal(dx_message_data(message, &len)[0], i);
        assert_int_equal(len, sizeof(much));
        dx_message_drop(message);
    }
    (void)free_it(state);
}

/*
 * Nor are empty ones kept without end: reading pauses, so the pong behind them does not come before
 * they are received.
 */
static void test_pauses_for_empty_ones(void **state)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_connection_options connection = dx_connection_options_init_client();
    struct dx_message *message;
    size_t len;

    connection.max_queue = 4096;
    options.connection = &connection;
    assert_int_equal(dx_blocking_connect(url, &options, PATIENCE_MS, &blocking, why, sizeof(why)),
                     DX_OK);
    for (int i = 0; i < 200; i++)
        assert_int_equal(dx_blocking_send_binary(blocking, "", 0), DX_OK);
    assert_int_equal(dx_blocking_ping(blocking, 300), DX_ERR_TIMEOUT);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(dx_blocking_receive(blocking, PATIENCE_MS, &message), DX_OK);
        (void)dx_message_data(message, &len);
        assert_int_equal(len, 0);
        dx_message_drop(message);
    }
    assert_int_equal(dx_blocking_ping(blocking, PATIENCE_MS), DX_OK);
    (void)free_it(state);
}

static void test_refusals(void **state)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    char path[80];

    (void)state;
    assert_int_equal(
        dx_blocking_connect("ftp://x/", NULL, PATIENCE_MS, &blocking, why, sizeof(why)),
        DX_ERR_USAGE);
    assert_int_equal(
        dx_blocking_connect("ws://127.0.0.1:1/", NULL, PATIENCE_MS, &blocking, why, sizeof(why)),
        DX_ERR_CONNECT);
    (void)snprintf(path, sizeof(path), "%sno", url);
    assert_int_equal(dx_blocking_connect(path, NULL, PATIENCE_MS, &blocking, why, sizeof(why)),
                     DX_ERR_REFUSED);
    assert_non_null(strstr(why, "401"));
    options.heartbeat_text = "x"; /* without its answer */
    assert_int_equal(dx_blocking_connect(url, &options, 0, &blocking, why, sizeof(why)),
                     DX_ERR_USAGE);
    dx_blocking_free(NULL);
}

/* A server that accepts and says nothing. */
static void test_silence(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char silent[64];

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(silent, sizeof(silent), "ws://127.0.0.1:%u/", (unsigned)ntohs(at.sin_port));
    assert_int_equal(dx_blocking_connect(silent, NULL, 40, &blocking, why, sizeof(why)),
                     DX_ERR_TIMEOUT);
    close(fd);
}

/* With an outbox a script hardly notices that the connection was lost. */
static bool note_attempt(struct dx_websocket *websocket, uint32_t attempt, const char **next_url,
                         void *user)
{
    (void)websocket;
    (void)attempt;
    (void)next_url;
    ++*(unsigned *)user;
    return true;
}

static void test_reconnects(void **state)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_reconnect_options reconnect = dx_reconnect_options_init();
    struct dx_outbox_options outbox = dx_outbox_options_init();
    unsigned attempts = 0;

    (void)state;
    reconnect.first_delay_ms = 5;
    reconnect.on_attempt = note_attempt;
    reconnect.user = &attempts;
    options.reconnect = &reconnect;
    options.outbox = &outbox;
    assert_int_equal(dx_blocking_connect(url, &options, PATIENCE_MS, &blocking, why, sizeof(why)),
                     DX_OK);
    assert_int_equal(dx_blocking_send_text(blocking, "drop", 4), DX_OK);
    while (attempts == 0) {
        struct dx_message *message;

        assert_int_equal(dx_blocking_receive(blocking, 1, &message), DX_ERR_TIMEOUT);
    }
    assert_int_equal(dx_blocking_send_text(blocking, "again", 5), DX_OK);
    expect("again");
    (void)free_it(state);
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, connect_it, free_it)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(test_echo),
        ROW(test_after_close),
        ROW(test_timeouts),
        ROW(test_peer_closes),
        ROW(test_peer_drops),
        ROW(test_many),
        cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_pauses_for_empty_ones),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_reconnects),
    };

    return run_group(tests, start, stop);
}
