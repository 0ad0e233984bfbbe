/*
 * connection_test.c - messages in and out, closing, ends of stream, deadlines: the connection against raw bytes.
 */
#include "connection/connection_parts.h"
#include "support/failing_system.h"
#include "support/peer_bench.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define TEXT 0x81
#define BINARY 0x82
#define CLOSE 0x88
#define PING 0x89
#define PONG 0x8a

#define assert_wire(bench, text)                                                                   \
 do {                                                                                              \
  assert_int_equal((bench)->wire_len, sizeof(text) - 1);                                           \
  assert_memory_equal((bench)->wire, text, sizeof(text) - 1);                                      \
 } while (0)

static const uint8_t close_1000[] = {0x03, 0xe8};

static void echo(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data, size_t len)
{
    assert_int_equal(dx_connection_send(connection, opcode, data, len), DX_OK);
}

static size_t write_count(void)
{
    return failing_system_count(CALL_SEND) + failing_system_count(CALL_SENDMSG);
}

/* An idle connection is its struct alone, in one allocation. */
static void test_size(void **unused)
{
    void *block = malloc(sizeof(struct dx_connection));

    (void)unused;
    print_message("a connection: %zu bytes, %zu of the heap\n", sizeof(struct dx_connection),
                  malloc_usable_size(block) + sizeof(size_t));
    assert_true(malloc_usable_size(block) + sizeof(size_t) <= 400);
    free(block);
}

static void test_idle_owns_nothing(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.head = "HTTP/1.1 101\r\n\r\n";
    bench_open(&bench);
    bench_put_frame(&bench, TEXT, "hello", 5);
    bench_quiet(&bench);
    assert_wire(&bench, "HTTP/1.1 101\r\n\r\n");
    assert_string_equal(bench.journal, "text:hello;");
    assert_null(bench.connection->message);
    assert_null(bench.connection->kept);
    assert_null(bench.connection->output.first);
    assert_int_equal(dx_loop_pool(bench.loop)->used_len, 0);
    assert_int_equal(dx_connection_buffered_len(bench.connection), 0);
    assert_ptr_equal(dx_connection_loop(bench.connection), bench.loop);
    assert_ptr_equal(dx_connection_owner(bench.connection), &bench);
    assert_null(dx_connection_subprotocol(bench.connection));
    bench_release(&bench);
}

static void test_one_write_for_many_messages(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.handlers.on_message = echo;
    bench_open(&bench);
    bench_quiet(&bench);
    for (int i = 0; i < 10; i++)
        bench_put_frame(&bench, TEXT, "hi", 2);
    failing_system_start(0);
    assert_true(bench_until_wire(&bench, 40));
    assert_int_equal(failing_system_count(CALL_RECV), 1);
    assert_int_equal(write_count(), 1);
    assert_int_equal(failing_system_count(CALL_EPOLL_CTL), 0);
    failing_system_stop();
    assert_memory_equal(bench.wire, "\x81\x02hi\x81\x02hi", 8);

    /* Sends from outside the connection's callback: one write a turn, too. */
    bench_clear_wire(&bench);
    failing_system_start(0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(dx_connection_send(bench.connection, DX_OP_BINARY, "yo", 2), DX_OK);
    assert_int_equal(write_count(), 0);
    assert_true(bench_until_wire(&bench, 40));
    assert_int_equal(write_count(), 1);
    failing_system_stop();

    struct dx_connection_counts counts;
    dx_connection_counts(bench.connection, &counts);
    assert_int_equal(counts.messages_in, 10);
    assert_int_equal(counts.bytes_in, 20);
    assert_int_equal(counts.messages_out, 20);
    assert_int_equal(counts.bytes_out, 40);
    bench_release(&bench);
}

static void test_large_message_goes_at_once_and_comes_whole(void **unused)
{
    static uint8_t payload[3000000];
    struct bench bench;

    (void)unused;
    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (uint8_t)(i * 7 + i / 251);
    for (int transport = BENCH_UNIX; transport <= BENCH_TCP; transport++) {
        bench_init(&bench);
        bench.transport = (enum bench_transport)transport;
        bench.handlers.on_message = echo;
        bench.options.max_message = sizeof(payload);
        bench_open(&bench);
        for (int round = 0; round < 3; round++) {
            bench_clear_wire(&bench);
            bench_put_frame(&bench, BINARY, payload, sizeof(payload));
            assert_true(bench_until_wire(&bench, sizeof(payload) + 10));
            assert_int_equal(bench.wire_len, sizeof(payload) + 10);
            assert_memory_equal(bench.wire + 10, payload, sizeof(payload));
        }
        assert_null(bench.connection->message);
        bench_release(&bench);
    }
}

static void test_large_message_is_sent_from_the_callers_memory(void **unused)
{
    static uint8_t payload[40000];
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench_open(&bench);
    bench_quiet(&bench);
    assert_int_equal(dx_connection_send(bench.connection, DX_OP_TEXT, "first", 5), DX_OK);
    failing_system_start(0);
    assert_int_equal(dx_connection_send(bench.connection, DX_OP_BINARY, payload, sizeof(payload)),
                     DX_OK);
    assert_int_equal(write_count(), 1);
    assert_int_equal(dx_connection_buffered_len(bench.connection), 0);
    failing_system_stop();
    bench_turn(&bench, 0);
    assert_int_equal(bench.wire_len, 7 + 4 + sizeof(payload));
    assert_memory_equal(bench.wire,
                        "\x81\x05"
                        "first\x82\x7e\x9c\x40",
                        11);
    bench_release(&bench);
}

static void test_fragments_in(void **unused)
{
    static uint8_t part[50000];
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench_open(&bench);
    bench_put_frame(&bench, 0x01, "ab", 2);
    bench_quiet(&bench);
    bench_put_frame(&bench, PING, "x", 1);
    bench_put_frame(&bench, 0x00, "", 0);
    bench_quiet(&bench);
    bench_put_frame(&bench, 0x80, "cd", 2);
    bench_put_frame(&bench, 0x02, part, sizeof(part));
    bench_put_frame(&bench, 0x00, part, sizeof(part));
    bench_put_frame(&bench, 0x80, part, sizeof(part));
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "text:abcd;binary:#150000;");
    assert_wire(&bench, "\x8a\x01x");
    bench_release(&bench);
}

static void on_chunk(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                     size_t len, bool is_first, bool is_last)
{
    struct bench *bench = dx_connection_user(connection);

    (void)data;
    assert_int_equal(opcode, DX_OP_BINARY);
    bench->chunk_len += len;
    if (is_first)
        bench_note(bench, "first;");
    if (is_last)
        bench_note(bench, "last;");
}

static void test_chunks_in_constant_memory(void **unused)
{
    static uint8_t payload[5000000];
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.handlers.on_chunk = on_chunk;
    bench.options.max_message = 0;
    bench_open(&bench);
    dx_loop_set_max_memory(bench.loop, 0);
    bench_put_frame(&bench, BINARY, payload, sizeof(payload));
    bench_quiet(&bench);
    assert_int_equal(bench.chunk_len, sizeof(payload));
    assert_string_equal(bench.journal, "first;last;");
    bench_release(&bench);
}

static void test_early_bytes_come_after_the_caller_has_returned(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.early = "\x81\x82\0\0\0\0hi\x81\x82\0\0\0\0";
    bench.early_len = 14;
    bench_open(&bench);
    assert_string_equal(bench.journal, "");
    bench_put(&bench, "yo", 2);
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "text:hi;text:yo;");
    assert_null(bench.connection->kept);
    bench_release(&bench);
}

static void pause_at_message(struct bench *bench, char what)
{
    if (what == 'm')
        dx_connection_pause(bench->connection);
}

static void test_pause_between_two_messages(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.act = pause_at_message;
    bench_open(&bench);
    bench_put(&bench,
              "\x81\x81\0\0\0\0"
              "1\x81\x81\0\0\0\0"
              "2\x81\x81\0\0\0\0"
              "3",
              21);
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "text:1;");
    assert_int_equal(bench.connection->kept->len, 14);
    dx_connection_resume(bench.connection);
    assert_string_equal(bench.journal, "text:1;");
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "text:1;text:2;");
    bench.act = NULL;
    dx_connection_resume(bench.connection);
    dx_connection_pause(bench.connection);
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "text:1;text:2;");
    dx_connection_resume(bench.connection);
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "text:1;text:2;text:3;");
    assert_null(bench.connection->kept);
    bench_release(&bench);
}

static void pause_and_resume(struct bench *bench, char what)
{
    if (what != 'm')
        return;
    dx_connection_pause(bench->connection);
    dx_connection_resume(bench->connection);
    bench_note(bench, "<");
}

static void test_resume_inside_a_callback_does_not_recurse(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.act = pause_and_resume;
    bench_open(&bench);
    bench_put(&bench,
              "\x81\x81\0\0\0\0"
              "1\x81\x81\0\0\0\0"
              "2",
              14);
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "text:1;<text:2;<");
    bench_release(&bench);
}

/* ---- closing ---- */

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
    bench_put_frame(&bench, CLOSE, close_1000, 2);
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
    uint64_t begin_ms = bench_clock_ms();

    (void)unused;
    bench_init(&bench);
    bench.options.close_timeout_ms = 50;
    bench_open(&bench);
    assert_int_equal(dx_connection_close(bench.connection, 1000, NULL, 0), DX_OK);
    assert_true(bench_until(&bench, bench_is_closed));
    assert_true(bench_clock_ms() - begin_ms >= 48);
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
    bench_put_frame(&bench, CLOSE, close_1000, 2);
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
    bench.handlers.on_message = echo;
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
    bench_put_frame(&bench, CLOSE, close_1000, 2);
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

/* ---- deadlines ---- */

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
    uint64_t end_ms = bench_clock_ms() + 10000;

    (void)unused;
    bench_init(&bench);
    bench.options.write_timeout_ms = 50;
    bench.options.ping_interval_ms = 10;
    bench.options.max_queue = 100000;
    bench_open(&bench);
    congest(&bench);
    while (bench.connection && bench_clock_ms() < end_ms)
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
    assert_int_equal(dx_connection_buffered_len(bench.connection), 0);
    bench_quiet(&bench);
    assert_string_equal(bench.journal, "drain;");
    congest(&bench);
    do {
        assert_true(dx_connection_buffered_len(bench.connection) <= 400000 + 16);
        err = dx_connection_send(bench.connection, DX_OP_BINARY, block, sizeof(block));
    } while (err == DX_OK);
    assert_int_equal(err, DX_ERR_QUEUE_FULL);
    assert_int_equal(dx_connection_send(bench.connection, DX_OP_BINARY, block, 1), DX_ERR_CLOSED);
    assert_int_equal(bench.close_count, 0);
    bench_turn(&bench, 0);
    assert_string_equal(bench.journal, "drain;close:1006/0 DX_ERR_QUEUE_FULL;");
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
    for (uint64_t end_ms = bench_clock_ms() + 100; bench_clock_ms() < end_ms;)
        turn_deaf(&bench, 10);
    /* The close deadline runs from when the Close has left. */
    assert_non_null(bench.connection);
    assert_true(bench_until(&bench, bench_is_closed));
    assert_memory_equal(bench.wire + bench.wire_len - 4, "\x88\x02\x03\xe8", 4);
    bench_release(&bench);
}

/* ---- a client against a server ---- */

static void test_client_role(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.role = DX_ROLE_CLIENT;
    bench.options.close_timeout_ms = 40;
    bench_open(&bench);
    bench_put_frame(&bench, TEXT, "hi", 2);
    assert_int_equal(dx_connection_send(bench.connection, DX_OP_TEXT, "yo", 2), DX_OK);
    assert_true(bench_until_wire(&bench, 8));
    assert_memory_equal(bench.wire, "\x81\x82", 2);
    for (int i = 0; i < 2; i++)
        bench.wire[6 + i] ^= bench.wire[2 + i];
    assert_memory_equal(bench.wire + 6, "yo", 2);
    bench_put_frame(&bench, CLOSE, close_1000, 2);
    assert_true(bench_until_wire(&bench, 16));
    /* The client waits for the server to end the stream, but not for ever. */
    assert_true(bench_until(&bench, bench_is_closed));
    assert_string_equal(bench.journal, "text:hi;close:1000/1000 clean;");
    bench_release(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_idle_owns_nothing),
        cmocka_unit_test(test_one_write_for_many_messages),
        cmocka_unit_test(test_large_message_goes_at_once_and_comes_whole),
        cmocka_unit_test(test_large_message_is_sent_from_the_callers_memory),
        cmocka_unit_test(test_fragments_in),
        cmocka_unit_test(test_chunks_in_constant_memory),
        cmocka_unit_test(test_early_bytes_come_after_the_caller_has_returned),
        cmocka_unit_test(test_pause_between_two_messages),
        cmocka_unit_test(test_resume_inside_a_callback_does_not_recurse),
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
        cmocka_unit_test(test_message_deadline),
        cmocka_unit_test(test_progress_keeps_a_message_alive),
        cmocka_unit_test(test_ping_and_pong),
        cmocka_unit_test(test_no_pings_for_a_peer_that_talks),
        cmocka_unit_test(test_write_deadline),
        cmocka_unit_test(test_congestion_drain_and_the_end_of_patience),
        cmocka_unit_test(test_close_behind_a_queue),
        cmocka_unit_test(test_client_role),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
