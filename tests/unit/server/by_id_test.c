/*
 * by_id_test.c - sending, closing and calling by id on one loop: what is done, what is refused,
 * what becomes of it when the connection or the server goes first, and each allocation failing in
 * turn. Other threads are by_id_threads_test.c's.
 */
#include "server/core/calls.h"
#include "support/failing/allocator.h"
#include "support/server/service.h"
#include "support/test.h"

#include <duplex/request.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS_MAX 64

static struct service service;
static uint64_t ids[IDS_MAX];
static size_t id_count, gone_count;
static enum dx_err said_on_close;
static unsigned called, called_without, done;

/* ---- the server's side ---- */

static void on_close(struct dx_connection *connection, const struct dx_close_info *info, void *user)
{
    (void)info;
    (void)user;
    gone_count++;
    /* A chat would tell the others. */
    said_on_close = dx_server_send(service.server, dx_connection_id(connection), DX_OP_TEXT, "", 0);
}

static const struct dx_connection_handlers handlers = {.size = sizeof(handlers),
                                                       .on_close = on_close};

static void on_request(struct dx_request *request, void *user)
{
    struct dx_connection *connection;

    (void)user;
    if (dx_request_accept(request, &handlers, NULL, &connection) == DX_OK)
        ids[id_count++ % IDS_MAX] = dx_connection_id(connection);
}

static bool add_routes(struct service *at, void *data)
{
    const struct dx_route route = {
        .size = sizeof(route), .on_request = on_request, .wants_upgrades = true};

    (void)data;
    return dx_server_route(at->server, "/", &route) == DX_OK;
}

static bool try_to_start(uint64_t max_memory)
{
    struct service_setup setup = service_setup_init();

    id_count = gone_count = 0;
    called = called_without = done = 0;
    setup.prepare = add_routes;
    setup.options.max_memory = max_memory;
    return service_start(&service, &setup);
}

static void start(void)
{
    assert_true(try_to_start(1 << 24));
}

static void open_some(struct raw *raws, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(raw_open(&raws[i], &service, "/"));
    assert_int_equal(id_count, count);
}

static void on_call(struct dx_connection *connection, void *user)
{
    called++;
    called_without += connection == NULL;
    if (connection != NULL && user != NULL)
        assert_true(dx_connection_id(connection) == *(uint64_t *)user);
}

static void on_done(void *user)
{
    (void)user;
    done++;
}

static bool are_closed(void *data)
{
    return gone_count == *(size_t *)data;
}

static bool is_called(void *data)
{
    return called == *(unsigned *)data;
}

static void wait_for_calls(unsigned count)
{
    assert_true(service_wait(&service, is_called, &count, PATIENCE_MS));
}

static enum dx_err send_text(uint64_t id, const char *text)
{
    return dx_server_send(service.server, id, DX_OP_TEXT, text, strlen(text));
}

/* ---- what is done ---- */

static void test_messages(void **state)
{
    struct raw raws[3];
    struct frame frame;
    char text[16];

    (void)state;
    start();
    open_some(raws, 3);
    for (int i = 0; i < 300; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        assert_int_equal(send_text(ids[i % 3], text), DX_OK);
    }
    assert_int_equal(dx_server_send(service.server, ids[1], DX_OP_BINARY, NULL, 0), DX_OK);
    for (int i = 0; i < 300; i++) {
        assert_true(raw_wait_frame(&raws[i % 3], &frame));
        assert_int_equal(frame.first, 0x81);
        assert_int_equal(atoi((const char *)frame.payload), i);
    }
    assert_true(raw_wait_frame(&raws[1], &frame));
    assert_int_equal(frame.first, 0x82);
    assert_int_equal(frame.len, 0);
    for (int i = 0; i < 3; i++)
        raw_close(&raws[i]);
    service_stop(&service);
}

/*
 * A message and the Close behind it, in that order; the reason is cut as dx_connection_close cuts
 * it.
 */
static void test_closing(void **state)
{
    static char reason[200];
    struct raw raws[2];
    struct frame frame;

    (void)state;
    memset(reason, 'r', sizeof(reason));
    memcpy(reason + 122, "\xc3\xa4", 2); /* a letter across the limit */
    start();
    open_some(raws, 2);
    assert_int_equal(send_text(ids[0], "last words"), DX_OK);
    assert_int_equal(
        dx_server_close_connection(service.server, ids[0], 3001, reason, sizeof(reason)), DX_OK);
    assert_int_equal(send_text(ids[0], "too late"), DX_OK);
    assert_int_equal(dx_server_close_connection(service.server, ids[1], 1005, NULL, 0), DX_OK);
    assert_true(raw_wait_frame(&raws[0], &frame));
    assert_string_equal(frame.payload, "last words");
    assert_true(raw_wait_frame(&raws[0], &frame));
    assert_int_equal(frame.first, 0x88);
    assert_int_equal(frame.len, 2 + 122);
    assert_memory_equal(frame.payload, "\x0b\xb9rr", 4);
    assert_true(raw_wait_frame(&raws[1], &frame));
    assert_int_equal(frame.len, 0);
    raw_close(&raws[0]);
    raw_close(&raws[1]);
    service_stop(&service);
}

/*
 * An id that names nothing any more: what was meant for it reaches nobody, and a call is told so.
 */
static void test_stale_ids(void **state)
{
    struct raw first, second;
    struct frame frame;
    uint64_t stale;
    size_t one = 1;

    (void)state;
    start();
    open_some(&first, 1);
    stale = ids[0];
    raw_close(&first);
    assert_true(service_wait(&service, are_closed, &one, PATIENCE_MS));
    assert_true(raw_open(&second, &service, "/")); /* it has the same place */
    assert_int_equal((uint32_t)ids[1], (uint32_t)stale);
    assert_true(ids[1] != stale);
    assert_int_equal(send_text(stale, "for the dead"), DX_OK);
    assert_int_equal(dx_server_close_connection(service.server, stale, 1000, NULL, 0), DX_OK);
    assert_int_equal(dx_server_call(service.server, stale, on_call, NULL), DX_OK);
    assert_int_equal(dx_server_call(service.server, ids[1], on_call, &ids[1]), DX_OK);
    assert_int_equal(send_text(ids[1], "for the living"), DX_OK);
    assert_int_equal(called, 0); /* nothing is done inside */
    assert_true(raw_wait_frame(&second, &frame));
    assert_string_equal(frame.payload, "for the living");
    assert_int_equal(called, 2);
    assert_int_equal(called_without, 1);
    raw_close(&second);
    service_stop(&service);
}

static void test_each(void **state)
{
    struct raw raws[5];
    struct frame frame;
    size_t five = 5;

    (void)state;
    start();
    assert_int_equal(dx_server_each_connection(service.server, on_call, on_done, NULL), DX_OK);
    assert_int_equal(done, 0);
    service_turn(&service, 5);
    assert_int_equal(done, 1);
    assert_int_equal(called, 0);
    open_some(raws, 5);
    assert_int_equal(dx_server_connection_count(service.server), 5);
    assert_int_equal(dx_server_each_connection(service.server, on_call, on_done, NULL), DX_OK);
    assert_int_equal(dx_server_each_connection(service.server, on_call, NULL, NULL), DX_OK);
    wait_for_calls(10);
    assert_int_equal(done, 2);
    assert_int_equal(called_without, 0);
    assert_int_equal(dx_server_close_all(service.server, 1012, "again soon", 10), DX_OK);
    for (size_t i = 0; i < 5; i++) {
        assert_true(raw_wait_frame(&raws[i], &frame));
        assert_int_equal(frame.first, 0x88);
        assert_memory_equal(frame.payload,
                            "\x03\xf4"
                            "again soon",
                            12);
        raw_close(&raws[i]);
    }
    assert_true(service_wait(&service, are_closed, &five, PATIENCE_MS));
    assert_int_equal(dx_server_connection_count(service.server), 0);
    assert_true(raw_open(&raws[0], &service, "/")); /* the server goes on */
    raw_close(&raws[0]);
    service_stop(&service);
}

static void abort_it(struct dx_connection *connection, void *user)
{
    (void)user;
    called++;
    dx_connection_abort(connection, DX_ERR_CLOSED, "the test wants it");
}

static void test_aborting_each(void **state)
{
    struct raw raws[5];
    size_t five = 5;

    (void)state;
    start();
    open_some(raws, 5);
    assert_int_equal(dx_server_each_connection(service.server, abort_it, on_done, NULL), DX_OK);
    assert_true(service_wait(&service, are_closed, &five, PATIENCE_MS));
    assert_int_equal(called, 5);
    assert_int_equal(done, 1);
    for (size_t i = 0; i < 5; i++)
        raw_close(&raws[i]);
    service_stop(&service);
}

/* ---- what is refused ---- */

static void test_ids_that_were_never_given(void **state)
{
    uint64_t generation = UINT64_C(1) << 32;
    struct raw raw;

    (void)state;
    start();
    assert_int_equal(send_text(generation, ""), DX_ERR_NOT_FOUND); /* nobody has come yet */
    open_some(&raw, 1);
    assert_true(ids[0] == generation);
    {
        const uint64_t never[] = {
            0, 1, ids[0] + 1, ids[0] | 1 << 26, ids[0] | UINT64_C(63) << 26, UINT64_MAX};

        for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
            assert_int_equal(send_text(never[i], ""), DX_ERR_NOT_FOUND);
            assert_int_equal(dx_server_close_connection(service.server, never[i], 1000, NULL, 0),
                             DX_ERR_NOT_FOUND);
            assert_int_equal(dx_server_call(service.server, never[i], on_call, NULL),
                             DX_ERR_NOT_FOUND);
        }
    }
    assert_int_equal(send_text(ids[0] + 5 * generation, ""), DX_OK); /* it might have been */
    service_turn(&service, 5);
    assert_int_equal(called, 0);
    raw_close(&raw);
    service_stop(&service);
}

static void test_usage(void **state)
{
    struct dx_server *server;
    struct raw raw;

    (void)state;
    start();
    server = service.server;
    open_some(&raw, 1);
    assert_int_equal(dx_server_send(server, ids[0], DX_OP_PING, "", 0), DX_ERR_USAGE);
    assert_int_equal(dx_server_send(server, ids[0], DX_OP_CLOSE, "", 0), DX_ERR_USAGE);
    assert_int_equal(dx_server_send(server, ids[0], DX_OP_CONTINUATION, "", 0), DX_ERR_USAGE);
    assert_int_equal(dx_server_send(server, ids[0], DX_OP_TEXT, "", (size_t)1 << 32),
                     DX_ERR_TOO_BIG);
    assert_int_equal(dx_server_close_connection(server, ids[0], 1006, NULL, 0), DX_ERR_USAGE);
    assert_int_equal(dx_server_close_connection(server, ids[0], 1005, "x", 1), DX_ERR_USAGE);
    assert_int_equal(dx_server_close_connection(server, ids[0], 1000, "\xff", 1), DX_ERR_USAGE);
    assert_int_equal(dx_server_close_all(server, 999, NULL, 0), DX_ERR_USAGE);
    assert_int_equal(dx_server_close_all(server, 1000, "\xc3", 1), DX_ERR_USAGE);
    assert_int_equal(dx_server_each_connection(server, NULL, on_done, NULL), DX_ERR_USAGE);
    service_turn(&service, 5);
    assert_int_equal(gone_count, 0);
    assert_int_equal(done, 0);
    raw_close(&raw);
    service_stop(&service);
}

static void test_too_many_calls(void **state)
{
    struct raw raw;

    (void)state;
    start();
    open_some(&raw, 1);
    for (unsigned i = 0; i < DX_CALLS_MAX; i++)
        assert_int_equal(dx_server_call(service.server, ids[0], on_call, NULL), DX_OK);
    assert_int_equal(dx_server_call(service.server, ids[0], on_call, NULL), DX_ERR_QUEUE_FULL);
    assert_int_equal(send_text(ids[0], "x"), DX_ERR_QUEUE_FULL);
    assert_int_equal(dx_server_close_all(service.server, 1000, NULL, 0), DX_ERR_QUEUE_FULL);
    assert_int_equal(dx_server_each_connection(service.server, on_call, on_done, NULL),
                     DX_ERR_QUEUE_FULL);
    wait_for_calls(DX_CALLS_MAX);
    assert_int_equal(done, 0);
    assert_int_equal(dx_server_call(service.server, ids[0], on_call, NULL), DX_OK);
    wait_for_calls(DX_CALLS_MAX + 1);
    raw_close(&raw);
    service_stop(&service);
}

static void test_too_many_bytes(void **state)
{
    static char bytes[1 << 18];
    struct raw raw;

    (void)state;
    memset(bytes, 'b', sizeof(bytes));
    assert_true(try_to_start(1 << 20));
    open_some(&raw, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(dx_server_send(service.server, ids[0], DX_OP_TEXT, bytes, sizeof(bytes)),
                         DX_OK);
    /* Four times a quarter, and what is beside the bytes: one too many. */
    assert_int_equal(dx_server_send(service.server, ids[0], DX_OP_TEXT, bytes, sizeof(bytes)),
                     DX_ERR_QUEUE_FULL);
    assert_int_equal(send_text(ids[0], "a small one fits"), DX_OK);
    assert_true(raw_wait_len(&raw, sizeof(bytes)));
    raw_consume(&raw, raw.len);
    assert_int_equal(dx_server_send(service.server, ids[0], DX_OP_TEXT, bytes, sizeof(bytes)),
                     DX_OK);
    raw_close(&raw);
    service_stop(&service);
}

/* ---- the server goes first ---- */

static void ask_for_everything(void)
{
    assert_int_equal(send_text(ids[0], "never sent"), DX_OK);
    assert_int_equal(dx_server_call(service.server, ids[0], on_call, NULL), DX_OK);
    assert_int_equal(dx_server_close_connection(service.server, ids[0], 1000, NULL, 0), DX_OK);
    assert_int_equal(dx_server_each_connection(service.server, on_call, on_done, NULL), DX_OK);
    assert_int_equal(dx_server_close_all(service.server, 1000, NULL, 0), DX_OK);
}

/*
 * With a connection the loop is turned once more, without one it is not: the calls come all the
 * same, and find nothing.
 */
static void test_freeing(void **state)
{
    struct raw raw;
    size_t one = 1;

    (void)state;
    for (int is_open = 0; is_open < 2; is_open++) {
        start();
        open_some(&raw, 1);
        if (!is_open) {
            raw_close(&raw);
            assert_true(service_wait(&service, are_closed, &one, PATIENCE_MS));
            assert_int_equal(said_on_close, DX_OK);
        }
        ask_for_everything();
        dx_server_free(service.server);
        assert_int_equal(done, 1);
        assert_int_equal(called, 1); /* the one by id: nothing is open for the other */
        assert_int_equal(called_without, 1);
        assert_int_equal(gone_count, 1);
        assert_int_equal(said_on_close, is_open ? DX_ERR_CLOSED : DX_OK);
        service.server = NULL;
        service_stop(&service);
        if (is_open)
            raw_close(&raw);
    }
}

static void free_it(struct dx_connection *connection, void *user)
{
    (void)user;
    called++;
    called_without += connection == NULL;
    if (called > 1)
        return;
    dx_server_free(service.server);
    assert_int_equal(send_text(ids[0], "x"), DX_ERR_CLOSED);
    assert_int_equal(dx_server_call(service.server, ids[0], free_it, NULL), DX_ERR_CLOSED);
    assert_int_equal(dx_server_each_connection(service.server, free_it, NULL, NULL), DX_ERR_CLOSED);
    assert_int_equal(dx_server_close_all(service.server, 1000, NULL, 0), DX_ERR_CLOSED);
}

/* Inside a call by id, or one for each, with more calls waiting before and behind. */
static void test_free_inside(void **state)
{
    struct raw raws[3];
    size_t three = 3;

    (void)state;
    for (int is_each = 0; is_each < 2; is_each++) {
        start();
        open_some(raws, 3);
        assert_int_equal(is_each ? dx_server_each_connection(service.server, free_it, on_done, NULL)
                                 : dx_server_call(service.server, ids[0], free_it, NULL),
                         DX_OK);
        ask_for_everything();
        assert_true(service_wait(&service, are_closed, &three, PATIENCE_MS));
        assert_int_equal(called, 2);
        assert_int_equal(called_without, 1); /* told that it is over, from inside */
        assert_int_equal(done, is_each ? 2 : 1);
        assert_int_equal(said_on_close, DX_ERR_CLOSED);
        service.server = NULL;
        service_stop(&service);
        for (size_t i = 0; i < 3; i++)
            raw_close(&raws[i]);
    }
}

/* ---- each allocation failing in turn ---- */

#define STEPS 5

/* One by one: each either says what failed, or is done whole. Returns how many were refused. */
static unsigned ask(enum dx_err said[STEPS])
{
    unsigned refused = 0;

    said[0] = send_text(ids[0], "hello");
    said[1] = dx_server_call(service.server, ids[0], on_call, &ids[0]);
    said[2] = dx_server_each_connection(service.server, on_call, on_done, NULL);
    said[3] = dx_server_close_connection(service.server, ids[0], 1000, "bye", 3);
    said[4] = dx_server_close_all(service.server, 1001, NULL, 0);
    for (int i = 0; i < STEPS; i++) {
        assert_true(said[i] == DX_OK || said[i] == DX_ERR_NOMEM);
        refused += said[i] != DX_OK;
    }
    return refused;
}

static void test_failing_allocations(void **state)
{
    enum dx_err said[STEPS];
    unsigned injected = 0;
    struct frame frame;
    struct raw raw;
    bool has_failed;

    (void)state;
    for (size_t nth = 1;; nth++) {
        start();
        open_some(&raw, 1);
        /* What the queue of the loop's posts keeps from before must not hide its own allocation. */
        failing_allocator_start(nth);
        assert_true(ask(said) <= 1);
        has_failed = failing_allocator_stop();
        service_turn(&service, 5);
        if (said[0] == DX_OK)
            assert_true(raw_wait_frame(&raw, &frame) && frame.first == 0x81);
        assert_int_equal(called, (said[1] == DX_OK) + (said[2] == DX_OK));
        assert_int_equal(done, said[2] == DX_OK);
        assert_true(raw_wait_frame(&raw, &frame) && frame.first == 0x88);
        assert_memory_equal(frame.payload, said[3] == DX_OK ? "\x03\xe8" : "\x03\xe9", 2);
        raw_close(&raw);
        service_stop(&service);
        assert_int_equal(failing_allocator_live(), 0);
        if (!has_failed)
            break;
        injected++;
    }
    assert_true(injected >= STEPS);
    print_message("injected %u failures\n", injected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),       cmocka_unit_test(test_closing),
        cmocka_unit_test(test_stale_ids),      cmocka_unit_test(test_each),
        cmocka_unit_test(test_aborting_each),  cmocka_unit_test(test_ids_that_were_never_given),
        cmocka_unit_test(test_usage),          cmocka_unit_test(test_too_many_calls),
        cmocka_unit_test(test_too_many_bytes), cmocka_unit_test(test_freeing),
        cmocka_unit_test(test_free_inside),    cmocka_unit_test(test_failing_allocations),
    };

    return run_group(tests, NULL, NULL);
}
