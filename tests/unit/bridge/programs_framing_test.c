/*
 * programs_framing_test.c - between messages and a program's bytes, both ways: the framings and
 * their options, over a real connection.
 */
#include "bridge/program/program.h"
#include "support/bridge/program_bench.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct program_bench bench;
static struct raw raw;

static int set_up(void **state)
{
    (void)state;
    program_bench_init(&bench);
    return 0;
}

static void start(const char *script)
{
    program_bench_script(&bench, script);
    assert_true(program_bench_start(&bench));
    program_open(&bench, &raw, "/");
}

static int tear_down(void **state)
{
    (void)state;
    program_bench_stop(&bench);
    return 0;
}

static void send_text(const char *text)
{
    program_send(&raw, 0x81, text, strlen(text));
}

/* What the program has read, as od shows it. */
static const char read_one_line[] = "head -n 1 | od -An -c | tr -d ' \\n'; echo";

static void test_newlines_keep(void **state)
{
    (void)state;
    start("cat -E");
    send_text("a\nb\\n\r");
    program_expect(&raw, 't', "a$");
    program_expect(&raw, 't', "b\\n^M$");
    send_text("");
    program_expect(&raw, 't', "$");
    raw_close(&raw);
}

static void test_newlines_escape(void **state)
{
    (void)state;
    bench.options.newlines = DX_NEWLINES_ESCAPE;
    start("cat -E");
    send_text("a\nb\\n\r");
    program_expect(&raw, 't', "a\\nb\\\\n\\r$");
    raw_close(&raw);
}

static void test_newlines_reject(void **state)
{
    (void)state;
    bench.options.newlines = DX_NEWLINES_REJECT;
    start("cat");
    send_text("fine");
    send_text("a\nb");
    send_text("too late");
    program_expect(&raw, 't', "fine");
    program_expect_close(&raw, 1003, "a newline inside a message");
}

static void test_binary_to_lines(void **state)
{
    (void)state;
    start("cat");
    send_text("fine");
    program_send(&raw, 0x82, "bytes", 5);
    program_expect(&raw, 't', "fine");
    program_expect_close(&raw, 1003, "this program accepts text only");
}

static void test_text_to_binary(void **state)
{
    struct frame frame;
    size_t len = 0;

    (void)state;
    bench.options.framing = DX_FRAMING_BINARY;
    start("head -c 5");
    send_text("abc");
    program_send(&raw, 0x82, "\0\n", 2);
    while (len < 5) {
        assert_true(raw_wait_frame(&raw, &frame));
        assert_int_equal(frame.first, 0x82);
        assert_memory_equal(frame.payload, &"abc\0\n"[len], frame.len);
        len += frame.len;
    }
    program_expect_close(&raw, 1000, "");
}

static void test_a_fragmented_message_is_one_line(void **state)
{
    (void)state;
    start(read_one_line);
    program_send(&raw, 0x01, "a", 1);
    program_send(&raw, 0x89, "", 0);
    program_send(&raw, 0x00, "", 0);
    program_send(&raw, 0x80, "b", 1);
    assert_true(raw_wait_len(&raw, 2));
    assert_memory_equal(raw.in, "\x8a\0", 2);
    raw_consume(&raw, 2);
    program_expect(&raw, 't', "ab\\n");
    program_expect_close(&raw, 1000, "");
}

/* ---- length ---- */

static void test_lengths_to_the_program(void **state)
{
    (void)state;
    bench.options.framing = DX_FRAMING_LENGTH;
    start("od -An -c -N 18 | tr -d ' \\n' >&2; echo >&2");
    program_send(&raw, 0x01, "he", 2);
    program_send(&raw, 0x80, "y", 1);
    program_send(&raw, 0x82, "\n", 1);
    send_text("");
    program_expect_close(&raw, 1000, "");
    assert_true(program_bench_wait_log(&bench, "line=t\\0\\0\\0003heyb\\0\\0\\0001\\nt\\0\\0\\0"));
}

/* Without answers_text_ping, "ping" is a message like any other. */
static void test_a_ping_in_lengths(void **state)
{
    (void)state;
    bench.options.framing = DX_FRAMING_LENGTH;
    start("exec cat");
    send_text("ping");
    program_expect(&raw, 't', "ping");
    raw_close(&raw);
}

static void test_lengths_from_the_program(void **state)
{
    (void)state;
    bench.options.framing = DX_FRAMING_LENGTH;
    start("printf 't\\0\\0\\0\\3'; sleep 0.05; printf 'heyb\\0\\0\\0\\1\\nt\\0\\0\\0\\0'; printf "
          "'b\\0\\0'; sleep 0.05;"
          "printf '\\0\\2\\377\\376'");
    program_expect(&raw, 't', "hey");
    program_expect(&raw, 'b', "\n");
    program_expect(&raw, 't', "");
    program_expect(&raw, 'b', "\xff\xfe");
    program_expect_close(&raw, 1000, "");
}

static void test_lengths_cut_at_the_end(void **state)
{
    (void)state;
    bench.options.framing = DX_FRAMING_LENGTH;
    start("printf 't\\0\\0\\0\\3he'");
    assert_true(raw_wait_len(&raw, 4));
    assert_memory_equal(raw.in, "\x01\x02he", 4);
    raw_consume(&raw, 4);
    program_expect_close(&raw, 1011, "the program broke the length framing");
}

/* ---- the options ---- */

static void test_flush_after(void **state)
{
    uint64_t begin_ms = clock_ms();

    (void)state;
    bench.options.flush_after_ms = 60;
    start("printf 'name? '; read x; printf \"hello $x\"; read x; echo; exit 0");
    program_expect(&raw, 't', "name? ");
    assert_true(clock_ms() - begin_ms >= 59);
    send_text("you");
    program_expect(&raw, 't', "hello you");
    send_text("");
    program_expect(&raw, 't', "");
    program_expect_close(&raw, 1000, "");
}

/* A prompt on stderr is one as well. */
static void test_flush_after_of_stderr(void **state)
{
    (void)state;
    bench.options.flush_after_ms = 60;
    bench.options.stderr_to = DX_STDERR_CLIENT;
    start("printf 'name? ' >&2; read x; echo \"hello $x\"");
    program_expect(&raw, 't', "name? ");
    send_text("you");
    program_expect(&raw, 't', "hello you");
    program_expect_close(&raw, 1000, "");
}

static void test_text_pong(void **state)
{
    (void)state;
    bench.options.answers_text_ping = true;
    start("exec cat -E");
    send_text("ping");
    program_expect(&raw, 't', "pong");
    send_text("ping ");
    program_expect(&raw, 't', "ping $");
    program_send(&raw, 0x01, "pi", 2);
    program_send(&raw, 0x80, "ng", 2);
    program_expect(&raw, 't', "pong");
    raw_close(&raw);
}

/* A pong cannot stand between the fragments of a line: it comes right behind them. */
static void test_text_pong_behind_fragments(void **state)
{
    struct frame frame;
    size_t len = 0;

    (void)state;
    bench.options.answers_text_ping = true;
    start("printf '%05000d' 0; read x; echo; exec cat");
    assert_true(raw_wait_frame(&raw, &frame));
    assert_int_equal(frame.first, 0x01);
    len += frame.len;
    send_text("ping");
    send_text("ping");
    service_turn(&bench.service, 30);
    assert_int_equal(raw.len, 0);
    send_text("go");
    do {
        assert_true(raw_wait_frame(&raw, &frame));
        assert_int_equal(frame.first & 0x0f, 0);
        len += frame.len;
    } while (!(frame.first & 0x80));
    assert_int_equal(len, 5000);
    program_expect(&raw, 't', "pong");
    send_text("echo");
    program_expect(&raw, 't', "echo");
    raw_close(&raw);
}

static void test_stderr_to_the_client(void **state)
{
    (void)state;
    bench.options.stderr_to = DX_STDERR_CLIENT;
    start("echo one; read x; echo two >&2; read x; printf three >&2");
    program_expect(&raw, 't', "one");
    send_text("");
    program_expect(&raw, 't', "two");
    send_text("");
    program_expect(&raw, 't', "three");
    program_expect_close(&raw, 1000, "");
}

/* Comes back when all that was sent before has been handled. */
static void ping(struct raw *client)
{
    struct frame frame;

    program_send(client, 0x89, "", 0);
    assert_true(raw_wait_frame(client, &frame));
    assert_int_equal(frame.first, 0x8a);
}

/* Said once, counted from the first message, and not to a program that answers. */
static void test_a_silent_program(void **state)
{
    const struct dx_program *silent;
    struct raw other;
    uint64_t begin_ms, due_ms;

    (void)state;
    start("exec sleep 60");
    silent = program_bench_last(&bench);
    begin_ms = clock_ms();
    send_text("one");
    ping(&raw);
    due_ms = silent->silent_due_ms;
    assert_true(due_ms > 0);
    program_open(&bench, &other, "/cat");
    program_send(&other, 0x81, "two", 3);
    program_expect(&other, 't', "two");
    assert_int_equal(program_bench_last(&bench)->silent_due_ms, 0);
    send_text("three");
    ping(&raw);
    assert_true(silent->silent_due_ms == due_ms || silent->silent_due_ms == 0);
    assert_true(program_bench_wait_log(&bench, "printed nothing for 5 s"));
    assert_true(clock_ms() - begin_ms >= 4999);
    send_text("four");
    ping(&raw);
    assert_int_equal(silent->silent_due_ms, 0);
    assert_int_equal(service_log_has(&bench.service, "printed nothing for 5 s"), 1);
    raw_close(&other);
    raw_close(&raw);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(test_newlines_keep),
        ROW(test_newlines_escape),
        ROW(test_newlines_reject),
        ROW(test_binary_to_lines),
        ROW(test_text_to_binary),
        ROW(test_a_fragmented_message_is_one_line),
        ROW(test_lengths_to_the_program),
        ROW(test_a_ping_in_lengths),
        ROW(test_lengths_from_the_program),
        ROW(test_lengths_cut_at_the_end),
        ROW(test_flush_after),
        ROW(test_flush_after_of_stderr),
        ROW(test_text_pong),
        ROW(test_text_pong_behind_fragments),
        ROW(test_stderr_to_the_client),
        ROW(test_a_silent_program),
    };

    return run_group(tests, NULL, NULL);
}
