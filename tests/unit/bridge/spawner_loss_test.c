/*
 * spawner_loss_test.c - the server or the spawner is killed by SIGKILL: no descendant is left,
 * however evasive.
 */
#include <fcntl.h>
#include <poll.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/bridge/spawner_bench.h"
#include "support/test.h"

static const char *const modes[] = {"ignore",  "grandchild", "group",     "daemon",
                                    "undying", "runaway",    "subreaper", "stopped"};

enum { MODE_COUNT = sizeof(modes) / sizeof(modes[0]), PROCESSES_AT_LEAST = 11 };

static char mark[64];

static void new_mark(void)
{
    static int count;

    snprintf(mark, sizeof(mark), "DX_MARK=%d.loss.%d.", getpid(), ++count);
}

static void start_all(struct spawner_bench *bench, struct bench_child *children)
{
    for (size_t i = 0; i < MODE_COUNT; i++)
        bench_start_evasive(bench, &children[i], modes[i], mark);
}

/*
 * A server of its own, which says the spawner's pid when all programs run, and then serves until it
 * is killed.
 */
static pid_t fork_server(bool owns_children, pid_t *spawner)
{
    static struct bench_child children[MODE_COUNT];
    struct spawner_bench bench;
    int ready[2];
    pid_t server;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        bench_open(&bench, owns_children, 0);
        start_all(&bench, children);
        *spawner = dx_spawner_pid(bench.spawner);
        if (write(ready[1], spawner, sizeof(*spawner)) != (ssize_t)sizeof(*spawner))
            _exit(1);
        for (;;)
            bench_turn(&bench, 1000);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], spawner, sizeof(*spawner)), (ssize_t)sizeof(*spawner));
    close(ready[0]);
    return server;
}

static void kill_server(bool owns_children, bool spawner_is_stopped)
{
    pid_t spawner;
    pid_t server;
    int64_t ms;

    new_mark();
    /* The spawner, and whoever it might leave, come to us. */
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    server = fork_server(owns_children, &spawner);
    assert_true(marked_count(mark) >= PROCESSES_AT_LEAST - 1);
    if (spawner_is_stopped)
        kill(spawner, SIGSTOP);
    kill(server, SIGKILL);
    ms = marked_gone_ms(mark);
    print_message("server killed: all programs gone after %d ms\n", (int)ms);
    assert_true(ms >= 0);
    assert_int_equal(waitpid(server, NULL, 0), server);
    assert_int_equal(waitpid(spawner, NULL, 0), spawner);
    assert_int_equal(waitpid(-1, NULL, 0), -1);
    assert_int_equal(errno, ECHILD);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void server_killed(void **state)
{
    (void)state;
    kill_server(true, false);
}

static void server_killed_that_is_no_subreaper(void **state)
{
    (void)state;
    kill_server(false, false);
}

/* Any program can stop its parent. */
static void server_killed_behind_a_stopped_spawner(void **state)
{
    (void)state;
    kill_server(false, true);
}

static void reopen(struct spawner_bench *bench)
{
    const uint64_t deadline = clock_ms() + 4 * PATIENCE_MS;
    enum dx_err err;

    while ((err = dx_spawner_channel_reopen(bench->channel)) == DX_ERR_AGAIN &&
           clock_ms() < deadline)
        poll(NULL, 0, 1);
    assert_int_equal(err, DX_OK);
}

/* Each child is told of once, everybody is gone, and the next spawner works. */
static void spawner_killed(void **state)
{
    const char *const argv[] = {"/bin/true", NULL};
    const size_t before = descriptor_count(getpid());
    static struct bench_child children[MODE_COUNT];
    static struct bench_child starting = {0};
    static struct bench_child after = {0};
    struct spawner_bench bench;
    pid_t pid;
    int64_t ms;

    (void)state;
    new_mark();
    bench_open(&bench, true, 0);
    start_all(&bench, children);
    pid = dx_spawner_pid(bench.spawner);
    kill(pid, SIGSTOP);
    assert_int_equal(bench_start(&bench, &starting, argv), DX_OK);
    kill(pid, SIGKILL);
    bench_until(&bench, &bench.lost_count, 1);
    ms = marked_gone_ms(mark);
    print_message("spawner killed: all programs gone after %d ms\n", (int)ms);
    assert_true(ms >= 0);
    for (size_t i = 0; i < MODE_COUNT; i++) {
        assert_int_equal(children[i].started_count, 1);
        assert_int_equal(children[i].exited_count, 1);
        assert_int_equal(children[i].failed_count, 0);
    }
    assert_int_equal(starting.failed_count, 1);
    assert_int_equal(starting.step, DX_SPAWN_STEP_SPAWNER);
    assert_int_equal(starting.error, EPIPE);
    assert_int_equal(dx_spawner_channel_fd(bench.channel), -1);
    assert_int_equal(bench_start(&bench, &after, argv), DX_ERR_CLOSED);

    reopen(&bench);
    assert_int_equal(dx_spawner_channel_reopen(bench.channel), DX_ERR_STATE);
    assert_int_not_equal(dx_spawner_pid(bench.spawner), pid);
    assert_int_equal(bench_start(&bench, &after, argv), DX_OK);
    bench_until(&bench, &after.exited_count, 1);
    assert_int_equal(after.status, 0);
    assert_int_equal(bench.lost_count, 1);
    bench_close(&bench);
    assert_int_equal(waitpid(-1, NULL, 0), -1);
    assert_int_equal(descriptor_count(getpid()), before);
}

/*
 * Without owns_children the parent-death signal is all there is; the others of this process are not
 * touched.
 */
static void spawner_killed_in_a_library(void **state)
{
    const char *const argv[] = {"/bin/sleep", "1000", NULL};
    const char *const env[] = {mark, NULL};
    static struct bench_child child = {0};
    struct spawner_bench bench;
    pid_t other;

    (void)state;
    new_mark();
    other = fork();
    if (other == 0)
        for (;;)
            pause();
    bench_open(&bench, false, 0);
    assert_int_equal(bench_start_to(&bench, &child, argv, env, -1), DX_OK);
    bench_until(&bench, &child.started_count, 1);
    kill(dx_spawner_pid(bench.spawner), SIGKILL);
    bench_until(&bench, &bench.lost_count, 1);
    assert_int_equal(child.exited_count, 1);
    assert_true(marked_gone_ms(mark) >= 0);
    reopen(&bench);
    bench_close(&bench);
    assert_int_equal(waitpid(other, NULL, WNOHANG), 0);
    kill(other, SIGKILL);
    assert_int_equal(waitpid(other, NULL, 0), other);
}

/* Several loops see the loss one after the other; the first starts anew for all. */
static void each_channel_reopens(void **state)
{
    const struct dx_spawner_options options = {
        .path = DX_TEST_SPAWNER, .channel_count = 2, .owns_children = true};
    const char *const argv[] = {"/bin/true", NULL};
    struct spawner_bench benches[2];
    struct dx_spawner *spawner;

    (void)state;
    assert_int_equal(dx_spawner_start(&options, &spawner), DX_OK);
    for (uint32_t i = 0; i < 2; i++) {
        benches[i] = (struct spawner_bench){0};
        bench_attach(&benches[i], dx_spawner_channel(spawner, i));
    }
    kill(dx_spawner_pid(spawner), SIGKILL);
    bench_until(&benches[0], &benches[0].lost_count, 1);
    reopen(&benches[0]);
    /* Only now: it must not take the new spawner for the dead one. */
    bench_until(&benches[1], &benches[1].lost_count, 1);
    reopen(&benches[1]);
    for (int i = 0; i < 2; i++) {
        static struct bench_child child;

        child = (struct bench_child){0};
        assert_int_equal(bench_start(&benches[i], &child, argv), DX_OK);
        bench_until(&benches[i], &child.exited_count, 1);
        assert_int_equal(benches[i].lost_count, 1);
    }
    /* Lost again before anyone has looked, and stopped without being reopened. */
    kill(dx_spawner_pid(spawner), SIGKILL);
    bench_until(&benches[1], &benches[1].lost_count, 2);
    dx_spawner_stop(spawner);
    assert_int_equal(waitpid(-1, NULL, 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_killed),
        cmocka_unit_test(server_killed_that_is_no_subreaper),
        cmocka_unit_test(server_killed_behind_a_stopped_spawner),
        cmocka_unit_test(spawner_killed),
        cmocka_unit_test(spawner_killed_in_a_library),
        cmocka_unit_test(each_channel_reopens),
    };

    return run_group(tests, NULL, NULL);
}
