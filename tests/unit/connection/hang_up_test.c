/*
 * hang_up_test.c - a connection that does not read learns of its peer's end all the same, and
 * within 100 ms.
 */
#include "connection/connection_parts.h"
#include "support/connection/peer_bench.h"
#include "support/failing/system.h"
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_told(struct bench *bench)
{
    return strstr(bench->journal, "hang_up;") != NULL;
}

static void pause_at_message(struct bench *bench, char what)
{
    if (what == 'm')
        dx_connection_pause(bench->connection);
}

/*
 * Fills everything between the two ends; returns the bytes that were taken after the first message.
 */
static size_t flood(struct bench *bench)
{
    static uint8_t block[65536];
    size_t total = 0;
    int blocked = 0;

    block[0] = 0x82;
    block[1] = 0xff;
    block[6] = 1; /* a frame of 16 MiB, and what follows it */
    bench_put_frame(bench, 0x81, "stop", 4);
    bench_quiet(bench);
    while (blocked < 20) {
        ssize_t put =
            send(bench->peer, total ? block + 64 : block, total ? 65536 - 64 : 64, MSG_NOSIGNAL);

        if (put > 0) {
            total += (size_t)put;
            continue;
        }
        assert_int_equal(errno, EAGAIN);
        blocked++;
        bench_turn(bench, 2);
    }
    return total;
}

static void test_peer_floods_until_it_blocks_and_closes(void **unused)
{
    struct bench bench;
    uint64_t begin_ms;
    uint64_t told_ms;
    size_t total;

    (void)unused;
    for (int transport = BENCH_UNIX; transport <= BENCH_TCP; transport++) {
        bench_init(&bench);
        bench.transport = (enum bench_transport)transport;
        bench.options.max_message = 1 << 30;
        bench.act = pause_at_message;
        bench_open(&bench);
        total = flood(&bench);
        /* Nothing of it is held here beyond one read. */
        assert_true(dx_loop_pool(bench.loop)->used_len <= 70000);
        assert_false(is_told(&bench));
        close(bench.peer);
        bench.peer = -1;
        begin_ms = clock_ms();
        assert_true(bench_until(&bench, is_told));
        told_ms = clock_ms() - begin_ms;
        print_message("%s: %zu bytes wait, told after %u ms\n", transport ? "tcp" : "unix", total,
                      (unsigned)told_ms);
        /* Far before any deadline would find it: 100 ms where nothing else runs. */
        assert_true(told_ms <= 10000);
        assert_int_equal(bench.close_count, 0);
        /* Told once, and the descriptor that is gone does not keep the loop busy. */
        failing_system_start(0);
        for (int i = 0; i < 20; i++)
            bench_turn(&bench, 2);
        assert_int_equal(failing_system_count(CALL_RECV), 0);
        assert_true(failing_system_count(CALL_EPOLL_CTL) <= 4);
        failing_system_stop();
        assert_string_equal(bench.journal, "text:stop;hang_up;");
        /* What was sent before is still to be had. */
        bench.handlers.on_message = NULL;
        dx_connection_resume(bench.connection);
        assert_true(bench_until(&bench, bench_is_closed));
        assert_int_equal(bench.info.code, 1006);
        bench_release(&bench);
    }
}

static void test_half_closed_while_paused(void **unused)
{
    struct bench bench;

    (void)unused;
    for (int transport = BENCH_UNIX; transport <= BENCH_TCP; transport++) {
        bench_init(&bench);
        bench.transport = (enum bench_transport)transport;
        bench.act = pause_at_message;
        bench_open(&bench);
        bench_put_frame(&bench, 0x81, "1", 1);
        bench_quiet(&bench);
        bench_put_frame(&bench, 0x81, "2", 1);
        bench_put_frame(&bench, 0x88, "\x03\xe8", 2);
        assert_int_equal(shutdown(bench.peer, SHUT_WR), 0);
        assert_true(bench_until(&bench, is_told));
        bench_quiet(&bench);
        assert_string_equal(bench.journal, "text:1;hang_up;");
        bench.act = NULL;
        /* The peer still reads. */
        assert_int_equal(dx_connection_send(bench.connection, DX_OP_TEXT, "still", 5), DX_OK);
        assert_true(bench_until_wire(&bench, 7));
        dx_connection_resume(bench.connection);
        assert_true(bench_until(&bench, bench_is_closed));
        assert_string_equal(bench.journal, "text:1;hang_up;text:2;close:1000/1000 clean;");
        bench_release(&bench);
    }
}

static void abort_at_hang_up(struct bench *bench, char what)
{
    pause_at_message(bench, what);
    if (what == 'h')
        dx_connection_abort(bench->connection, DX_ERR_CLOSED, "nobody is there");
}

static void test_reset_while_paused(void **unused)
{
    const struct linger none = {1, 0};
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.transport = BENCH_TCP;
    bench.act = abort_at_hang_up;
    bench_open(&bench);
    bench_put_frame(&bench, 0x81, "1", 1);
    bench_quiet(&bench);
    assert_int_equal(setsockopt(bench.peer, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
    close(bench.peer);
    bench.peer = -1;
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "text:1;hang_up;close:1006/0 DX_ERR_CLOSED;");
    bench_release(&bench);
}

/*
 * A pause costs nothing while the kernel has no unread input, and a pong now and then while it has.
 */
static void test_price_of_a_pause(void **unused)
{
    struct bench bench;
    uint64_t end_ms;

    (void)unused;
    bench_init(&bench);
    bench.transport = BENCH_TCP;
    bench.act = pause_at_message;
    bench_open(&bench);
    bench_put_frame(&bench, 0x81, "1", 1);
    for (end_ms = clock_ms() + 200; clock_ms() < end_ms;)
        bench_turn(&bench, 50);
    assert_int_equal(bench.wire_len, 0);
    bench_put_frame(&bench, 0x81, "2", 1);
    for (end_ms = clock_ms() + 300; clock_ms() < end_ms;)
        bench_turn(&bench, 50);
    assert_in_range(bench.wire_len, 4, 14);
    for (size_t i = 0; i < bench.wire_len; i += 2)
        assert_memory_equal(bench.wire + i, "\x8a\x00", 2);
    bench_release(&bench);
}

/* A paused connection is not asked for pongs that it could not hear. */
static void test_no_ping_while_paused(void **unused)
{
    struct bench bench;
    uint64_t end_ms;

    (void)unused;
    bench_init(&bench);
    bench.options.ping_interval_ms = 20;
    bench.options.pong_timeout_ms = 20;
    bench.options.message_timeout_ms = 20;
    bench.act = pause_at_message;
    bench_open(&bench);
    bench_put_frame(&bench, 0x81, "1", 1);
    for (end_ms = clock_ms() + 120; clock_ms() < end_ms;)
        bench_turn(&bench, 10);
    assert_string_equal(bench.journal, "text:1;");
    assert_int_equal(bench.wire_len, 0);
    bench.act = NULL;
    dx_connection_resume(bench.connection);
    assert_true(bench_until_wire(&bench, 2));
    assert_memory_equal(bench.wire, "\x89\x00", 2);
    bench_release(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peer_floods_until_it_blocks_and_closes),
        cmocka_unit_test(test_half_closed_while_paused),
        cmocka_unit_test(test_reset_while_paused),
        cmocka_unit_test(test_price_of_a_pause),
        cmocka_unit_test(test_no_ping_while_paused),
    };

    return run_group(tests, NULL, NULL);
}
