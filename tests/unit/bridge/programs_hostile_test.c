/*
 * programs_hostile_test.c - programs and clients that mean harm, one row a test.
 */
#include "bridge/program/program.h"
#include "support/bridge/program_bench.h"
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/loop/loop.h"

/*
 * What a connection whose other side does not read may hold in the server: max_queue, one read
 * more, what waits for stdin.
 */
#define HELD_MAX ((size_t)2 * 1024 * 1024)

static struct program_bench bench;
static struct raw raw;
static struct answer answer;

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
}

static void start_evasive(const char *mode)
{
    bench.argv[0] = DX_TEST_EVASIVE;
    bench.argv[1] = mode;
    bench.options.framing = DX_FRAMING_BINARY;
    assert_true(program_bench_start(&bench));
}

static int tear_down(void **state)
{
    (void)state;
    return program_bench_tear_down(&bench);
}

static size_t held_len(void)
{
    return dx_loop_pool(bench.service.loop)->used_len;
}

/* ---- starting ---- */

static void row_84_flood_of_connections(void **state)
{
    struct raw others[3];

    (void)state;
    bench.programs_options.max_programs = 3;
    start("while :; do sleep 60; done");
    for (size_t i = 0; i < 3; i++)
        program_open(&bench, &others[i], "/");
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(program_ask(&bench, &raw, &answer), 503);
        assert_true(answer_has(&answer, "Retry-After: 1"));
        assert_non_null(strstr(answer.body, "too many programs are running (--max-programs=3)"));
        raw_close(&raw);
    }
    assert_int_equal(dx_programs_count(bench.programs), 3);
    assert_int_equal(program_children_count(program_spawner_pid()), 3);
    raw_close(&others[1]);
    assert_true(program_bench_wait_count(&bench, 2));
    program_open(&bench, &others[1], "/");
    for (size_t i = 0; i < 3; i++)
        raw_close(&others[i]);
    assert_true(program_bench_wait_count(&bench, 0));
}

static void row_91_descriptors_0_1_2(void **state)
{
    static const enum dx_stderr kinds[] = {DX_STDERR_LOG, DX_STDERR_CLIENT, DX_STDERR_STDOUT};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        (void)set_up(state);
        bench.argv[0] = DX_TEST_PROBE;
        bench.options.stderr_to = kinds[i];
        assert_true(program_bench_start(&bench));
        program_open(&bench, &raw, "/");
        program_expect(&raw, 't', "descriptors: 0 1 2");
        program_expect(&raw, 't', "odd signals: 0");
        program_expect(&raw, 't', "leads its session: 1");
        raw_close(&raw);
        program_bench_stop(&bench);
    }
}

static bool has_line(const char *text, const char *line)
{
    size_t len = strlen(line);

    for (const char *at = text; (at = strstr(at, line)) != NULL; at++)
        if ((at == text || at[-1] == '\n') && at[len] == '\n')
            return true;
    return false;
}

static void row_92_environment(void **state)
{
    static const char *const wanted[] = {
        "PATH=/usr/bin:/bin", "HTTP_X_A=right",   "HTTP_X_SHELL=() { :;}; echo owned",
        "QUERY_STRING=q=%0a", "PATH_INFO=/there",
    };
    static const char *const banned[] = {"HTTP_PROXY=",
                                         "HTTP_AUTHORIZATION=",
                                         "HTTP_PROXY_AUTHORIZATION=",
                                         "wrong",
                                         "SECRET",
                                         "BASH_FUNC",
                                         "secret"};
    static char text[65536];
    char request[2048];
    struct frame frame;
    size_t len = 0;

    (void)state;
    assert_int_equal(setenv("SECRET", "secret", 1), 0);
    bench.argv[0] = "env";
    assert_true(program_bench_start(&bench));
    assert_true(raw_connect(&raw, &bench.service, false));
    (void)upgrade_write(request, sizeof(request), &bench.service, "/there?q=%0a",
                        "Proxy: http://wrong\r\nX_A: wrong\r\nX-A: right\r\n"
                        "Authorization: Basic wrong\r\nProxy-Authorization: wrong\r\n"
                        "X-Shell: () { :;}; echo owned\r\n");
    assert_true(raw_send_text(&raw, request));
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 101);
    while (raw_wait_frame(&raw, &frame) && frame.first == 0x81)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n", frame.payload);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        assert_true(has_line(text, wanted[i]));
    for (size_t i = 0; i < sizeof(banned) / sizeof(banned[0]); i++)
        assert_null(strstr(text, banned[i]));
    raw_close(&raw);
}

static void row_93_no_shell(void **state)
{
    static const char *const words[] = {"printf", "%s\n", "$(id)", "`id`; id", "| id > /x", "*"};

    (void)state;
    memcpy(bench.argv, words, sizeof(words));
    assert_true(program_bench_start(&bench));
    program_open(&bench, &raw, "/");
    for (size_t i = 2; i < 6; i++)
        program_expect(&raw, 't', words[i]);
    program_expect_close(&raw, 1000, "");
}

/* ---- ending ---- */

static void row_86_server_ends(void **state)
{
    struct raw others[5];
    uint64_t begin_ms;

    (void)state;
    start("trap '' INT TERM; echo ready; sleep 60 & while :; do wait; sleep 1; done");
    for (size_t i = 0; i < 5; i++) {
        program_open(&bench, &others[i], "/");
        program_expect(&others[i], 't', "ready");
    }
    begin_ms = clock_ms();
    dx_server_close(bench.service.server, 0, NULL, NULL);
    for (size_t i = 0; i < 5; i++)
        program_expect_close(&others[i], 1001, "");
    assert_true(program_bench_close(&bench));
    assert_true(clock_ms() - begin_ms >= 299);
    assert_true(program_bench_wait_gone(&bench));
}

static void end_evasive(const char *mode, size_t members)
{
    uint64_t begin_ms;

    start_evasive(mode);
    program_open(&bench, &raw, "/");
    program_expect(&raw, 'b', "r");
    assert_int_equal(program_marked_count(bench.mark), members);
    begin_ms = clock_ms();
    raw_close(&raw);
    assert_true(program_bench_wait_count(&bench, 0));
    assert_true(clock_ms() - begin_ms >= 299);
    assert_true(program_bench_wait_gone(&bench));
}

static void row_87_ignores_every_signal(void **state)
{
    (void)state;
    end_evasive("ignore", 1);
}

static void row_88_grandchildren(void **state)
{
    (void)state;
    end_evasive("grandchild", 2);
    program_bench_stop(&bench);
    (void)set_up(state);
    end_evasive("group", 2);
}

static void row_89_grandchild_holds_stdout(void **state)
{
    uint64_t begin_ms;

    (void)state;
    bench.options.ladder_ms[0] = 200;
    start("trap '' TERM; sleep 60 & echo done; printf rest; exit 5");
    begin_ms = clock_ms();
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't', "done");
    program_expect(&raw, 't', "rest");
    program_expect_close(&raw, 4005, "exit status 5");
    assert_true(clock_ms() - begin_ms >= 199);
    assert_true(program_bench_wait_gone(&bench));
}

static size_t idle_descriptor_count;

static bool nothing_is_left(void *data)
{
    (void)data;
    return program_children_count(program_spawner_pid()) == 0 &&
           program_descriptor_count() == idle_descriptor_count && held_len() == 0;
}

/* Half of the clients leave, half are left; eight at a time. */
static void row_90_no_zombies(void **state)
{
    struct raw others[8];

    (void)state;
    bench.argv[0] = "true";
    assert_true(program_bench_start(&bench));
    idle_descriptor_count = program_descriptor_count();
    for (size_t round = 0; round < 250; round++) {
        for (size_t i = 0; i < 8; i++)
            program_open(&bench, &others[i], "/");
        for (size_t i = 0; i < 8; i++) {
            if (i % 2 == 0)
                program_expect_close(&others[i], 1000, "");
            else
                raw_close(&others[i]);
        }
    }
    assert_true(program_bench_wait_count(&bench, 0));
    assert_true(service_wait(&bench.service, nothing_is_left, NULL, PATIENCE_MS));
}

/* ---- floods ---- */

/* Whether the server has stopped the client because the program does not read. */
static bool client_is_stopped(void)
{
    const struct dx_program *program = program_bench_last(&bench);

    return program->input_is_paused;
}

/* And the program because the client does not. */
static bool both_are_stopped(void)
{
    const struct dx_program *program = program_bench_last(&bench);

    return program->input_is_paused && dx_connection_is_congested(program->connection);
}

/* Sends until that is so, and nothing more is taken for many turns. Returns how much was taken. */
static size_t flood(uint8_t first, bool (*is_stopped)(void))
{
    static uint8_t frame[66000], text[60000];
    uint64_t begin_ms = clock_ms();
    size_t len, at = 0, sum = 0;

    memset(text, 'x', sizeof(text));
    len = frame_write(frame, first, text, sizeof(text));
    for (unsigned still_turns = 0; still_turns < 150; still_turns++) {
        ssize_t put =
            syscall(SYS_sendto, raw.fd, frame + at, len - at, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0);

        service_turn(&bench.service, 1);
        if (put > 0) {
            sum += (size_t)put;
            at = (at + (size_t)put) % len;
        }
        if (put > 0 || !is_stopped())
            still_turns = 0;
        assert_true(clock_ms() - begin_ms < PATIENCE_MS);
    }
    return sum;
}

/* The program learns of it while its stdin is full. */
static void row_94_flood_of_stdin(void **state)
{
#include "bridge/program/program.h"
    static const enum dx_program_framing framings[] = {DX_FRAMING_LINES, DX_FRAMING_BINARY,
                                                       DX_FRAMING_LENGTH};

    for (size_t i = 0; i < 3; i++) {
        (void)set_up(state);
        bench.options.framing = framings[i];
        memset(bench.options.ladder_ms, 0, sizeof(bench.options.ladder_ms));
        start("trap '' INT TERM; while :; do sleep 60; done");
        program_open(&bench, &raw, "/");
        assert_true(flood(0x81 + (i == 1), client_is_stopped) > 100000);
        assert_true(held_len() < HELD_MAX / 4);
        assert_int_equal(program_marked_count(bench.mark) > 0, 1);
        raw_close(&raw);
        assert_true(program_bench_wait_gone(&bench));
        assert_true(program_bench_wait_count(&bench, 0));
        assert_int_equal(held_len(), 0);
        program_bench_stop(&bench);
    }
}

static bool is_held(void *data)
{
    (void)data;
    return held_len() > 0;
}

static void row_95_flood_of_stdout(void **state)
{
    size_t most = 0;

    (void)state;
    start("exec yes abcdefghijklmnopqrstuvwxyz");
    program_open(&bench, &raw, "/");
    assert_true(service_wait(&bench.service, is_held, NULL, PATIENCE_MS));
    for (size_t i = 0; i < 300; i++) {
        service_turn(&bench.service, 1);
        most = held_len() > most ? held_len() : most;
    }
    assert_in_range(most, 1, HELD_MAX);
    assert_true(program_bench_serves(&bench));
    raw_close(&raw);
    assert_true(program_bench_wait_gone(&bench));
    assert_true(program_bench_wait_count(&bench, 0));
    assert_int_equal(held_len(), 0);
}

/* Both sides are full at once; each gets going again by itself. */
static void row_95_both_sides_full(void **state)
{
    struct frame frame;
    size_t sent, got = 0;

    (void)state;
    bench.argv[0] = "cat";
    bench.options.framing = DX_FRAMING_BINARY;
    assert_true(program_bench_start(&bench));
    program_open(&bench, &raw, "/");
    sent = flood(0x82, both_are_stopped) / (60000 + 8) * 60000;
    assert_true(sent > 1000000);
    assert_true(held_len() < HELD_MAX);
    while (got < sent && raw_wait_frame(&raw, &frame)) {
        if (frame.first ==
            0x8a) /* while it was paused the server looked whether the client is there */
            continue;
        assert_int_equal(frame.payload[frame.len - 1], 'x');
        got += frame.len;
    }
    assert_true(got >= sent);
    raw_close(&raw);
}

static void row_96_endless_line(void **state)
{
    size_t count = 0, len = 0, most = 0;
    struct frame frame;

    (void)state;
    start("head -c 64000000 /dev/zero | tr '\\0' a");
    program_open(&bench, &raw, "/");
    do {
        assert_true(raw_wait_frame(&raw, &frame));
        assert_int_equal(frame.first & 0x0f, count == 0 ? 0x1 : 0x0);
        assert_true(frame.len <= 70000);
        len += frame.len;
        count++;
        most = held_len() > most ? held_len() : most;
    } while (!(frame.first & 0x80));
    assert_int_equal(len, 64000000);
    assert_true(most <= HELD_MAX);
    program_expect_close(&raw, 1000, "");
}

/* ---- what it prints ---- */

static void row_97_invalid_utf8_replaced(void **state)
{
    (void)state;
    start("printf 'a\\377b\\nnext\\n\\300\\200\\n'; printf 'cut \\342\\202'");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't',
                   "a\xef\xbf\xbd"
                   "b");
    program_expect(&raw, 't', "next");
    program_expect(&raw, 't', "\xef\xbf\xbd\xef\xbf\xbd");
    program_expect(&raw, 't', "cut \xef\xbf\xbd");
    program_expect_close(&raw, 1000, "");
    assert_int_equal(service_log_has(&bench.service, "U+FFFD"), 1);
}

/* One line of the log for it, however much more it prints. */
static void row_97_invalid_utf8_closes(void **state)
{
    (void)state;
    bench.options.invalid_utf8 = DX_INVALID_UTF8_CLOSE;
    bench.options.ladder_ms[0] = 500;
    start("trap '' PIPE; echo before; printf 'a\\377b\\n'; while :; do printf '\\377'; done "
          "2>/dev/null");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't', "before");
    service_turn(&bench.service, 100); /* the client takes its time to answer the Close */
    program_expect_close(&raw, 1011, "the program printed text that is not UTF-8");
    assert_true(program_bench_wait_gone(&bench));
    assert_int_equal(service_log_has(&bench.service, "not UTF-8"), 1);
}

static void row_97_broken_lengths_close(void **state)
{
    (void)state;
    bench.options.framing = DX_FRAMING_LENGTH;
    start("printf 't\\0\\0\\0\\2okxx'; while :; do sleep 0.01; echo x; done 2>/dev/null");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't', "ok");
    service_turn(&bench.service, 100);
    program_expect_close(&raw, 1011, "the program broke the length framing");
    assert_true(program_bench_wait_gone(&bench));
    assert_int_equal(service_log_has(&bench.service, "the program broke the length framing"), 1);
}

static void row_98_stopped(void **state)
{
    struct frame frame;

    (void)state;
    start_evasive("stopped");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 'b', "r");
    program_send(&raw, 0x82, "data", 4);
    program_send(&raw, 0x89, "ping", 4);
    assert_true(raw_wait_frame(&raw, &frame));
    assert_int_equal(frame.first, 0x8a);
    assert_string_equal((const char *)frame.payload, "ping");
    program_send(&raw, 0x88, "\x03\xe8", 2);
    program_expect_close(&raw, 1000, "");
    assert_true(program_bench_wait_gone(&bench));
}

/* It storms with children, kills its parent's whole group, and the server goes on. */
static void row_99_kills_its_parents(void **state)
{
    (void)state;
    start("i=0; while [ $i -lt 300 ]; do true & i=$((i+1)); done; wait; echo stormed;"
          "read x; kill -TERM -$PPID; kill -INT -$PPID; kill -HUP -$PPID; echo asked;"
          "read x; kill -KILL -$PPID; sleep 60");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't', "stormed");
    assert_true(program_bench_serves(&bench));
    program_send(&raw, 0x81, "go", 2);
    program_expect(&raw, 't', "asked");
    assert_true(program_bench_serves(&bench));
    program_send(&raw, 0x81, "go", 2);
    program_expect_close(&raw, 4309, "SIGKILL");
    assert_true(program_bench_wait_served(&bench));
    assert_true(program_bench_wait_gone(&bench));
}

/*
 * So many lines a second, a line of no more than so many bytes, and at the end the count of those
 * that were dropped.
 */
static void row_100_flood_of_stderr(void **state)
{
    size_t lines;

    (void)state;
    start("yes \"$(printf '\\033[2J')\" | head -n 200000 >&2; echo done; exit 0");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't', "done");
    program_expect_close(&raw, 1000, "");
    assert_true(program_bench_wait_count(&bench, 0));
    lines = service_log_has(&bench.service, "warn stderr");
    assert_in_range(lines, 1, SERVICE_LOG_MAX);
    assert_true(bench.service.log_count < 2000);
    assert_true(service_log_has(&bench.service, "were dropped") >= 1);
}

static void row_100_endless_line_of_stderr(void **state)
{
    (void)state;
    start("head -c 1000000 /dev/zero | tr '\\0' a >&2; echo done");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't', "done");
    program_expect_close(&raw, 1000, "");
    assert_true(bench.service.log_count < 1200);
    assert_true(program_bench_wait_count(&bench, 0));
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(row_84_flood_of_connections),
        ROW(row_86_server_ends),
        ROW(row_87_ignores_every_signal),
        ROW(row_88_grandchildren),
        ROW(row_89_grandchild_holds_stdout),
        ROW(row_90_no_zombies),
        ROW(row_91_descriptors_0_1_2),
        ROW(row_92_environment),
        ROW(row_93_no_shell),
        ROW(row_94_flood_of_stdin),
        ROW(row_95_flood_of_stdout),
        ROW(row_95_both_sides_full),
        ROW(row_96_endless_line),
        ROW(row_97_invalid_utf8_replaced),
        ROW(row_97_invalid_utf8_closes),
        ROW(row_97_broken_lengths_close),
        ROW(row_98_stopped),
        ROW(row_99_kills_its_parents),
        ROW(row_100_flood_of_stderr),
        ROW(row_100_endless_line_of_stderr),
    };

    return run_group(tests, NULL, NULL);
}
