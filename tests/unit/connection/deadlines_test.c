/*
 * deadlines_test.c - messages that stop half-way, pings and pongs: the connection against raw bytes.
 */
#include "connection/connection_parts.h"
#include "support/failing_system.h"
#include "support/peer_bench.h"
#include "unit/connection/frames.h"

#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_message_deadline(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.options.message_timeout_ms = 60;
    bench_open(&bench);
    bench_put_frame(&bench, 0x01, "a", 1);
    for (int i = 0; i < 4 && bench.wire_len < 12; i++) {
        bench_turn(&bench, 20);
        bench_put_frame(&bench, PING, "", 0);
    }
    assert_true(bench_until(&bench, bench_peer_has_ended));
    close(bench.peer);
    bench.peer = -1;
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "close:1006/1008 DX_ERR_TIMEOUT;");
    bench_release(&bench);
}

static void test_progress_keeps_a_message_alive(void **unused)
{
    struct bench bench;
    uint64_t begin_ms;

    (void)unused;
    bench_init(&bench);
    bench.options.message_timeout_ms = 400;
    bench_open(&bench);
    bench_put(&bench, "\x81\xbc\0\0\0\0", 6);
    begin_ms = bench_clock_ms();
    for (int i = 0; i < 60; i++) {
        bench_put(&bench, "y", 1);
        while (bench_clock_ms() < begin_ms + (uint64_t)i * 10)
            bench_turn(&bench, 5);
    }
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "text:#60;");
    bench_release(&bench);
}

static void test_ping_and_pong(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.options.ping_interval_ms = 30;
    bench.options.pong_timeout_ms = 60;
    bench_open(&bench);
    for (int i = 1; i <= 3; i++) {
        assert_true(bench_until_wire(&bench, (size_t)i * 2));
        bench_put_frame(&bench, PONG, "", 0);
    }
    assert_memory_equal(bench.wire, "\x89\0\x89\0\x89\0", 6);
    bench.journal[0] = '\0';
    assert_true(bench_until(&bench, bench_is_closed));
    assert_non_null(strstr(bench.journal, "close:1006/0 DX_ERR_TIMEOUT;"));
    bench_release(&bench);
}

static void test_no_pings_for_a_peer_that_talks(void **unused)
{
    struct bench bench;
    uint64_t end_ms = bench_clock_ms() + 700;

    (void)unused;
    bench_init(&bench);
    bench.options.ping_interval_ms = 600;
    bench_open(&bench);
    while (bench_clock_ms() < end_ms) {
        bench_put_frame(&bench, PONG, "", 0);
        bench_turn(&bench, 5);
    }
    assert_int_equal(bench.wire_len, 0);
    bench_release(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_deadline),
        cmocka_unit_test(test_progress_keeps_a_message_alive),
        cmocka_unit_test(test_ping_and_pong),
        cmocka_unit_test(test_no_pings_for_a_peer_that_talks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
