/*
 * connection_test.c - messages in and out, pauses, size: the connection against raw bytes. How it
 * ends is closing_test.c, deadlines_test.c and writing_test.c.
 */
#include "connection/connection_parts.h"
#include "support/connection/peer_bench.h"
#include "support/failing/system.h"
#include "support/test.h"
#include "unit/connection/frames.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
    assert_true(malloc_usable_size(block) + sizeof(size_t) <= 352);
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
    assert_int_equal(dx_connection_buffered_amount(bench.connection), 0);
    assert_ptr_equal(dx_connection_loop(bench.connection), bench.loop);
    assert_null(*(void **)dx_connection_owner(bench.connection));
    assert_ptr_equal(dx_connection_of_owner(dx_connection_owner(bench.connection)),
                     bench.connection);
    assert_ptr_equal(dx_connection_kind(bench.connection), &bench.kind);
    assert_null(dx_connection_subprotocol(bench.connection));
    bench_release(&bench);
}

static void test_one_write_for_many_messages(void **unused)
{
    struct bench bench;

    (void)unused;
    bench_init(&bench);
    bench.handlers.on_message = bench_echo;
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

    struct dx_connection_metrics counts = dx_connection_metrics_init();
    dx_connection_metrics(bench.connection, &counts);
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
        bench.handlers.on_message = bench_echo;
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
    assert_int_equal(dx_connection_buffered_amount(bench.connection), 0);
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
                     size_t len, bool is_first, bool is_last, void *user)
{
    struct bench *bench = user;

    (void)connection;
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
    bench_put_frame(&bench, CLOSE, CLOSE_1000, 2);
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
        cmocka_unit_test(test_client_role),
    };

    return run_group(tests, NULL, NULL);
}
