/*
 * deadlines_test.c - messages that stop half-way, pings and pongs: the connection against raw
 * bytes.
 */
#include "connection/connection_parts.h"
#include "support/connection/peer_bench.h"
#include "support/failing/system.h"
#include "support/test.h"
#include "unit/connection/frames.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

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
    begin_ms = clock_ms();
    for (int i = 0; i < 60; i++) {
        bench_put(&bench, "y", 1);
        while (clock_ms() < begin_ms + (uint64_t)i * 10)
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
    uint64_t end_ms = clock_ms() + 700;

    (void)unused;
    bench_init(&bench);
    bench.options.ping_interval_ms = 600;
    bench_open(&bench);
    while (clock_ms() < end_ms) {
        bench_put_frame(&bench, PONG, "", 0);
        bench_turn(&bench, 5);
    }
    assert_int_equal(bench.wire_len, 0);
    bench_release(&bench);
}

/*
 * A large message that is all in the system's buffers while the peer reads nothing; then a ping
 * behind it.
 */
static void ping_behind_much(struct bench *bench, enum bench_transport transport)
{
    static uint8_t block[140000];
    int small = 4096, large = 400000;

    bench_init(bench);
    bench->transport = transport;
    bench->options.ping_interval_ms = 20;
    bench->options.pong_timeout_ms = 40;
    bench_connect(bench);
    assert_int_equal(setsockopt(bench->fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof(large)), 0);
    assert_int_equal(setsockopt(bench->peer, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    bench_open(bench);
    bench->peer_has_ended = true; /* the test reads by itself */
    assert_int_equal(dx_connection_send(bench->connection, DX_OP_BINARY, block, sizeof(block)),
                     DX_OK);
    assert_false(bench->connection->writing == DX_WRITING_BLOCKED);
    while (!bench->connection->ping_is_out)
        bench_turn(bench, 5);
}

static int unsent_at(int fd)
{
    int unsent = -1;

    assert_int_equal(ioctl(fd, SIOCOUTQ, &unsent), 0);
    return unsent;
}

/* Reads until the sender's system has got rid of something. False: there was nothing. */
static bool read_some(struct bench *bench)
{
    char bytes[1024];
    int fd = bench->connection->stream.watch.fd;
    int before = unsent_at(fd);

    if (before == 0)
        return false;
    while (unsent_at(fd) == before)
        if (read(bench->peer, bytes, sizeof(bytes)) < 0)
            usleep(1000); /* on its way through the system */
    return true;
}

/*
 * Between two looks of the deadline something moves, however slowly: the peer lives, and answers in
 * the end.
 */
static void test_a_slow_reader_outlives_the_pong_timeout(void **unused)
{
    (void)unused;
    for (int transport = BENCH_UNIX; transport <= BENCH_TCP; transport++) {
        struct bench bench;
        int look_count = 0;

        ping_behind_much(&bench, (enum bench_transport)transport);
        while (look_count < 4 && read_some(&bench)) {
            uint32_t heard_ms = bench.connection->heard_ms;

            while (bench.connection && bench.connection->heard_ms == heard_ms)
                bench_turn(&bench, 5);
            assert_non_null(bench.connection);
            look_count++;
        }
        assert_true(look_count >= 2);
        bench.peer_has_ended = false;
        bench_put_frame(&bench, PONG, "", 0);
        bench_turn(&bench, 5);
        assert_false(bench.connection == NULL);
        assert_string_equal(bench.journal, "pong:;");
        bench_release(&bench);
    }
}

/*
 * One that reads nothing of what lies before the ping, and one whose system takes the ping but who
 * says nothing: the first look is the last.
 */
static void test_no_progress_is_the_end_at_once(void **unused)
{
    (void)unused;
    for (int i = 0; i < 6; i++) {
        struct bench bench;
        uint32_t heard_ms;

        if (i < 2 || i >= 4) {
            ping_behind_much(&bench, i % 2 ? BENCH_TCP : BENCH_UNIX);
        } else {
            bench_init(&bench);
            bench.transport = i == 2 ? BENCH_UNIX : BENCH_TCP;
            bench.options.ping_interval_ms = 20;
            bench.options.pong_timeout_ms = 40;
            bench_open(&bench);
            while (!bench.connection->ping_is_out)
                bench_turn(&bench, 5);
        }
        heard_ms = bench.connection->heard_ms;
        if (i >= 4) {
            /* It reads for one look, and then no more. */
            assert_true(read_some(&bench));
            while (bench.connection && bench.connection->heard_ms == heard_ms)
                bench_turn(&bench, 5);
            assert_non_null(bench.connection);
            heard_ms = bench.connection->heard_ms;
        }
        while (bench.connection) {
            assert_int_equal(bench.connection->heard_ms, heard_ms);
            bench_turn(&bench, 5);
        }
        assert_string_equal(bench.journal, "close:1006/0 DX_ERR_TIMEOUT;");
        bench_release(&bench);
    }
}

/* The pong's time passes while output is blocked; when it flows again the ping gets its time. */
static void test_a_ping_that_was_blocked_gets_its_time(void **unused)
{
    static uint8_t block[100000];
    struct bench bench;
    uint64_t end_ms;
    uint32_t heard_ms;

    (void)unused;
    bench_init(&bench);
    bench.options.ping_interval_ms = 20;
    bench.options.pong_timeout_ms = 400;
    bench_open(&bench);
    bench.peer_has_ended = true;
    while (!bench.connection->ping_is_out)
        bench_turn(&bench, 5);
    while (bench.connection->writing != DX_WRITING_BLOCKED)
        assert_int_equal(dx_connection_send(bench.connection, DX_OP_BINARY, block, sizeof(block)),
                         DX_OK);
    for (end_ms = clock_ms() + 500; clock_ms() < end_ms;)
        bench_turn(&bench, 20);
    assert_non_null(bench.connection);
    heard_ms = bench.connection->heard_ms;
    bench.peer_has_ended = false;
    while (bench.connection && bench.connection->writing == DX_WRITING_BLOCKED)
        bench_turn(&bench, 5);
    assert_non_null(bench.connection);
    assert_true(bench.connection->ping_is_out);
    assert_true((int32_t)(bench.connection->heard_ms - heard_ms) >= 400);
    bench_put_frame(&bench, PONG, "", 0);
    bench_turn(&bench, 5);
    assert_string_equal(bench.journal, "pong:;");
    bench_release(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_deadline),
        cmocka_unit_test(test_progress_keeps_a_message_alive),
        cmocka_unit_test(test_ping_and_pong),
        cmocka_unit_test(test_no_pings_for_a_peer_that_talks),
        cmocka_unit_test(test_a_slow_reader_outlives_the_pong_timeout),
        cmocka_unit_test(test_no_progress_is_the_end_at_once),
        cmocka_unit_test(test_a_ping_that_was_blocked_gets_its_time),
    };

    return run_group(tests, NULL, NULL);
}
