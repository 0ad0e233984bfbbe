/*
 * close_test.c - how a server ends: at once, in a drain, a second time sooner, with requests
 * undecided, and when it is freed without any of that.
 */
#include "net/loop/loop.h"
#include "support/server/service.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENTS 50
#define CLOSE_1001 "\x88\x02\x03\xe9"

static struct service service;
static struct answer answer;
static size_t closed_calls;

static void on_closed(void *user)
{
    (void)user;
    closed_calls++;
}

static bool is_closed(void *data)
{
    (void)data;
    return closed_calls > 0;
}

static bool one_is_kept(void *data)
{
    (void)data;
    return service.kept_count == 1;
}

static void start(const struct service_setup *setup)
{
    closed_calls = 0;
    assert_true(service_start(&service, setup));
}

static void start_default(void)
{
    struct service_setup setup = service_setup_init();

    start(&setup);
}

/* Answers the server's Close, as a client does. */
static void answer_close(struct raw *raw)
{
    uint8_t frame[16];
    size_t len = frame_write(frame, 0x88, "\x03\xe9", 2);

    assert_true(raw_wait_len(raw, 4));
    assert_int_equal(raw->len, 4);
    assert_memory_equal(raw->in, CLOSE_1001, 4);
    assert_true(raw_send(raw, frame, len, 0));
    assert_true(raw_wait_end(raw));
    raw_close(raw);
}

static void test_nothing_is_open(void **state)
{
    (void)state;
    start_default();
    dx_server_close(service.server, 0, on_closed, NULL);
    assert_int_equal(closed_calls, 0); /* never from inside a call */
    assert_true(service_wait(&service, is_closed, NULL, PATIENCE_MS));
    dx_server_close(service.server, 0, on_closed, NULL);
    service_turn(&service, 20);
    assert_int_equal(closed_calls, 1);
    service_stop(&service);
}

/* The last stream is gone before the look is over that has told it to go. */
static void test_only_an_idle_connection(void **state)
{
    struct raw idle;

    (void)state;
    start_default();
    (void)raw_connect(&idle, &service, false);
    assert_true(raw_send_text(&idle, "GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert_true(raw_wait_answer(&idle, &answer, false));
    dx_server_close(service.server, 0, on_closed, NULL);
    assert_true(service_wait(&service, is_closed, NULL, PATIENCE_MS));
    service_turn(&service, 20);
    assert_int_equal(closed_calls, 1);
    raw_close(&idle);
    service_stop(&service);
}

static void test_at_once(void **state)
{
    struct raw sockets[3], idle, busy, late;

    (void)state;
    start_default();
    for (int i = 0; i < 3; i++)
        assert_true(raw_open(&sockets[i], &service, "/"));
    assert_int_equal(dx_server_connection_count(service.server), 3);
    (void)raw_connect(&idle, &service, false);
    assert_true(raw_send_text(&idle, "GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert_true(raw_wait_answer(&idle, &answer, false));
    (void)raw_connect(&busy, &service, false);
    assert_true(raw_send_text(&busy, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert_true(service_wait(&service, one_is_kept, NULL, PATIENCE_MS));
    dx_server_close(service.server, 0, on_closed, NULL);
    assert_true(raw_wait_end(&idle));
    assert_int_equal(idle.len, 0);
    raw_close(&idle);
    assert_true(raw_wait_answer(&busy, &answer, false));
    assert_int_equal(answer.status, 503);
    assert_int_equal(service.abandoned_count, 1);
    assert_true(raw_wait_end(&busy));
    raw_close(&busy);
    assert_false(raw_connect(&late, &service, true));
    raw_close(&late);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(closed_calls, 0);
        answer_close(&sockets[i]);
    }
    assert_true(service_wait(&service, is_closed, NULL, PATIENCE_MS));
    assert_int_equal(closed_calls, 1);
    assert_int_equal(service.closed_count, 3);
    assert_int_equal(dx_server_connection_count(service.server), 0);
    assert_int_equal(service_log_has(&service, "info closed peer=127.0.0.1:"), 3);
    assert_int_equal(service_log_has(&service, " path=/ code=1001 sent_code=1001 "), 3);
    service_stop(&service);
}

static size_t count_told(struct raw *sockets)
{
    size_t told = 0;

    for (int i = 0; i < CLIENTS; i++)
        told += raw_wait_len(&sockets[i], 0) && sockets[i].len > 0;
    return told;
}

/*
 * The first that has not got its Close yet echoes, unless its Close comes at that moment. One that
 * has got it would be cut at the close timeout.
 */
static bool goes_on(struct raw *sockets)
{
    struct raw *open = sockets;
    uint8_t frame[16];
    size_t len = frame_write(frame, 0x81, "more", 4);

    while (open->len > 0)
        open++;
    if (!raw_send(open, frame, len, 0) || !raw_wait_len(open, 1))
        return false;
    if (open->in[0] == 0x88)
        return true;
    if (!raw_wait_len(open, 6) || memcmp(open->in, "\x81\x04more", 6) != 0)
        return false;
    raw_consume(open, 6);
    return true;
}

/*
 * Neither all at the beginning nor all at the end: with 50 clients either would be a chance of 2 to
 * the 250.
 */
static void test_drain_spreads(void **state)
{
    struct raw sockets[CLIENTS];
    uint64_t begin_ms;
    size_t early;

    (void)state;
    start_default();
    for (int i = 0; i < CLIENTS; i++)
        assert_true(raw_open(&sockets[i], &service, "/"));
    begin_ms = clock_ms();
    /* So long that even a machine that stands still for seconds is inside. */
    dx_server_close(service.server, 20000, on_closed, NULL);
    do {
        service_turn(&service, 10);
        early = count_told(sockets);
    } while (early == 0 && clock_ms() < begin_ms + PATIENCE_MS);
    assert_in_range(early, 1, CLIENTS - 1);
    assert_true(goes_on(sockets));
    dx_server_close(service.server, 0, on_closed, NULL);
    for (int i = 0; i < CLIENTS; i++)
        answer_close(&sockets[i]);
    assert_true(service_wait(&service, is_closed, NULL, PATIENCE_MS));
    service_stop(&service);
}

static void test_second_call_shortens(void **state)
{
    struct raw raw;

    (void)state;
    start_default();
    assert_true(raw_open(&raw, &service, "/"));
    dx_server_close(service.server, 3600000, on_closed, NULL);
    service_turn(&service, 30);
    dx_server_close(service.server, 0, on_closed, NULL);
    answer_close(&raw);
    assert_true(service_wait(&service, is_closed, NULL, PATIENCE_MS));
    assert_int_equal(closed_calls, 1);
    service_stop(&service);
}

/* A peer that never answers has close_timeout. */
static void test_close_timeout_bounds(void **state)
{
    struct service_setup setup = service_setup_init();
    uint64_t begin_ms;
    struct raw raw;

    (void)state;
    setup.connection.close_timeout_ms = 200;
    start(&setup);
    assert_true(raw_open(&raw, &service, "/"));
    begin_ms = clock_ms();
    dx_server_close(service.server, 0, on_closed, NULL);
    assert_true(service_wait(&service, is_closed, NULL, PATIENCE_MS));
    assert_true(clock_ms() - begin_ms >= 190);
    raw_close(&raw);
    service_stop(&service);
}

static void test_routes_own_ending(void **state)
{
    struct service_setup setup = service_setup_init();
    uint8_t frame[16];
    struct raw raw;
    size_t len;

    (void)state;
    setup.ends_by_itself = true;
    start(&setup);
    assert_true(raw_open(&raw, &service, "/"));
    dx_server_close(service.server, 0, on_closed, NULL);
    assert_true(raw_wait_len(&raw, 14));
    assert_int_equal(raw.len, 14);
    assert_memory_equal(raw.in, "\x88\x0c\x0b\xb9own ending", 14);
    len = frame_write(frame, 0x88, "\x0b\xb9", 2);
    assert_true(raw_send(&raw, frame, len, 0));
    assert_true(service_wait(&service, is_closed, NULL, PATIENCE_MS));
    assert_int_equal(service.shutdown_count, 1);
    raw_close(&raw);
    service_stop(&service);
}

static void test_freed_with_everything_open(void **state)
{
    struct raw socket, idle, later;

    (void)state;
    start_default();
    assert_true(raw_open(&socket, &service, "/"));
    (void)raw_connect(&idle, &service, false);
    assert_true(raw_send_text(&idle, "GET /pla"));
    (void)raw_connect(&later, &service, false);
    assert_true(raw_send_text(&later, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert_true(service_wait(&service, one_is_kept, NULL, PATIENCE_MS));
    dx_server_free(service.server);
    service.server = NULL;
    assert_int_equal(service.closed_count, 1);
    assert_int_equal(service.abandoned_count, 1);
    assert_int_equal(dx_loop_pool(service.loop)->used_len, 0);
    raw_close(&socket);
    raw_close(&idle);
    raw_close(&later);
    service_stop(&service);
}

static void free_inside(void *data)
{
    (void)data;
    dx_server_free(service.server);
    service.server = NULL;
}

static bool is_freed(void *data)
{
    (void)data;
    return service.server == NULL;
}

static void test_freed_inside_a_callback(void **state)
{
    struct raw socket;

    (void)state;
    start_default();
    assert_true(raw_open(&socket, &service, "/"));
    assert_int_equal(dx_loop_post(service.loop, free_inside, NULL), DX_OK);
    assert_true(service_wait(&service, is_freed, NULL, PATIENCE_MS));
    service_turn(&service, 20);
    assert_int_equal(service.closed_count, 1);
    raw_close(&socket);
    service_stop(&service);
}

static void free_when_closed(void *user)
{
    closed_calls++;
    free_inside(user);
}

static void test_freed_in_on_closed(void **state)
{
    struct raw socket;

    (void)state;
    start_default();
    assert_true(raw_open(&socket, &service, "/"));
    dx_server_close(service.server, 0, free_when_closed, NULL);
    answer_close(&socket);
    assert_true(service_wait(&service, is_closed, NULL, PATIENCE_MS));
    service_stop(&service);
}

static void test_unix_socket(void **state)
{
    struct service_setup setup = service_setup_init();
    char address[64];
    struct raw raw;

    (void)state;
    (void)snprintf(address, sizeof(address), "unix:/tmp/duplex-close-test-%d", (int)getpid());
    setup.address = address;
    start(&setup);
    assert_string_equal(dx_server_url(service.server, 0), address);
    assert_int_equal(access(address + 5, F_OK), 0);
    assert_true(raw_open(&raw, &service, "/"));
    assert_true(raw_echo(&raw, "hello"));
    dx_server_close(service.server, 0, on_closed, NULL);
    answer_close(&raw);
    assert_true(service_wait(&service, is_closed, NULL, PATIENCE_MS));
    assert_int_equal(service_log_has(&service, "info closed peer=unix path=/"), 1);
    assert_int_not_equal(access(address + 5, F_OK), 0);
    service_stop(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_open),
        cmocka_unit_test(test_only_an_idle_connection),
        cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_drain_spreads),
        cmocka_unit_test(test_second_call_shortens),
        cmocka_unit_test(test_close_timeout_bounds),
        cmocka_unit_test(test_routes_own_ending),
        cmocka_unit_test(test_freed_with_everything_open),
        cmocka_unit_test(test_freed_inside_a_callback),
        cmocka_unit_test(test_freed_in_on_closed),
        cmocka_unit_test(test_unix_socket),
    };

    return run_group(tests, NULL, NULL);
}
