/*
 * programs_test.c - a program's life behind a connection: what it is told and what is heard of it, in every order in which
 * program, client, spawner and server can end.
 */
#include "bridge/program/program.h"
#include "support/bridge/program_bench.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct program_bench bench;
static struct raw raw;
static struct answer answer;
static char mark[64];
static const char *const mark_env[] = {mark, NULL};

static int set_up(void **state)
{
    static int count;

    (void)state;
    (void)snprintf(mark, sizeof(mark), "DX_MARK=%d.p%d.", (int)getpid(), ++count);
    program_bench_init(&bench);
    bench.options.env = mark_env;
    return 0;
}

static void start(const char *script)
{
    program_bench_script(&bench, script);
    assert_true(program_bench_start(&bench));
}

static int tear_down(void **state)
{
    (void)state;
    program_bench_stop(&bench);
    return program_marked_count(mark) == 0 ? 0 : -1;
}

static void send_text(const char *text)
{
    program_send(&raw, 0x81, text, strlen(text));
}

/* The client's Close with a code, and the answer that it expects. */
static void close_with(unsigned code)
{
    uint8_t body[2] = {(uint8_t)(code >> 8), (uint8_t)code};

    program_send(&raw, 0x88, body, 2);
}

/* ---- close codes ---- */

static void test_close_codes(void **state)
{
    static const struct {
        const char *script;
        unsigned code;
        const char *reason;
    } rows[] = {
        {"exit 0", 1000, ""},
        {"exit 1", 4001, "exit status 1"},
        {"exit 255", 4255, "exit status 255"},
        {"kill -HUP $$", 4301, "SIGHUP"},
        {"kill -KILL $$", 4309, "SIGKILL"},
        {"kill -SEGV $$", 4311, "SIGSEGV"},
        {"kill -34 $$", 4334, "signal 34"},
        {"exec >&-; exit 7", 4007, "exit status 7"},
    };

    (void)state;
    start("read code; eval \"$code\"");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        program_open(&bench, &raw, "/");
        send_text(rows[i].script);
        program_expect_close(&raw, rows[i].code, rows[i].reason);
    }
    assert_true(program_bench_wait_count(&bench, 0));
}

static void test_statuses_before_there_is_a_program(void **state)
{
    (void)state;
    bench.options.directory = "/nowhere";
    start("exit 0");
    assert_int_equal(program_ask(&bench, &raw, &answer), 500);
    raw_close(&raw);
    assert_int_equal(
        service_log_has(&bench.service, "the program's working directory cannot be used"), 1);
    assert_int_equal(dx_programs_count(bench.programs), 0);
    assert_true(program_bench_serves(&bench));
}

/* ---- the client goes first ---- */

static void test_a_clients_close_is_answered_after_the_programs_last_words(void **state)
{
    (void)state;
    bench.argv[0] = "sort";
    assert_true(program_bench_start(&bench));
    program_open(&bench, &raw, "/");
    send_text("b");
    send_text("a");
    close_with(3456);
    program_expect(&raw, 't', "a");
    program_expect(&raw, 't', "b");
    program_expect_close(&raw, 3456, "");
}

static void test_a_clients_close_waits_for_one_step_of_the_ladder(void **state)
{
    uint64_t begin_ms;

    (void)state;
    bench.options.ladder_ms[0] = 300;
    start("trap '' INT TERM; printf half; while :; do sleep 60; done");
    program_open(&bench, &raw, "/");
    begin_ms = program_now_ms();
    close_with(1001);
    program_expect(&raw, 't', "half"); /* the begin of a line is sent, too */
    program_expect_close(&raw, 1001, "");
    assert_in_range(program_now_ms() - begin_ms, 299, 3000);
    assert_true(program_bench_wait_gone(&bench, mark));
}

/* A stopped server's answer to a client that was first is still the client's code. */
static void test_a_clients_close_keeps_its_code_when_the_server_ends(void **state)
{
    (void)state;
    bench.options.ladder_ms[0] = 5000;
    start("trap '' INT TERM; echo ready; while :; do sleep 60; done");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't', "ready");
    close_with(3000);
    service_turn(&bench.service, 50);
    dx_server_close(bench.service.server, 0, NULL, NULL);
    program_expect_close(&raw, 3000, "");
}

static void test_ladder_steps(void **state)
{
    uint64_t begin_ms;

    (void)state;
    bench.options.ladder_ms[0] = 150;
    bench.options.ladder_ms[1] = 150;
    bench.options.ladder_ms[2] = 150;
    start("trap 'echo INT >&2' INT; trap 'echo TERM >&2' TERM; read x; echo EOF >&2;"
          "while :; do sleep 0.01; done");
    program_open(&bench, &raw, "/");
    begin_ms = program_now_ms();
    raw_close(&raw);
    assert_true(program_bench_wait_log(&bench, "line=EOF"));
    assert_true(program_bench_wait_log(&bench, "line=INT"));
    assert_true(program_now_ms() - begin_ms >= 149);
    assert_true(program_bench_wait_log(&bench, "line=TERM"));
    assert_true(program_now_ms() - begin_ms >= 299);
    assert_true(program_bench_wait_count(&bench, 0));
    assert_in_range(program_now_ms() - begin_ms, 449, 5000);
}

/* What it says on its stderr right before it ends is logged, also when nobody else waits for it. */
static void test_last_words_are_logged(void **state)
{
    (void)state;
    start("cat >/dev/null; echo last words $$ >&2; printf half-a-line >&2");
    for (size_t i = 0; i < 40; i++) {
        program_open(&bench, &raw, "/");
        raw_close(&raw);
    }
    assert_true(program_bench_wait_count(&bench, 0));
    assert_int_equal(service_log_has(&bench.service, "line=last words"), 40);
    assert_int_equal(service_log_has(&bench.service, "line=half-a-line"), 40);
}

/* ---- the program ends first ---- */

/* All that its pipe held when it ended arrives, however little patience there is. */
static void test_a_full_pipe_is_delivered_without_patience(void **state)
{
    size_t count = 0, len = 0;
    struct frame frame;

    (void)state;
    bench.argv[0] = DX_TEST_TALKER;
    bench.argv[1] = "pour";
    bench.argv[2] = "30000";
    memset(bench.options.ladder_ms, 0, sizeof(bench.options.ladder_ms));
    assert_true(program_bench_start(&bench));
    program_open(&bench, &raw, "/");
    while (raw_wait_frame(&raw, &frame) && frame.first == 0x81) {
        assert_int_equal(atol((const char *)frame.payload), (long)count);
        count++;
        len += frame.len;
    }
    assert_int_equal(count, 30000);
    assert_int_equal(len, 240000);
    assert_int_equal(frame.first, 0x88);
    raw_close(&raw);
}

/* Both streams are begun on when the program ends: each is a message of its own, neither is lost. */
static void test_torn_lines_of_both_streams(void **state)
{
    struct frame frame;
    size_t len = 0;

    (void)state;
    bench.argv[0] = DX_TEST_TALKER;
    bench.argv[1] = "tear";
    bench.options.stderr_to = DX_STDERR_CLIENT;
    assert_true(program_bench_start(&bench));
    program_open(&bench, &raw, "/");
    do {
        assert_true(raw_wait_frame(&raw, &frame));
        for (size_t i = 0; i < frame.len; i++)
            assert_int_equal(frame.payload[i], 'e');
        len += frame.len;
    } while (!(frame.first & 0x80));
    assert_int_equal(len, 5000);
    program_expect(&raw, 't', "out");
    program_expect_close(&raw, 1000, "");
    assert_true(program_bench_wait_gone(&bench, mark));
}

static void test_stdout_closed_ends_it(void **state)
{
    (void)state;
    start("exec >&-; trap '' TERM; while :; do sleep 60; done");
    program_open(&bench, &raw, "/");
    program_expect_close(&raw, 1000, "");
    assert_true(program_bench_wait_gone(&bench, mark));
}

/* A host that does not ignore SIGPIPE is not ended by a program that closes its stdin. */
static void test_stdin_closed_raises_no_signal(void **state)
{
    struct sigaction before, usual = {.sa_handler = SIG_DFL};

    (void)state;
    assert_int_equal(sigaction(SIGPIPE, &usual, &before), 0);
    start("exec <&-; echo closed; while :; do sleep 60; done");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't', "closed");
    send_text("one");
    send_text("two");
    service_turn(&bench.service, 20);
    send_text("three");
    service_turn(&bench.service, 20);
    assert_true(program_bench_serves(&bench));
    close_with(1000);
    program_expect_close(&raw, 1000, "");
    assert_int_equal(sigaction(SIGPIPE, &before, NULL), 0);
}

/* ---- the spawner ---- */

static void test_spawner_lost_while_a_program_runs(void **state)
{
    (void)state;
    start("echo ready; cat");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't', "ready");
    assert_int_equal(kill(program_spawner_pid(), SIGKILL), 0);
    program_expect_close(&raw, 4309, "SIGKILL");
    assert_true(program_bench_wait_gone(&bench, mark));
    assert_true(program_bench_wait_count(&bench, 0));
    service_turn(&bench.service, 100);
    assert_true(program_bench_serves(&bench));
}

static bool is_starting(void *data)
{
    (void)data;
    return dx_programs_count(bench.programs) == 1;
}

/* It is lost between the start and the word that it was done. */
static void test_spawner_lost_while_a_program_starts(void **state)
{
    char request[1024];
    size_t len;

    (void)state;
    start("cat");
    len = upgrade_write(request, sizeof(request), &bench.service, "/", "");
    assert_int_equal(kill(program_spawner_pid(), SIGSTOP), 0);
    assert_true(raw_connect(&raw, &bench.service, false));
    assert_true(raw_send(&raw, request, len, 0));
    assert_true(service_wait(&bench.service, is_starting, NULL, 5000));
    assert_int_equal(kill(program_spawner_pid(), SIGKILL), 0);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 503);
    assert_true(answer_has(&answer, "Retry-After: 1"));
    raw_close(&raw);
    assert_int_equal(dx_programs_count(bench.programs), 0);
    service_turn(&bench.service, 100);
    assert_true(program_bench_serves(&bench));
}

/* The client has gone when the spawner says that the program was started. */
static void test_client_gone_while_a_program_starts(void **state)
{
    char request[1024];
    size_t len;

    (void)state;
    start("read x; echo got $? >&2");
    len = upgrade_write(request, sizeof(request), &bench.service, "/", "");
    assert_int_equal(kill(program_spawner_pid(), SIGSTOP), 0);
    assert_true(raw_connect(&raw, &bench.service, false));
    assert_true(raw_send(&raw, request, len, 0));
    assert_true(service_wait(&bench.service, is_starting, NULL, 5000));
    raw_close(&raw);
    service_turn(&bench.service, 20);
    assert_int_equal(kill(program_spawner_pid(), SIGCONT), 0);
    assert_true(program_bench_wait_log(&bench, "line=got 1"));
    assert_true(program_bench_wait_count(&bench, 0));
}

/* ---- the server ---- */

static void on_programs_closed(void *user)
{
    *(bool *)user = true;
}

static void on_server_closed(void *user)
{
    dx_programs_close(bench.programs, on_programs_closed, user);
}

static void test_nothing_but_the_programs_holds_the_loop(void **state)
{
    bool is_closed = false;

    (void)state;
    start("trap '' INT TERM; echo ready; while :; do sleep 60; done");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't', "ready");
    raw_close(&raw);
    service_turn(&bench.service, 20);
    dx_server_close(bench.service.server, 0, on_server_closed, &is_closed);
    assert_int_equal(dx_loop_run(bench.service.loop), DX_OK);
    assert_true(is_closed);
    assert_int_equal(dx_programs_count(bench.programs), 0);
}

/* Loops of other threads report the end of the last program, and their own. */
static void test_close_over_several_loops(void **state)
{
    struct raw others[6];

    (void)state;
    bench.setup.options.threads = 3;
    start("read x; read y");
    for (size_t i = 0; i < 6; i++)
        program_open(&bench, &others[i], "/");
    for (size_t i = 0; i < 6; i++)
        raw_close(&others[i]);
    assert_true(program_bench_close(&bench));
    assert_int_equal(dx_programs_count(bench.programs), 0);
}

/* The closing waits for programs that end one after the other; freeing does not wait for it. */
static void test_free_in_the_midst_of_the_closing(void **state)
{
    bool is_closed = false;

    (void)state;
    bench.setup.options.threads = 3;
    memset(bench.options.ladder_ms, 0x7f, sizeof(bench.options.ladder_ms));
    start("trap '' INT TERM; echo ready; while :; do sleep 60; done");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't', "ready");
    dx_programs_close(bench.programs, on_programs_closed, &is_closed);
    service_turn(&bench.service, 20);
    assert_false(is_closed);
    dx_programs_free(bench.programs);
    bench.programs = NULL;
    assert_true(raw_wait_end(&raw));
    raw_close(&raw);
    service_turn(&bench.service, 20);
    assert_false(is_closed);
}

static void flood(struct raw *client)
{
    static uint8_t frame[66000];
    static uint8_t text[60000];
    size_t len;

    memset(text, 'x', sizeof(text));
    len = frame_write(frame, 0x81, text, sizeof(text));
    for (int i = 0; i < 20; i++) {
        (void)syscall(SYS_sendto, client->fd, frame, len, MSG_NOSIGNAL, NULL, 0);
        service_turn(&bench.service, 2);
    }
}

/* Freed in the midst of everything: a connection that is open, one that is paused, and a request that waits. */
static void test_free_at_once(void **state)
{
    struct raw paused, waiting;
    char request[1024];
    size_t len;

    (void)state;
    start("sleep 60");
    len = upgrade_write(request, sizeof(request), &bench.service, "/", "");
    program_open(&bench, &raw, "/cat");
    program_open(&bench, &paused, "/");
    flood(&paused);
    assert_int_equal(kill(program_spawner_pid(), SIGSTOP), 0);
    assert_true(raw_connect(&waiting, &bench.service, false));
    assert_true(raw_send(&waiting, request, len, 0));
    service_turn(&bench.service, 20);
    assert_int_equal(dx_programs_count(bench.programs), 3);
    assert_int_equal(kill(program_spawner_pid(), SIGCONT), 0);
    dx_programs_kill(bench.programs);
    service_stop(&bench.service);
    assert_true(raw_wait_answer(&waiting, &answer, false) ? answer.status == 503 : true);
    raw_close(&raw);
    raw_close(&paused);
    raw_close(&waiting);
}

static bool program_has_exited(void *data)
{
    (void)data;
    return bench.programs->shards[0].first->has_exited;
}

/* A ladder without a first step: what an ended program has left for a client that does not read keeps no loop busy. */
static void test_what_is_left_for_a_slow_client_is_waited_for(void **state)
{
    int longest_ms = 0;

    (void)state;
    program_bench_init(&bench);
    program_bench_script(&bench, "yes & sleep 0.3; kill $!");
    bench.options.ladder_ms[0] = 0;
    assert_true(program_bench_start(&bench));
    program_open(&bench, &raw, "/");
    assert_true(service_wait(&bench.service, program_has_exited, NULL, SERVICE_WAIT_MS));
    for (int i = 0; i < 10; i++) {
        int timeout_ms;

        service_turn(&bench.service, 0);
        timeout_ms = dx_loop_timeout_ms(bench.service.loop);
        longest_ms = timeout_ms > longest_ms ? timeout_ms : longest_ms;
    }
    assert_in_range(longest_ms, 1, 1000);
    raw_close(&raw);
}

/* The programs are freed and the server is not yet: who comes late is told, on whichever loop, and costs nobody a thought. */
static void test_requests_after_the_free(void **state)
{
    (void)state;
    bench.options.page = "a page";
    bench.options.page_len = 6;
    start("exec cat");
    program_open(&bench, &raw, "/");
    dx_programs_free(bench.programs);
    bench.programs = NULL;
    assert_true(raw_wait_end(&raw));
    raw_close(&raw);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(program_ask(&bench, &raw, &answer), 503);
        assert_true(answer_has(&answer, "Retry-After: 1"));
        raw_close(&raw);
    }
    assert_int_equal(service_log_has(&bench.service, "why=the programs are being ended"), 3);
    (void)raw_connect(&raw, &bench.service, false);
    assert_true(raw_send_text(&raw, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 200);
    raw_close(&raw);
}

/* Freed before the loops of the other threads have come to open their channels: nothing of it may be touched then. */
static void test_free_before_other_loops_have_begun(void **state)
{
    struct dx_server_options options = dx_server_options_init();
    struct dx_programs_options programs_options = dx_programs_options_init();

    (void)state;
    options.threads = 16;
    programs_options.spawner_path = DX_TEST_SPAWNER;
    for (int i = 0; i < 10; i++) {
        struct dx_loop *loop;
        struct dx_server *server;
        struct dx_programs *programs;

        assert_int_equal(dx_loop_new(&loop), DX_OK);
        assert_int_equal(dx_server_new(loop, &options, &server), DX_OK);
        assert_int_equal(dx_programs_new(server, &programs_options, &programs), DX_OK);
        dx_programs_free(programs);
        dx_server_free(server);
        dx_loop_free(loop);
    }
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(test_close_codes),
        ROW(test_statuses_before_there_is_a_program),
        ROW(test_a_clients_close_is_answered_after_the_programs_last_words),
        ROW(test_a_clients_close_waits_for_one_step_of_the_ladder),
        ROW(test_a_clients_close_keeps_its_code_when_the_server_ends),
        ROW(test_ladder_steps),
        ROW(test_last_words_are_logged),
        ROW(test_a_full_pipe_is_delivered_without_patience),
        ROW(test_torn_lines_of_both_streams),
        ROW(test_stdout_closed_ends_it),
        ROW(test_stdin_closed_raises_no_signal),
        ROW(test_spawner_lost_while_a_program_runs),
        ROW(test_spawner_lost_while_a_program_starts),
        ROW(test_client_gone_while_a_program_starts),
        ROW(test_nothing_but_the_programs_holds_the_loop),
        ROW(test_close_over_several_loops),
        ROW(test_free_in_the_midst_of_the_closing),
        ROW(test_free_at_once),
        ROW(test_what_is_left_for_a_slow_client_is_waited_for),
        ROW(test_requests_after_the_free),
        cmocka_unit_test(test_free_before_other_loops_have_begun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
