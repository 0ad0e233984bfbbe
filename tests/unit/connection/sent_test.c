/*
 * sent_test.c - completions: in order, once, never from inside, before on_close, whichever way a
 * message leaves or does not. And who the peer is.
 */
#include "connection/connection_parts.h"
#include "support/connection/peer_bench.h"
#include "support/failing/system.h"
#include "support/test.h"
#include "unit/connection/frames.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint8_t block[200000];
static bool is_inside;

static void on_sent(struct dx_connection *connection, enum dx_err err, void *user)
{
    struct bench *bench = dx_connection_user(connection);

    assert_false(is_inside);
    bench_note(bench, "sent %s %s;", (const char *)user, dx_err_name(err));
}

static enum dx_err try_send(struct bench *bench, const void *data, size_t len, const char *name)
{
    enum dx_err err;

    is_inside = true;
    err = dx_connection_send_with(bench->connection, DX_OP_BINARY, data, len, on_sent,
                                  (void *)(uintptr_t)name);
    is_inside = false;
    return err;
}

static void send_named(struct bench *bench, size_t len, const char *name)
{
    assert_int_equal(try_send(bench, block, len, name), DX_OK);
}

/* Turns of the loop alone: the peer does not read. */
static void turn_deaf(struct bench *bench)
{
    bench->peer_has_ended = true;
    for (int i = 0; i < 3; i++)
        bench_turn(bench, 0);
    bench->peer_has_ended = false;
}

static void test_gathered_and_at_once_in_order(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.transport = BENCH_TCP;
    bench_open(&bench);
    bench_quiet(&bench);
    send_named(&bench, 10, "a");
    assert_int_equal(dx_connection_send(bench.connection, DX_OP_BINARY, block, 10), DX_OK);
    send_named(&bench, 0, "b");
    assert_string_equal(bench.journal, "");
    send_named(&bench, 20000, "c");
    assert_int_equal(dx_connection_buffered_amount(bench.connection), 0);
    assert_string_equal(bench.journal, "");
    send_named(&bench, 1, "d");
    turn_deaf(&bench);
    assert_string_equal(bench.journal, "sent a DX_OK;sent b DX_OK;sent c DX_OK;sent d DX_OK;");
    assert_int_equal(dx_connection_send_with(bench.connection, DX_OP_BINARY, block, 1, NULL, NULL),
                     DX_OK);
    assert_int_equal(dx_connection_send_with(bench.connection, DX_OP_PING, block, 1, on_sent, NULL),
                     DX_ERR_USAGE);
    assert_true(bench_until_wire(&bench, 12 + 12 + 2 + 20004 + 3 + 3));
    assert_string_equal(bench.journal + 13 * 4, "");
    bench_release(&bench);
}

/* Nothing is told of a message of which the kernel has only a part. */
static void test_what_waits_is_told_when_it_has_left(void **unused)
{
    struct bench bench;
    int full = 0;

    (void)unused;
    bench_init(&bench);
    bench.options.max_queue = 10000000;
    bench_open(&bench);
    do {
        send_named(&bench, 150000, "full");
        full++;
    } while (bench.connection->writing != DX_WRITING_BLOCKED);
    send_named(&bench, 5, "behind");
    turn_deaf(&bench);
    for (const char *at = bench.journal; (at = strstr(at, "full")) != NULL; at++)
        full--;
    assert_int_equal(full, 1);
    assert_null(strstr(bench.journal, "behind"));
    bench.journal[0] = '\0';
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "sent full DX_OK;sent behind DX_OK;");
    bench_release(&bench);
}

static void fill(struct bench *bench)
{
    while (bench->connection->writing != DX_WRITING_BLOCKED)
        assert_int_equal(dx_connection_send(bench->connection, DX_OP_BINARY, block, 10000), DX_OK);
}

static void test_a_close_comes_after_all(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench_open(&bench);
    fill(&bench);
    send_named(&bench, 10, "a");
    send_named(&bench, 20000, "b");
    assert_int_equal(dx_connection_close(bench.connection, 1000, NULL, 0), DX_OK);
    assert_int_equal(try_send(&bench, block, 1, "c"), DX_ERR_CLOSED);
    bench_quiet(&bench);
    bench_put_frame(&bench, CLOSE, CLOSE_1000, 2);
    assert_true(bench_until(&bench, bench_peer_has_ended));
    close(bench.peer);
    bench.peer = -1;
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "sent a DX_OK;sent b DX_OK;close:1000/1000 clean;");
    bench_release(&bench);
}

static void test_after_the_peers_close_too(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.handlers.on_peer_close = bench_on_peer_close;
    bench_open(&bench);
    bench_put_frame(&bench, CLOSE, CLOSE_1000, 2);
    bench_quiet(&bench);
    send_named(&bench, 1, "last");
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "peer_close:1000 ;sent last DX_OK;");
    bench_release(&bench);
}

static void test_an_abort_tells_which_have_left(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench_open(&bench);
    send_named(&bench, 20000, "a");
    fill(&bench);
    send_named(&bench, 20000, "b");
    send_named(&bench, 1, "c");
    dx_connection_abort(bench.connection, DX_ERR_TIMEOUT, "enough");
    assert_int_equal(try_send(&bench, block, 1, "d"), DX_ERR_CLOSED);
    assert_string_equal(bench.journal, "");
    turn_deaf(&bench);
    assert_string_equal(bench.journal, "sent a DX_OK;sent b DX_ERR_TIMEOUT;sent c DX_ERR_TIMEOUT;"
                                       "close:1006/0 DX_ERR_TIMEOUT;");
    bench_release(&bench);

    bench_init(&bench);
    bench_open(&bench);
    fill(&bench);
    send_named(&bench, 1, "a");
    dx_connection_abort(bench.connection, DX_OK, NULL);
    turn_deaf(&bench);
    assert_string_equal(bench.journal, "sent a DX_ERR_CLOSED;close:1006/0 clean;");
    bench_release(&bench);
}

static void test_a_peer_that_does_not_read(void **unused)
{
    struct bench bench;
    uint64_t end_ms = clock_ms() + PATIENCE_MS;

    (void)unused;
    bench_init(&bench);
    bench.options.write_timeout_ms = 40;
    bench_open(&bench);
    fill(&bench);
    send_named(&bench, 1, "a");
    while (bench.connection && clock_ms() < end_ms)
        turn_deaf(&bench);
    assert_string_equal(bench.journal, "sent a DX_ERR_TIMEOUT;close:1006/0 DX_ERR_TIMEOUT;");
    bench_release(&bench);
}

/* The write fails inside the call, at the turn's end, and while a message waits. */
static void test_write_errors(void **unused)
{
    for (int i = 0; i < 6; i++) {
        struct bench bench;
        bool is_direct = i % 3 == 0;
        bool waits = i % 3 == 2;
        enum dx_err err;

        (void)unused;
        bench_init(&bench);
        bench.options.close_timeout_ms = 20;
        bench_open(&bench);
        bench_quiet(&bench);
        if (waits)
            fill(&bench);
        failing_system_start(0);
        failing_system_fail_all(CALL_SENDMSG, i < 3 ? EPIPE : EBADF);
        failing_system_fail_all(CALL_SEND, i < 3 ? EPIPE : EBADF);
        err = try_send(&bench, block, is_direct ? 20000 : 100, "a");
        assert_int_equal(err, is_direct ? DX_ERR_CLOSED : DX_OK);
        if (!is_direct && i < 3)
            assert_int_equal(try_send(&bench, block, 100, "b"), DX_OK);
        assert_true(bench_until(&bench, bench_is_closed));
        failing_system_stop();
        if (is_direct)
            assert_string_equal(bench.journal, i < 3 ? "close:1006/0 DX_ERR_RESET;"
                                                     : "close:1006/0 DX_ERR_SYSTEM;");
        else
            assert_string_equal(
                bench.journal,
                i < 3 ? "sent a DX_ERR_RESET;sent b DX_ERR_RESET;close:1006/0 DX_ERR_RESET;"
                      : "sent a DX_ERR_SYSTEM;close:1006/0 DX_ERR_SYSTEM;");
        bench_release(&bench);
    }
}

/*
 * A large gathering is written inside the call; the write fails there, and the call has still said
 * that it was queued.
 */
static void test_a_message_lost_inside_the_call(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.options.max_queue = 1000;
    bench.options.close_timeout_ms = 20;
    bench_open(&bench);
    bench_quiet(&bench);
    failing_system_start(0);
    failing_system_fail_all(CALL_SENDMSG, EPIPE);
    failing_system_fail_all(CALL_SEND, EPIPE);
    assert_int_equal(try_send(&bench, block, 2000, "a"), DX_OK);
    assert_true(bench.connection->writing == DX_WRITING_BROKEN);
    failing_system_stop();
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "sent a DX_ERR_RESET;close:1006/0 DX_ERR_RESET;");
    bench_release(&bench);
}

static int left;

static void send_next(struct dx_connection *connection, enum dx_err err, void *user)
{
    on_sent(connection, err, user);
    if (err != DX_OK || left-- == 0)
        return;
    is_inside = true;
    assert_int_equal(dx_connection_send_with(connection, DX_OP_BINARY, block, left % 2 ? 1 : 20000,
                                             send_next, user),
                     DX_OK);
    is_inside = false;
}

static void abort_it(struct dx_connection *connection, enum dx_err err, void *user)
{
    on_sent(connection, err, user);
    dx_connection_abort(connection, DX_ERR_TIMEOUT, "from a completion");
}

static bool none_is_left(struct bench *bench)
{
    (void)bench;
    return left < 0;
}

static void test_from_inside_a_completion(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench_open(&bench);
    left = 40;
    assert_int_equal(
        dx_connection_send_with(bench.connection, DX_OP_BINARY, block, 1, send_next, (char *)"n"),
        DX_OK);
    /* Each is told in a later round: one turn does not go through all of them. */
    bench_turn(&bench, 0);
    assert_true(left > 10);
    assert_true(bench_until(&bench, none_is_left));
    bench_release(&bench);

    bench_init(&bench);
    bench_open(&bench);
    for (int i = 0; i < 2; i++)
        assert_int_equal(dx_connection_send_with(bench.connection, DX_OP_BINARY, block, 1, abort_it,
                                                 (char *)"n"),
                         DX_OK);
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "sent n DX_OK;sent n DX_OK;close:1006/0 DX_ERR_TIMEOUT;");
    bench_release(&bench);
}

static int told;

static void count_one(struct dx_connection *connection, enum dx_err err, void *user)
{
    (void)connection;
    assert_int_equal(err, DX_OK);
    assert_int_equal((uintptr_t)user, told);
    told++;
}

/*
 * Many wait, the ring grows and is given back; nothing is charged to the pool when they have left.
 */
static void test_many_wait_and_nothing_stays(void **unused)
{
    struct bench bench;
    uintptr_t count = 0;

    (void)unused;
    bench_init(&bench);
    bench.transport = BENCH_TCP;
    bench.options.max_queue = 10000000;
    bench_open(&bench);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000 * (round + 1); i++)
            assert_int_equal(dx_connection_send_with(bench.connection, DX_OP_BINARY, block, 300,
                                                     count_one, (void *)count++),
                             DX_OK);
        bench_turn(&bench, 0);
    }
    bench_quiet(&bench);
    assert_int_equal(told, count);
    assert_true(dx_loop_pool(bench.loop)->used_len < 512);
    bench_release(&bench);
}

static void test_who_the_peer_is(void **unused)
{
    struct dx_tls_facts facts = dx_tls_facts_init();
    struct sockaddr_in from;
    struct bench bench;
    char host[DX_HOST_ROOM] = "";
    uint16_t port = 1;

    (void)unused;
    bench_init(&bench);
    bench_open(&bench);
    assert_int_equal(dx_connection_peer(bench.connection, host, &port), DX_OK);
    assert_string_equal(host, "unix");
    assert_int_equal(port, 0);
    assert_false(dx_connection_tls(bench.connection, &facts));
    dx_connection_abort(bench.connection, DX_ERR_CLOSED, "over");
    assert_int_equal(dx_connection_peer(bench.connection, host, &port), DX_ERR_CLOSED);
    assert_false(dx_connection_tls(bench.connection, &facts));
    bench_release(&bench);

    bench_init(&bench);
    bench.transport = BENCH_TCP;
    bench_open(&bench);
    assert_int_equal(dx_connection_peer(bench.connection, host, &port), DX_OK);
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(getsockname(bench.peer, (struct sockaddr *)&from, &(socklen_t){sizeof(from)}),
                     0);
    assert_int_equal(port, ntohs(from.sin_port));
    bench_release(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gathered_and_at_once_in_order),
        cmocka_unit_test(test_what_waits_is_told_when_it_has_left),
        cmocka_unit_test(test_a_close_comes_after_all),
        cmocka_unit_test(test_after_the_peers_close_too),
        cmocka_unit_test(test_an_abort_tells_which_have_left),
        cmocka_unit_test(test_a_peer_that_does_not_read),
        cmocka_unit_test(test_write_errors),
        cmocka_unit_test(test_a_message_lost_inside_the_call),
        cmocka_unit_test(test_from_inside_a_completion),
        cmocka_unit_test(test_many_wait_and_nothing_stays),
        cmocka_unit_test(test_who_the_peer_is),
    };

    return run_group(tests, NULL, NULL);
}
