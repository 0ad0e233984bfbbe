/*
 * programs_closing_test.c - the end of all programs of a server: closed, or freed at any moment.
 */
#include "bridge/program/program.h"
#include "support/bridge/program_bench.h"
#include "support/test.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/*
 * Freed in the midst of everything: a connection that is open, one that is paused, and a request
 * that waits.
 */
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
    assert_true(program_bench_wait_count(&bench, 3));
    assert_int_equal(kill(program_spawner_pid(), SIGCONT), 0);
    dx_programs_kill(bench.programs);
    service_stop(&bench.service);
    assert_true(raw_wait_answer(&waiting, &answer, false) ? answer.status == 503 : true);
    raw_close(&raw);
    raw_close(&paused);
    raw_close(&waiting);
}

/*
 * The programs are freed and the server is not yet: who comes late is told, on whichever loop, and
 * costs nobody a thought.
 */
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
    assert_int_equal(service_log_has(&bench.service, "why=the programs are being stopped"), 3);
    (void)raw_connect(&raw, &bench.service, false);
    assert_true(raw_send_text(&raw, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 200);
    raw_close(&raw);
}

/*
 * Freed before the loops of the other threads have come to open their channels: nothing of it may
 * be touched then.
 */
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
        ROW(test_nothing_but_the_programs_holds_the_loop),
        ROW(test_close_over_several_loops),
        ROW(test_free_in_the_midst_of_the_closing),
        ROW(test_free_at_once),
        ROW(test_requests_after_the_free),
        cmocka_unit_test(test_free_before_other_loops_have_begun),
    };

    return run_group(tests, NULL, NULL);
}
