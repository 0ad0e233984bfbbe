/*
 * spawner_session_test.c - signals for whole sessions, what outlives its program, and the end of
 * everything.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/bridge/spawner_bench.h"
#include "support/test.h"

static struct spawner_bench bench;
static char mark[64];

static int open_bench(void **state)
{
    static int count;

    (void)state;
    snprintf(mark, sizeof(mark), "DX_MARK=%d.%d.", getpid(), ++count);
    bench_open(&bench, false, 0);
    return 0;
}

static int close_bench(void **state)
{
    (void)state;
    bench_close(&bench);
    return marked_count(mark) == 0 ? 0 : -1;
}

/* The signals of a ladder: one that can be ignored is, and KILL ends the whole session. */
static void kill_ladder_ends_who_ignores_signals(void **state)
{
    static const char *const modes[] = {"ignore", "grandchild", "group", "undying", "stopped"};
    static struct bench_child child;

    (void)state;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        const size_t members = i == 1 || i == 2 ? 2 : 1;

        bench_start_evasive(&bench, &child, modes[i], mark);
        assert_int_equal(marked_count(mark), members);
        dx_child_kill(&child.child, SIGINT);
        dx_child_kill(&child.child, SIGTERM);
        assert_false(bench_turn(&bench, 50));
        assert_int_equal(marked_count(mark), members);
        dx_child_kill(&child.child, SIGKILL);
        bench_until(&bench, &child.exited_count, 1);
        assert_true(WIFSIGNALED(child.status));
        assert_int_equal(WTERMSIG(child.status), SIGKILL);
        assert_true(marked_gone_ms(mark) >= 0);
    }
}

static void term_reaches_other_groups(void **state)
{
    const char *const argv[] = {"/bin/bash", "-c",
                                "set -m; trap 'exit 5' TERM; sleep 100 & echo r; wait", NULL};
    const char *const env[] = {mark, NULL};
    static struct bench_child child = {0};
    int ready[2];
    char byte;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(bench_start_to(&bench, &child, argv, env, ready[1]), DX_OK);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    dx_child_kill(&child.child, SIGTERM);
    bench_until(&bench, &child.exited_count, 1);
    assert_int_equal(WEXITSTATUS(child.status), 5);
    assert_true(marked_gone_ms(mark) >= 0);
    close(ready[0]);
}

/* SIGTERM at once for what is left of the session, in whatever group. */
static void session_is_ended_with_its_program(void **state)
{
    const char *const argv[] = {DX_TEST_EVASIVE, "polite", NULL};
    const char *const env[] = {mark, NULL};
    static struct bench_child child = {0};
    char said[3] = "";
    int out[2];

    (void)state;
    assert_int_equal(pipe(out), 0);
    assert_int_equal(bench_start_to(&bench, &child, argv, env, out[1]), DX_OK);
    close(out[1]);
    bench_until(&bench, &child.exited_count, 1);
    assert_int_equal(read(out[0], said, 1), 1); /* it is ready */
    assert_int_equal(read(out[0], said + 1, 1), 1);
    assert_string_equal(said, "rT"); /* SIGKILL would have left it no time to say so */
    close(out[0]);
    assert_true(marked_gone_ms(mark) >= 0);
}

/* And SIGKILL a second later for what ignores it, even if it is never the same process for long. */
static void session_is_killed_a_second_later(void **state)
{
    static const char *const modes[] = {"stubborn", "session-runaway"};
    static struct bench_child child;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const uint64_t begin = clock_ms();
        uint64_t ms;

        bench_start_evasive(&bench, &child, modes[i], mark);
        bench_until(&bench, &child.exited_count, 1);
        while (children_count(dx_spawner_pid(bench.spawner)) > 0 &&
               clock_ms() - begin < 4 * PATIENCE_MS)
            bench_turn(&bench, 1);
        ms = clock_ms() - begin;
        print_message("%s: gone after %d ms\n", modes[i], (int)ms);
        assert_true(ms >= 1000 && ms < 4 * PATIENCE_MS);
        assert_true(marked_gone_ms(mark) >= 0);
    }
}

/* A session of its own is its own business, until the spawner is stopped. */
static void daemons_live_as_long_as_the_spawner(void **state)
{
    static struct bench_child child;

    (void)state;
    bench_start_evasive(&bench, &child, "daemon", mark);
    bench_until(&bench, &child.exited_count, 1);
    assert_int_equal(child.status, 0);
    for (int i = 0; i < 15; i++)
        bench_turn(&bench, 100);
    assert_int_equal(marked_count(mark), 1);
}

static void stop_leaves_nobody(void **state)
{
    static const char *const modes[] = {"ignore", "grandchild", "daemon",    "undying",
                                        "group",  "runaway",    "subreaper", "stopped"};
    static struct bench_child children[sizeof(modes) / sizeof(modes[0])];
    const pid_t pid = dx_spawner_pid(bench.spawner);
    uint64_t begin;

    (void)state;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        bench_start_evasive(&bench, &children[i], modes[i], mark);
    assert_true(marked_count(mark) >= 9);
    begin = clock_ms();
    bench_close(&bench);
    print_message("stopped in %d ms\n", (int)(clock_ms() - begin));
    assert_int_equal(marked_count(mark), 0);
    assert_int_equal(kill(pid, 0), -1);
}

/* A signal for one of many must not look at the others. */
static void a_thousand_programs(void **state)
{
    enum { COUNT = 1000 };
    static struct bench_child children[COUNT];
    const char *const argv[] = {"/bin/sleep", "1000", NULL};
    uint64_t begin;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        children[i] = (struct bench_child){0};
        assert_int_equal(bench_start(&bench, &children[i], argv), DX_OK);
    }
    for (int i = 0; i < COUNT; i++)
        bench_until(&bench, &children[i].started_count, 1);
    begin = clock_ms();
    for (int i = 0; i < COUNT / 2; i++) {
        dx_child_kill(&children[i].child, SIGTERM);
        bench_until(&bench, &children[i].exited_count, 1);
        assert_int_equal(WTERMSIG(children[i].status), SIGTERM);
    }
    print_message("500 of 1000 ended one by one in %d ms\n", (int)(clock_ms() - begin));
    begin = clock_ms();
    for (int i = COUNT / 2; i < COUNT; i++)
        dx_child_kill(&children[i].child, SIGTERM);
    for (int i = COUNT / 2; i < COUNT; i++)
        bench_until(&bench, &children[i].exited_count, 1);
    print_message("500 at once in %d ms\n", (int)(clock_ms() - begin));
}

#define BENCH(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH(kill_ladder_ends_who_ignores_signals),
        BENCH(term_reaches_other_groups),
        BENCH(session_is_ended_with_its_program),
        BENCH(session_is_killed_a_second_later),
        BENCH(daemons_live_as_long_as_the_spawner),
        BENCH(stop_leaves_nobody),
        BENCH(a_thousand_programs),
    };

    return run_group(tests, NULL, NULL);
}
