/*
 * programs_test.c - a program's life behind a connection: what it is told and what is heard of it,
 * in every order in which program, client and spawner can end. The server's end:
 * programs_closing_test.c.
 */
#include "bridge/program/program.h"
#include "support/bridge/program_bench.h"
#include "support/test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A step of the ladder, or a timeout, that is not to come while the test runs. */
#define NEVER_MS 3600000

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

static int tear_down(void **state)
{
    (void)state;
    return program_bench_tear_down(&bench);
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
    bench.options.ladder_ms[1] = NEVER_MS;
    start("trap '' INT TERM; printf 'ready\nhalf'; while :; do sleep 60; done");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't', "ready");
    begin_ms = clock_ms();
    close_with(1001);
    program_expect(&raw, 't', "half"); /* the begin of a line is sent, too */
    program_expect_close(&raw, 1001, "");
    assert_true(clock_ms() - begin_ms >= 299);
    dx_programs_kill(bench.programs);
    assert_true(program_bench_wait_gone(&bench));
}

static bool client_has_closed(void *data)
{
    (void)data;
    return program_bench_last(&bench)->close_is_due;
}

/* A stopped server's answer to a client that was first is still the client's code. */
static void test_a_clients_close_keeps_its_code_when_the_server_ends(void **state)
{
    (void)state;
    bench.options.ladder_ms[0] = NEVER_MS;
    start("trap '' INT TERM; echo ready; while :; do sleep 60; done");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't', "ready");
    close_with(3000);
    assert_true(service_wait(&bench.service, client_has_closed, NULL, PATIENCE_MS));
    dx_server_close(bench.service.server, 0, NULL, NULL);
    program_expect_close(&raw, 3000, "");
}

static void test_ladder_steps(void **state)
{
    uint64_t begin_ms;

    (void)state;
    bench.options.ladder_ms[0] = 150;
    bench.options.ladder_ms[1] = 150;
    bench.options.ladder_ms[2] = NEVER_MS;
    start("trap 'echo INT >&2' INT; trap 'echo TERM >&2' TERM; echo ready; read x; echo EOF >&2;"
          "while :; do sleep 0.01; done");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't', "ready");
    begin_ms = clock_ms();
    raw_close(&raw);
    assert_true(program_bench_wait_log(&bench, "line=EOF"));
    assert_true(program_bench_wait_log(&bench, "line=INT"));
    assert_true(clock_ms() - begin_ms >= 149);
    assert_true(program_bench_wait_log(&bench, "line=TERM"));
    assert_true(clock_ms() - begin_ms >= 299);
    assert_int_equal(dx_programs_count(bench.programs), 1);
    dx_programs_kill(bench.programs);
    assert_true(program_bench_wait_count(&bench, 0));
}

static void test_last_step_of_the_ladder(void **state)
{
    uint64_t begin_ms;

    (void)state;
    start("trap '' INT TERM; echo ready; while :; do sleep 60; done");
    program_open(&bench, &raw, "/");
    program_expect(&raw, 't', "ready");
    begin_ms = clock_ms();
    raw_close(&raw);
    assert_true(program_bench_wait_count(&bench, 0));
    assert_true(clock_ms() - begin_ms >= 299);
}

/* What it says on its stderr right before it ends is logged, also when nobody else waits for it. */
static void test_last_words_are_logged(void **state)
{
    (void)state;
    bench.options.ladder_ms[0] = NEVER_MS; /* the shell may need long to begin */
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

/*
 * Both streams are begun on when the program ends: each is a message of its own, neither is lost.
 */
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
    assert_true(program_bench_wait_gone(&bench));
}

static void test_stdout_closed_ends_it(void **state)
{
    (void)state;
    start("exec >&-; trap '' TERM; while :; do sleep 60; done");
    program_open(&bench, &raw, "/");
    program_expect_close(&raw, 1000, "");
    assert_true(program_bench_wait_gone(&bench));
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
    assert_true(program_bench_wait_gone(&bench));
    assert_true(program_bench_wait_count(&bench, 0));
    assert_true(program_bench_wait_served(&bench));
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
    assert_true(service_wait(&bench.service, is_starting, NULL, PATIENCE_MS));
    assert_int_equal(kill(program_spawner_pid(), SIGKILL), 0);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 503);
    assert_true(answer_has(&answer, "Retry-After: 1"));
    raw_close(&raw);
    assert_int_equal(dx_programs_count(bench.programs), 0);
    assert_true(program_bench_wait_served(&bench));
}

static bool is_abandoned(void *data)
{
    (void)data;
    return program_bench_last(&bench)->request == NULL;
}

/* The client has gone when the spawner says that the program was started. */
static void test_client_gone_while_a_program_starts(void **state)
{
    char request[1024];
    size_t len;

    (void)state;
    bench.options.ladder_ms[0] = NEVER_MS;
    start("read x; echo got $? >&2");
    len = upgrade_write(request, sizeof(request), &bench.service, "/", "");
    assert_int_equal(kill(program_spawner_pid(), SIGSTOP), 0);
    assert_true(raw_connect(&raw, &bench.service, false));
    assert_true(raw_send(&raw, request, len, 0));
    assert_true(service_wait(&bench.service, is_starting, NULL, PATIENCE_MS));
    raw_close(&raw);
    assert_true(service_wait(&bench.service, is_abandoned, NULL, PATIENCE_MS));
    assert_int_equal(kill(program_spawner_pid(), SIGCONT), 0);
    assert_true(program_bench_wait_log(&bench, "line=got 1"));
    assert_true(program_bench_wait_count(&bench, 0));
}

static bool program_has_exited(void *data)
{
    (void)data;
    return program_bench_last(&bench)->has_exited;
}

struct stillness {
    size_t held_len;
    unsigned turns;
};

/* The system takes no more for the client, and there is more in the pipe: for many turns. */
static bool client_is_full(void *data)
{
    struct dx_program *program = program_bench_last(&bench);
    struct stillness *still = data;
    size_t held_len = dx_loop_pool(bench.service.loop)->used_len;
    int piped_len = 0;

    if (!dx_connection_is_congested(program->connection) || still->held_len != held_len ||
        ioctl(program->output.pipe.fd, FIONREAD, &piped_len) != 0 || piped_len == 0)
        *still = (struct stillness){.held_len = held_len};
    return still->turns++ >= 50;
}

static bool loop_rests(void *data)
{
    int timeout_ms = dx_loop_timeout_ms(bench.service.loop);

    (void)data;
    assert_in_range(timeout_ms, 0, 1000);
    return timeout_ms > 0;
}

/*
 * A ladder without a first step: what an ended program has left for a client that does not read
 * keeps no loop busy.
 */
static void test_what_is_left_for_a_slow_client_is_waited_for(void **state)
{
    static const uint8_t empty[] = {0x81, 0x80, 0, 0, 0, 0};
    struct stillness still = {0};

    (void)state;
    bench.options.ladder_ms[0] = 0;
    start("yes & read x; kill $!");
    program_open(&bench, &raw, "/");
    assert_true(service_wait(&bench.service, client_is_full, &still, PATIENCE_MS));
    assert_int_equal(write(raw.fd, empty, sizeof(empty)), sizeof(empty)); /* and reads nothing */
    assert_true(service_wait(&bench.service, program_has_exited, NULL, PATIENCE_MS));
    for (int i = 0; i < 10; i++) {
        service_turn(&bench.service, 0);
        assert_true(service_wait(&bench.service, loop_rests, NULL, PATIENCE_MS));
    }
    raw_close(&raw);
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
        ROW(test_last_step_of_the_ladder),
        ROW(test_last_words_are_logged),
        ROW(test_a_full_pipe_is_delivered_without_patience),
        ROW(test_torn_lines_of_both_streams),
        ROW(test_stdout_closed_ends_it),
        ROW(test_stdin_closed_raises_no_signal),
        ROW(test_spawner_lost_while_a_program_runs),
        ROW(test_spawner_lost_while_a_program_starts),
        ROW(test_client_gone_while_a_program_starts),
        ROW(test_what_is_left_for_a_slow_client_is_waited_for),
    };

    return run_group(tests, NULL, NULL);
}
