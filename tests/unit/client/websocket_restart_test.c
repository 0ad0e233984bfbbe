/*
 * websocket_restart_test.c - a thousand clients lose their server at one moment and come back to
 * the next one: spread out, and all of them.
 */
#include <duplex/client.h>
#include <duplex/request.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#define CLIENT_COUNT 1000
#define BATCH_COUNT 100 /* that open at once at first */
#define SLOT_MS 100
#define SLOT_COUNT 64

static struct dx_loop *loop;
static struct dx_server *server;
static char address[64], url[64];
static size_t open_count, awaited_count;
static unsigned planned[SLOT_COUNT], came[SLOT_COUNT];
static uint64_t lost_ms;

static void start_server(void)
{
    static struct dx_connection_handlers handlers = {.size = sizeof(handlers)};
    struct dx_server_options options = dx_server_options_init();
    struct dx_route route = dx_route_init_websocket(&handlers);
    char why[128];

    assert_int_equal(dx_server_new(loop, &options, &server), DX_OK);
    assert_int_equal(dx_server_route(server, "/", &route), DX_OK);
    assert_int_equal(dx_server_listen(server, address, NULL, why, sizeof(why)), DX_OK);
    (void)snprintf(url, sizeof(url), "%s", dx_server_url(server, 0));
    (void)snprintf(address, sizeof(address), "%s", url + strlen("http://"));
    address[strcspn(address, "/")] = '\0';
}

static unsigned slot_of(uint64_t ms)
{
    return ms / SLOT_MS < SLOT_COUNT ? (unsigned)(ms / SLOT_MS) : SLOT_COUNT - 1;
}

static void on_open(struct dx_websocket *websocket, void *user)
{
    (void)websocket;
    (void)user;
    if (lost_ms > 0)
        came[slot_of(dx_loop_now_ms(loop) - lost_ms)]++;
    if (++open_count == awaited_count)
        dx_loop_stop(loop);
}

static void on_close(struct dx_websocket *websocket, const struct dx_close_event *close, void *user)
{
    (void)websocket;
    (void)user;
    open_count--;
    if (lost_ms == 0)
        lost_ms = dx_loop_now_ms(loop);
    if (close->will_reconnect)
        planned[slot_of(close->delay_ms)]++;
}

static unsigned most_of(const unsigned *slots)
{
    unsigned most = 0;

    for (size_t i = 0; i < SLOT_COUNT; i++)
        most = slots[i] > most ? slots[i] : most;
    return most;
}

static unsigned sum_of(const unsigned *slots)
{
    unsigned sum = 0;

    for (size_t i = 0; i < SLOT_COUNT; i++)
        sum += slots[i];
    return sum;
}

/* When they come is the machine's, too; when they mean to come is asserted. */
static void test_restart(void **state)
{
    static struct dx_websocket *clients[CLIENT_COUNT];
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_reconnect_options reconnect = dx_reconnect_options_init();
    struct dx_websocket_listener listener = dx_websocket_listener_init();

    (void)state;
    options.reconnect = &reconnect;
    listener.on_open = on_open;
    listener.on_close = on_close;
    options.listener = &listener;
    (void)snprintf(address, sizeof(address), "127.0.0.1:0");
    assert_int_equal(dx_loop_new(&loop), DX_OK);
    start_server();
    for (size_t i = 0; i < CLIENT_COUNT; i++) {
        assert_int_equal(dx_websocket_new(loop, url, &options, &clients[i]), DX_OK);
        if ((i + 1) % BATCH_COUNT == 0) {
            awaited_count = i + 1;
            assert_int_equal(dx_loop_run(loop), DX_OK);
        }
    }
    assert_int_equal(open_count, CLIENT_COUNT);
    dx_server_free(server);
    start_server();
    assert_int_equal(dx_loop_run(loop), DX_OK);
    assert_int_equal(open_count, CLIENT_COUNT);
    print_message("%u clients: at most %u mean to come in 100 ms; at most %u came\n",
                  sum_of(planned), most_of(planned), most_of(came));
    assert_int_equal(sum_of(planned), CLIENT_COUNT);
    assert_int_equal(sum_of(came), CLIENT_COUNT);
    assert_true(most_of(planned) <= CLIENT_COUNT / 20);
    for (size_t i = 0; i < CLIENT_COUNT; i++)
        dx_websocket_free(clients[i]);
    dx_server_free(server);
    dx_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_restart)};

    return run_group(tests, NULL, NULL);
}
