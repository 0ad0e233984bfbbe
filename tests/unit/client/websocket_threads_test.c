/*
 * websocket_threads_test.c - four threads call fifty websockets whose loop runs on a fifth: what a
 * thread was told is sent arrives, in its order, also behind a close or a free. Meant for the
 * thread sanitizer, too.
 */
#include <duplex/client.h>
#include <duplex/request.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#define SOCKET_COUNT 50
#define THREAD_COUNT 4
#define MESSAGE_COUNT 60

static struct dx_loop *loop;
static struct dx_server *server;
static struct dx_websocket *sockets[SOCKET_COUNT];
static atomic_size_t opened_count, drain_count, refused_count;
static int next[SOCKET_COUNT][THREAD_COUNT]; /* the loop's thread */
static size_t got_count, bad_count, gone_count;
static pthread_barrier_t barrier;

/* ---- the server ---- */

static void on_server_message(struct dx_connection *connection, enum dx_opcode opcode,
                              uint8_t *data, size_t len, void *user)
{
    char text[512];
    int socket, thread, number;

    (void)user;
    (void)connection;
    (void)opcode;
    memcpy(text, data, len < 64 ? len : 64);
    text[len < 64 ? len : 64] = '\0';
    got_count++;
    if (sscanf(text, "%d %d %d", &socket, &thread, &number) != 3 ||
        next[socket][thread]++ != number)
        bad_count++;
}

static void on_server_close(struct dx_connection *connection, const struct dx_close_info *info,
                            void *user)
{
    (void)connection;
    (void)user;
    bad_count += !info->was_clean;
    if (++gone_count == SOCKET_COUNT)
        dx_loop_stop(loop);
}

static struct dx_connection_handlers handlers;

static char *start_server(void)
{
    static char url[64];
    struct dx_server_options options = dx_server_options_init();
    struct dx_route route;
    const char *http;
    char why[128];

    handlers = dx_connection_handlers_init();
    handlers.on_message = on_server_message;
    handlers.on_close = on_server_close;
    route = dx_route_init_websocket(&handlers);
    assert_int_equal(dx_server_new(loop, &options, &server), DX_OK);
    assert_int_equal(dx_server_route(server, "/", &route), DX_OK);
    assert_int_equal(dx_server_listen(server, "127.0.0.1:0", NULL, why, sizeof(why)), DX_OK);
    http = dx_server_url(server, 0);
    (void)snprintf(url, sizeof(url), "%s", http);
    return url;
}

/* ---- the client ---- */

static void on_open(struct dx_websocket *websocket, void *user)
{
    (void)websocket;
    (void)user;
    atomic_fetch_add(&opened_count, 1);
}

static void on_drain(struct dx_websocket *websocket, void *user)
{
    (void)websocket;
    (void)user;
    atomic_fetch_add(&drain_count, 1);
}

static void send_all(int thread)
{
    char text[400];

    memset(text, '.', sizeof(text));
    for (int number = 0; number < MESSAGE_COUNT; number++)
        for (int i = 0; i < SOCKET_COUNT; i++) {
            int len = snprintf(text, sizeof(text), "%d %d %d", i, thread, number);
            enum dx_err err;

            text[len] = ' ';
            while ((err = dx_websocket_send(sockets[i], DX_OP_TEXT, text, sizeof(text))) ==
                   DX_ERR_QUEUE_FULL) {
                atomic_fetch_add(&refused_count, 1);
                sched_yield();
            }
            if (err != DX_OK)
                abort();
            (void)dx_websocket_buffered_amount(sockets[i]);
            (void)dx_websocket_ready_state(sockets[i]);
            if (number % 16 == 3)
                (void)(dx_websocket_ping(sockets[i], "x", 1) == DX_OK);
            if (number % 16 == 5)
                dx_websocket_pause(sockets[i]);
            if (number % 16 == 6)
                dx_websocket_resume(sockets[i]);
        }
}

/* Half of them are closed by all threads at once; all are freed, each by one. */
static void *run(void *data)
{
    int thread = *(int *)data;

    send_all(thread);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < SOCKET_COUNT; i += 2)
        (void)(dx_websocket_close(sockets[i], 1000, "done", 4) == DX_OK);
    pthread_barrier_wait(&barrier);
    for (int i = thread; i < SOCKET_COUNT; i += THREAD_COUNT)
        dx_websocket_free(sockets[i]);
    return NULL;
}

static void *run_loop(void *data)
{
    (void)data;
    if (dx_loop_run(loop) != DX_OK)
        abort();
    return NULL;
}

static void open_all(const char *url)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_connection_options connection = dx_connection_options_init_client();
    struct dx_websocket_listener listener = dx_websocket_listener_init();

    connection.max_queue = 4096;
    options.connection = &connection;
    listener.on_open = on_open;
    listener.on_drain = on_drain;
    options.listener = &listener;
    for (int i = 0; i < SOCKET_COUNT; i++)
        assert_int_equal(dx_websocket_new(loop, url, &options, &sockets[i]), DX_OK);
}

static void test_threads(void **state)
{
    pthread_t loop_thread, threads[THREAD_COUNT];
    int numbers[THREAD_COUNT];

    (void)state;
    assert_int_equal(dx_loop_new(&loop), DX_OK);
    open_all(start_server());
    assert_int_equal(pthread_create(&loop_thread, NULL, run_loop, NULL), 0);
    while (atomic_load(&opened_count) < SOCKET_COUNT)
        sched_yield();
    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREAD_COUNT), 0);
    for (int i = 0; i < THREAD_COUNT; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, run, &numbers[i]), 0);
    }
    for (int i = 0; i < THREAD_COUNT; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(pthread_join(loop_thread, NULL), 0);
    pthread_barrier_destroy(&barrier);
    print_message("%zu messages, %zu refusals, %zu drains\n", got_count,
                  atomic_load(&refused_count), atomic_load(&drain_count));
    assert_int_equal(got_count, SOCKET_COUNT * THREAD_COUNT * MESSAGE_COUNT);
    assert_int_equal(bad_count, 0);
    dx_server_free(server);
    dx_loop_free(loop);
}

/* A loop that is freed while calls are on their way to it: nothing leaks. */
static void *call_and_free(void *data)
{
    struct dx_websocket *websocket = data;

    (void)(dx_websocket_close(websocket, 1000, "why", 3) == DX_OK);
    (void)dx_websocket_buffered_amount(websocket);
    dx_websocket_free(websocket);
    return NULL;
}

static void test_loop_goes(void **state)
{
    struct dx_websocket *websocket;
    pthread_t thread;

    (void)state;
    assert_int_equal(dx_loop_new(&loop), DX_OK);
    assert_int_equal(dx_websocket_new(loop, "ws://127.0.0.1:1/", NULL, &websocket), DX_OK);
    assert_int_equal(pthread_create(&thread, NULL, call_and_free, websocket), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    dx_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_loop_goes),
    };

    return run_group(tests, NULL, NULL);
}
