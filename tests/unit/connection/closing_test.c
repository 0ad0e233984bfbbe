/*
 * closing_test.c - closing handshakes, ends of stream, resets, failures: the connection against raw
 * bytes.
 */
#include "connection/connection_parts.h"
#include "support/connection/peer_bench.h"
#include "support/failing/system.h"
#include "support/test.h"
#include "unit/connection/frames.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_peer_closes(void **unused)
{
    static const struct {
        const char *body;
        size_t len;
        const char *journal;
        const char *reason;
    } rows[] = {
        {"\x03\xe8", 2, "close:1000/1000 clean;", ""},
        {"\x03\xe9going", 7, "close:1001/1001 clean;", "going"},
        {"", 0, "close:1005/1005 clean;", ""},
        {"\x0f\xa0", 2, "close:4000/4000 clean;", ""},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench bench;

        bench_init(&bench);
        bench.transport = BENCH_TCP;
        bench_open(&bench);
        bench_put_frame(&bench, CLOSE, rows[i].body, rows[i].len);
        assert_true(bench_until(&bench, bench_is_closed));
        assert_true(bench_until(&bench, bench_peer_has_ended));
        assert_string_equal(bench.journal, rows[i].journal);
        assert_string_equal(bench.reason, rows[i].reason);
        /* The same code, no reason, then the end of the stream without a reset. */
        assert_false(bench.peer_was_reset);
        assert_int_equal(bench.wire_len, rows[i].len >= 2 ? 4 : 2);
        assert_int_equal(bench.wire[0], CLOSE);
        if (rows[i].len >= 2)
            assert_memory_equal(bench.wire + 2, rows[i].body, 2);
        bench_release(&bench);
    }
}

static void close_at_message(struct bench *bench, char what)
{
    if (what == 'm')
        assert_int_equal(dx_connection_close(bench->connection, 1000, "bye", 3), DX_OK);
}

static void test_we_close(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.transport = BENCH_TCP;
    bench.act = close_at_message;
    bench_open(&bench);
    assert_int_equal(dx_connection_send(bench.connection, DX_OP_TEXT, "last", 4), DX_OK);
    bench_put_frame(&bench, TEXT, "x", 1);
    assert_true(bench_until_wire(&bench, 13));
    assert_wire(&bench, "\x81\x04last\x88\x05\x03\xe8"
                        "bye");
    assert_int_equal(dx_connection_send(bench.connection, DX_OP_TEXT, "no", 2), DX_ERR_CLOSED);
    assert_int_equal(dx_connection_close(bench.connection, 1001, NULL, 0), DX_OK);
    bench.act = NULL;
    /* What the peer still says before its Close is told. */
    bench_put_frame(&bench, TEXT, "y", 1);
    bench_put_frame(&bench, CLOSE, CLOSE_1000, 2);
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "text:x;text:y;close:1000/1000 clean;");
    assert_true(bench_until(&bench, bench_peer_has_ended));
    assert_false(bench.peer_was_reset);
    assert_int_equal(bench.wire_len, 13);
    bench_release(&bench);
}

static void test_codes_that_must_not_be_sent(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench_open(&bench);
    assert_int_equal(dx_connection_close(bench.connection, 1006, NULL, 0), DX_ERR_USAGE);
    assert_int_equal(dx_connection_close(bench.connection, 999, NULL, 0), DX_ERR_USAGE);
    bench_quiet(&bench);
    assert_int_equal(bench.wire_len, 0);
    assert_int_equal(dx_connection_close(bench.connection, 1005, NULL, 0), DX_OK);
    bench_quiet(&bench);
    assert_wire(&bench, "\x88\x00");
    bench_release(&bench);
}

static void test_peer_never_answers_our_close(void **unused)
{
    struct bench bench;
    uint64_t begin_ms = clock_ms();

    (void)unused;
    bench_init(&bench);
    bench.options.close_timeout_ms = 50;
    bench_open(&bench);
    assert_int_equal(dx_connection_close(bench.connection, 1000, NULL, 0), DX_OK);
    assert_true(bench_until(&bench, bench_is_closed));
    assert_true(clock_ms() - begin_ms >= 48);
    assert_string_equal(bench.journal, "close:1006/1000 DX_ERR_TIMEOUT;");
    assert_wire(&bench, "\x88\x02\x03\xe8");
    bench_release(&bench);
}

static void answer_at_close(struct bench *bench, char what)
{
    if (what != 'c')
        return;
    assert_int_equal(dx_connection_send(bench->connection, DX_OP_TEXT, "wait", 4), DX_OK);
    assert_int_equal(dx_connection_close(bench->connection, 4321, NULL, 0), DX_OK);
}

static void test_owner_answers_the_close(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.handlers.on_peer_close = bench_on_peer_close;
    bench.act = answer_at_close;
    bench_open(&bench);
    bench_put_frame(&bench, CLOSE, "\x03\xe9why", 5);
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "peer_close:1001 why;close:1001/4321 clean;");
    assert_string_equal(bench.reason, "why");
    bench_turn(&bench, 0);
    assert_wire(&bench, "\x81\x04wait\x88\x02\x10\xe1");
    bench_release(&bench);
}

static void test_owner_forgets_to_answer_the_close(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.handlers.on_peer_close = bench_on_peer_close;
    bench.options.close_timeout_ms = 30;
    bench_open(&bench);
    bench_put_frame(&bench, CLOSE, CLOSE_1000, 2);
    /* A half-closed stream can still be answered on. */
    assert_int_equal(shutdown(bench.peer, SHUT_WR), 0);
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "peer_close:1000 ;close:1000/1000 clean;");
    bench_turn(&bench, 0);
    assert_wire(&bench, "\x88\x02\x03\xe8");
    bench_release(&bench);
}

static void test_end_of_stream_after_a_message(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.transport = BENCH_TCP;
    bench.handlers.on_message = bench_echo;
    bench_open(&bench);
    bench_put_frame(&bench, TEXT, "hi", 2);
    assert_int_equal(shutdown(bench.peer, SHUT_WR), 0);
    assert_true(bench_until(&bench, bench_is_closed));
    assert_true(bench_until(&bench, bench_peer_has_ended));
    assert_wire(&bench, "\x81\x02hi");
    assert_false(bench.peer_was_reset);
    assert_string_equal(bench.journal, "close:1006/0 DX_ERR_CLOSED;");
    bench_release(&bench);
}

static void reset_peer(struct bench *bench)
{
    const struct linger none = {1, 0};

    assert_int_equal(setsockopt(bench->peer, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
    close(bench->peer);
    bench->peer = -1;
}

static void test_reset_in_mid_frame(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.transport = BENCH_TCP;
    bench_open(&bench);
    bench_put(&bench, "\x81\x85\0\0\0\0he", 8);
    bench_quiet(&bench);
    reset_peer(&bench);
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "close:1006/0 DX_ERR_RESET;");
    bench_release(&bench);
}

static void test_our_failing_close_is_not_lost(void **unused)
{
    static uint8_t junk[300000];
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.transport = BENCH_TCP;
    bench_open(&bench);
    bench_put(&bench, "\x81\x01x", 3); /* not masked */
    bench_quiet(&bench);
    /* The peer still talks when our Close and our end have gone out. */
    bench_put(&bench, junk, sizeof(junk));
    assert_true(bench_until(&bench, bench_peer_has_ended));
    assert_false(bench.peer_was_reset);
    assert_int_equal(bench.wire[0], CLOSE);
    assert_int_equal(bench.wire[1], bench.wire_len - 2);
    assert_memory_equal(bench.wire + 2, "\x03\xea", 2);
    assert_non_null(bench.connection);
    close(bench.peer);
    bench.peer = -1;
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "close:1006/1002 DX_ERR_PROTOCOL;");
    bench_release(&bench);
}

static void test_failed_and_the_peer_stays(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.options.close_timeout_ms = 40;
    bench_open(&bench);
    bench_put(&bench, "\x83\x80\0\0\0\0", 6);
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "close:1006/1002 DX_ERR_PROTOCOL;");
    bench_release(&bench);
}

static void test_more_behind_the_close(void **unused)
{
    static uint8_t junk[1000000];
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.transport = BENCH_TCP;
    bench_open(&bench);
    bench_put_frame(&bench, CLOSE, CLOSE_1000, 2);
    bench_put(&bench, "\x81\x81\0\0\0\0x", 7);
    /* As much as the kernel takes, before the connection has had a turn. */
    (void)!send(bench.peer, junk, sizeof(junk), MSG_NOSIGNAL);
    assert_true(bench_until(&bench, bench_peer_has_ended));
    assert_false(bench.peer_was_reset);
    assert_wire(&bench, "\x88\x02\x03\xe8");
    close(bench.peer);
    bench.peer = -1;
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "close:1000/1000 clean;");
    bench_release(&bench);
}

/*
 * Puts frames of 60,000 bytes until the connection is gone, `max_len` are put, or, without turns,
 * no more fit; returns how many.
 */
static size_t flood(struct bench *bench, size_t max_len, bool turns)
{
    static uint8_t frame[8 + 60000] = {BINARY, 0x80 | 126, 60000 >> 8, 60000 & 0xff};
    size_t len = 0;

    while (bench->connection && len < max_len) {
        size_t at = len % sizeof(frame);
        ssize_t put = send(bench->peer, frame + at, sizeof(frame) - at, MSG_NOSIGNAL);

        if (put > 0)
            len += (size_t)put;
        else if (errno != EAGAIN || !turns)
            break;
        if (turns)
            bench_turn(bench, 0);
    }
    return len;
}

/*
 * Who goes on sending behind our Close is read no more than four of the longest messages, or a
 * mebibyte.
 */
static void test_a_flood_behind_our_close_is_cut(void **unused)
{
    static const struct {
        uint64_t max_message;
        size_t limit;
        bool peer_closes;
        bool peer_fails;
        const char *journal;
    } rows[] = {
        {60000, 1048576, false, false, "close:1006/1000 DX_ERR_TOO_BIG;"},
        {400000, 1600000, false, false, "close:1006/1000 DX_ERR_TOO_BIG;"},
        {60000, 1048576, true, false, "close:1000/1000 clean;"},
        {60000, 1048576, false, true, "close:1006/1002 DX_ERR_PROTOCOL;"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench bench;
        int large = 400000;
        size_t len;

        bench_init(&bench);
        bench.transport = BENCH_TCP;
        bench_connect(&bench);
        assert_int_equal(setsockopt(bench.fd, SOL_SOCKET, SO_RCVBUF, &large, sizeof(large)), 0);
        bench.handlers.on_message = NULL;
        bench.options.max_message = rows[i].max_message;
        bench.options.close_timeout_ms = 60000;
        bench.options.ping_interval_ms = 0;
        bench_open(&bench);
        if (rows[i].peer_closes)
            bench_put_frame(&bench, CLOSE, CLOSE_1000, 2);
        else if (rows[i].peer_fails)
            bench_put_frame(&bench, 0xff, "", 0);
        else
            assert_int_equal(dx_connection_close(bench.connection, 1000, NULL, 0), DX_OK);
        /* Behind the peer's Close so much lies there already that the end is not taken for near. */
        len = flood(&bench, rows[i].peer_closes ? 400000 : 0, false);
        flood(&bench, rows[i].limit - 100000 - len, true);
        assert_non_null(bench.connection);
        len = flood(&bench, 20000000, true);
        assert_null(bench.connection);
        /* The rest of what was put had gone as far as the system's buffers. */
        assert_true(len < 16000000);
        assert_string_equal(bench.journal, rows[i].journal);
        bench_release(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peer_closes),
        cmocka_unit_test(test_we_close),
        cmocka_unit_test(test_codes_that_must_not_be_sent),
        cmocka_unit_test(test_peer_never_answers_our_close),
        cmocka_unit_test(test_owner_answers_the_close),
        cmocka_unit_test(test_owner_forgets_to_answer_the_close),
        cmocka_unit_test(test_end_of_stream_after_a_message),
        cmocka_unit_test(test_reset_in_mid_frame),
        cmocka_unit_test(test_our_failing_close_is_not_lost),
        cmocka_unit_test(test_failed_and_the_peer_stays),
        cmocka_unit_test(test_more_behind_the_close),
        cmocka_unit_test(test_a_flood_behind_our_close_is_cut),
    };

    return run_group(tests, NULL, NULL);
}
