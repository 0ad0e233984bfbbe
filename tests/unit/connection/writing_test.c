/*
 * writing_test.c - a peer that does not read: deadline, congestion, a Close behind a queue, memory
 * that ends.
 */
#include "connection/connection_parts.h"
#include "support/connection/peer_bench.h"
#include "support/failing/system.h"
#include "support/test.h"
#include "unit/connection/frames.h"

#include <errno.h>
#include <string.h>

/* Sends until the connection is congested; the peer reads nothing. */
static void congest(struct bench *bench)
{
    static uint8_t block[10000];

    while (!dx_connection_is_congested(bench->connection))
        assert_int_equal(dx_connection_send(bench->connection, DX_OP_BINARY, block, sizeof(block)),
                         DX_OK);
}

/* A turn of the loop alone: the peer does not read. */
static void turn_deaf(struct bench *bench, int wait_ms)
{
    bool was = bench->peer_has_ended;

    bench->peer_has_ended = true;
    bench_turn(bench, wait_ms);
    bench->peer_has_ended = was;
}

static void test_write_deadline(void **unused)
{
    struct bench bench;
    uint64_t end_ms = clock_ms() + PATIENCE_MS;

    (void)unused;
    bench_init(&bench);
    bench.options.write_timeout_ms = 50;
    bench.options.ping_interval_ms = 10;
    bench.options.max_queue = 100000;
    bench_open(&bench);
    congest(&bench);
    while (bench.connection && clock_ms() < end_ms)
        turn_deaf(&bench, 10);
    assert_string_equal(bench.journal, "close:1006/0 DX_ERR_TIMEOUT;");
    bench_release(&bench);
}

static void test_congestion_drain_and_the_end_of_patience(void **unused)
{
    static uint8_t block[20000];
    struct bench bench;
    enum dx_err err;

    (void)unused;
    bench_init(&bench);
    bench.options.max_queue = 100000;
    bench_open(&bench);
    congest(&bench);
    turn_deaf(&bench, 1);
    assert_string_equal(bench.journal, "");
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "drain;");
    assert_int_equal(dx_connection_buffered_amount(bench.connection), 0);
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "drain;");
    congest(&bench);
    do {
        assert_true(dx_connection_buffered_amount(bench.connection) <= 400000 + 16);
        err = dx_connection_send(bench.connection, DX_OP_BINARY, block, sizeof(block));
    } while (err == DX_OK);
    assert_int_equal(err, DX_ERR_QUEUE_FULL);
    assert_int_equal(dx_connection_send(bench.connection, DX_OP_BINARY, block, 1), DX_ERR_CLOSED);
    assert_int_equal(bench.close_count, 0);
    bench_turn(&bench, 0);
    assert_string_equal(bench.journal, "drain;close:1006/0 DX_ERR_QUEUE_FULL;");
    bench_release(&bench);
}

/* Half of one byte is none, and less than that never waits. */
static void test_drain_with_the_smallest_limit(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.options.max_queue = 1;
    bench_open(&bench);
    congest(&bench);
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "drain;");
    bench_release(&bench);
}

static void test_close_behind_a_queue(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.options.close_timeout_ms = 60;
    bench_open(&bench);
    congest(&bench);
    assert_int_equal(dx_connection_close(bench.connection, 1000, NULL, 0), DX_OK);
    for (uint64_t end_ms = clock_ms() + 100; clock_ms() < end_ms;)
        turn_deaf(&bench, 10);
    /* The close deadline runs from when the Close has left. */
    assert_non_null(bench.connection);
    assert_true(bench_until(&bench, bench_is_closed));
    assert_memory_equal(bench.wire + bench.wire_len - 4, "\x88\x02\x03\xe8", 4);
    bench_release(&bench);
}

/*
 * The kernel takes nothing of a large message and there is no memory to keep it: as if it had never
 * been sent.
 */
static void test_a_message_refused_for_memory_leaves_nothing_blocked(void **unused)
{
    static uint8_t block[20000];
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.options.write_timeout_ms = 30;
    bench_open(&bench);
    bench_quiet(&bench);
    failing_system_start(0);
    failing_system_fail_all(CALL_SENDMSG, EAGAIN);
    dx_loop_set_max_memory(bench.loop, 0);
    assert_int_equal(dx_connection_send(bench.connection, DX_OP_BINARY, block, sizeof(block)),
                     DX_ERR_TOO_MANY);
    failing_system_stop();
    dx_loop_set_max_memory(bench.loop, 1048576);
    bench_put_frame(&bench, TEXT, "hi", 2);
    for (uint64_t end_ms = clock_ms() + 100; clock_ms() < end_ms;)
        bench_turn(&bench, 10);
    /* No deadline has passed, and the loop does not wait for what is writable all the time. */
    assert_string_equal(bench.journal, "text:hi;");
    assert_int_equal(bench.connection->stream.watch.wanted, DX_WATCH_READ);
    assert_int_equal(dx_connection_send(bench.connection, DX_OP_TEXT, "on", 2), DX_OK);
    assert_true(bench_until_wire(&bench, 4));
    assert_wire(&bench, "\x81\x02on");
    bench_release(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_deadline),
        cmocka_unit_test(test_congestion_drain_and_the_end_of_patience),
        cmocka_unit_test(test_drain_with_the_smallest_limit),
        cmocka_unit_test(test_close_behind_a_queue),
        cmocka_unit_test(test_a_message_refused_for_memory_leaves_nothing_blocked),
    };

    return run_group(tests, NULL, NULL);
}
