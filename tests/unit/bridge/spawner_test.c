/*
 * spawner_test.c - programs under the built duplex-spawner: how they start, fail, end, and in what
 * state they are.
 *
 * What happens when the server or the spawner is killed: spawner_loss_test.c. Sessions:
 * spawner_session_test.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/bridge/spawner_bench.h"
#include "support/test.h"

static struct spawner_bench bench;

static int open_bench(void **state)
{
    (void)state;
    bench_open(&bench, false, 123);
    return 0;
}

static int close_bench(void **state)
{
    (void)state;
    bench_close(&bench);
    return 0;
}

static void run_to_end(struct bench_child *child, const char *const *argv)
{
    *child = (struct bench_child){0};
    assert_int_equal(bench_start(&bench, child, argv), DX_OK);
    assert_true(dx_child_is_active(&child->child));
    bench_until(&bench, &child->exited_count, 1);
    assert_int_equal(child->started_count, 1);
    assert_int_equal(child->failed_count, 0);
    assert_false(dx_child_is_active(&child->child));
}

static void reports_exit_status(void **state)
{
    const char *const seven[] = {"/bin/sh", "-c", "exit 7", NULL};
    const char *const killed[] = {"/bin/sh", "-c", "kill -USR1 $$", NULL};
    static struct bench_child child;

    (void)state;
    run_to_end(&child, seven);
    assert_true(WIFEXITED(child.status));
    assert_int_equal(WEXITSTATUS(child.status), 7);
    run_to_end(&child, killed);
    assert_true(WIFSIGNALED(child.status));
    assert_int_equal(WTERMSIG(child.status), SIGUSR1);
}

static void streams_are_in_their_places(void **state)
{
    const char *const argv[] = {"/bin/sh", "-c", "cat; echo err >&2", NULL};
    char *const env[] = {NULL};
    struct dx_child child = {0};
    int in[2];
    int out[2];
    int err[2];
    char got[16] = "";

    (void)state;
    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
    const struct dx_child_spec spec = {.path = "/bin/sh",
                                       .argv = (char *const *)(uintptr_t)argv,
                                       .env = env,
                                       .fds = {in[0], out[1], err[1]}};
    assert_int_equal(dx_child_start(bench.channel, &child, NULL, NULL, &spec), DX_OK);
    dx_child_forget(&child);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    assert_int_equal(write(in[1], "hello", 5), 5);
    close(in[1]);
    assert_int_equal(read(out[0], got, sizeof(got)), 5);
    assert_memory_equal(got, "hello", 5);
    assert_int_equal(read(out[0], got, sizeof(got)), 0);
    assert_int_equal(read(err[0], got, sizeof(got)), 4);
    assert_memory_equal(got, "err\n", 4);
    close(out[0]);
    close(err[0]);
}

static void read_all(int fd, char *text, size_t text_len)
{
    size_t len = 0;
    ssize_t got;

    while (len < text_len - 1 && (got = read(fd, text + len, text_len - 1 - len)) > 0)
        len += (size_t)got;
    text[len] = '\0';
}

/*
 * The server itself stands in a bad place: descriptors without close-on-exec, ignored and blocked
 * signals.
 */
static void starts_in_a_clean_place(void **state)
{
    const char *const argv[] = {DX_TEST_PROBE, "one", "", "t w o", NULL};
    const char *const env[] = {"A=1", "B=", "C=x=y\nz", NULL};
    const int leaky = fcntl(0, F_DUPFD, 100);
    static struct bench_child child = {0};
    struct spawner_bench dirty;
    sigset_t blocked;
    sigset_t old;
    char text[4096];
    char expected[4096];
    char directory[2048];
    int out[2];

    (void)state;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &old);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    bench_open(&dirty, false, 123);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    sigprocmask(SIG_SETMASK, &old, NULL);
    close(leaky);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(bench_start_to(&dirty, &child, argv, env, out[1]), DX_OK);
    close(out[1]);
    read_all(out[0], text, sizeof(text));
    close(out[0]);
    bench_until(&dirty, &child.exited_count, 1);
    assert_int_equal(child.status, 0);
    assert_non_null(getcwd(directory, sizeof(directory)));
    snprintf(expected, sizeof(expected),
             "descriptors: 0 1 2\n"
             "odd signals: 0\n"
             "leads its session: 1\n"
             "descriptor limit: 123\n"
             "parent-death signal: 9\n"
             "directory: %s\n"
             "argument: " DX_TEST_PROBE "\n"
             "argument: one\nargument: \nargument: t w o\n"
             "variable: A=1\nvariable: B=\nvariable: C=x=y\nz\n",
             directory);
    assert_string_equal(text, expected);
    bench_close(&dirty);
}

static void spawner_has_its_own_session_and_few_descriptors(void **state)
{
    const pid_t pid = dx_spawner_pid(bench.spawner);

    (void)state;
    assert_int_equal(getsid(pid), pid);
    /* stdin, stdout, stderr, pidfd, one channel, signalfd; it is set up once it has answered. */
    reports_exit_status(NULL);
    descriptors_until(pid, 6);
}

/* ---- failures ---- */

static void expect_failure(const char *path, const char *directory, int error,
                           enum dx_spawn_step step)
{
    struct dx_child_spec spec = {.path = path, .directory = directory, .fds = {0, 1, 2}};
    const char *const argv[] = {path, NULL};
    char *const env[] = {NULL};
    static struct bench_child child;
    static struct bench_child probe;

    child = (struct bench_child){0};
    /* The callbacks are those of the bench: a first start puts them into the child. */
    run_to_end(&probe, (const char *const[]){"/bin/true", NULL});
    spec.argv = (char *const *)(uintptr_t)argv;
    spec.env = env;
    assert_int_equal(
        dx_child_start(bench.channel, &child.child, probe.child.callbacks, &child, &spec), DX_OK);
    bench_until(&bench, &child.failed_count, 1);
    assert_int_equal(child.error, error);
    assert_int_equal(child.step, step);
    assert_int_equal(child.started_count + child.exited_count, 0);
    assert_false(dx_child_is_active(&child.child));
}

static void make_file(const char *path, const char *text, mode_t mode)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void each_failed_step_is_reported(void **state)
{
    char directory[] = "/tmp/duplex-spawner-test-XXXXXX";
    char file[64];

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(file, sizeof(file), "%s/file", directory);
    expect_failure("/nonexistent/program", NULL, ENOENT, DX_SPAWN_STEP_EXEC);
    expect_failure("/etc/passwd/program", NULL, ENOTDIR, DX_SPAWN_STEP_EXEC);
    expect_failure(directory, NULL, EACCES, DX_SPAWN_STEP_EXEC);
    expect_failure("/bin/true", "/nonexistent", ENOENT, DX_SPAWN_STEP_DIRECTORY);
    expect_failure("/bin/true", "/etc/passwd", ENOTDIR, DX_SPAWN_STEP_DIRECTORY);
    make_file(file, "#!/bin/sh\n", 0644);
    expect_failure(file, NULL, EACCES, DX_SPAWN_STEP_EXEC);
    make_file(file, "echo no shebang\n", 0755);
    expect_failure(file, NULL, ENOEXEC, DX_SPAWN_STEP_EXEC);
    make_file(file, "#!/nonexistent/interpreter\n", 0755);
    expect_failure(file, NULL, ENOENT, DX_SPAWN_STEP_INTERPRETER);
    unlink(file);
    rmdir(directory);
    assert_int_equal(children_count(dx_spawner_pid(bench.spawner)), 0);
}

/* Lets the next spawner inherit a lower limit. */
static void open_limited(struct spawner_bench *limited, int resource, rlim_t soft)
{
    struct rlimit old;
    struct rlimit low;
    const struct dx_spawner_options options = {.path = DX_TEST_SPAWNER, .channel_count = 1};
    enum dx_err err;

    assert_int_equal(getrlimit((__rlimit_resource_t)resource, &old), 0);
    low = (struct rlimit){soft, old.rlim_max};
    assert_int_equal(setrlimit((__rlimit_resource_t)resource, &low), 0);
    *limited = (struct spawner_bench){0};
    err = dx_spawner_start(&options, &limited->spawner);
    assert_int_equal(setrlimit((__rlimit_resource_t)resource, &old), 0);
    assert_int_equal(err, DX_OK);
    bench_attach(limited, dx_spawner_channel(limited->spawner, 0));
}

static void arguments_too_long_for_the_kernel(void **state)
{
    static char argument[120 * 1024];
    static char const *argv[4000] = {"/bin/true", argument};
    struct spawner_bench limited;
    static struct bench_child child = {0};

    (void)state;
    memset(argument, 'a', sizeof(argument) - 1);
    for (size_t i = 2; i < 3999; i++)
        argv[i] = "";
    open_limited(&limited, RLIMIT_STACK, 256 * 1024);
    assert_int_equal(bench_start(&limited, &child, argv), DX_OK);
    bench_until(&limited, &child.failed_count, 1);
    assert_int_equal(child.error, E2BIG);
    assert_int_equal(child.step, DX_SPAWN_STEP_EXEC);
    bench_close(&limited);
}

static void no_descriptor_free_in_the_spawner(void **state)
{
    const char *const argv[] = {"/bin/true", NULL};
    struct spawner_bench limited;
    static struct bench_child child = {0};
    struct rlimit limit = {8, 8};

    (void)state;
    bench_open(&limited, false, 0);
    assert_int_equal(bench_start(&limited, &child, argv), DX_OK);
    bench_until(&limited, &child.exited_count, 1);
    assert_int_equal(prlimit(dx_spawner_pid(limited.spawner), RLIMIT_NOFILE, &limit, NULL), 0);
    child = (struct bench_child){0};
    assert_int_equal(bench_start(&limited, &child, argv), DX_OK);
    bench_until(&limited, &child.failed_count, 1);
    assert_int_equal(child.error, EMFILE);
    assert_int_equal(child.step, DX_SPAWN_STEP_DESCRIPTORS);
    descriptors_until(dx_spawner_pid(limited.spawner), 6);
    bench_close(&limited);
}

static void no_descriptor_free_in_the_server(void **state)
{
    const struct dx_spawner_options options = {.path = DX_TEST_SPAWNER, .channel_count = 3};
    const size_t before = descriptor_count(getpid());
    struct dx_spawner *spawner = NULL;
    struct rlimit old;
    rlim_t soft = 3;
    enum dx_err err;
    int failures = 0;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    do {
        const struct rlimit low = {soft++, old.rlim_max};

        assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
        err = dx_spawner_start(&options, &spawner);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
        if (err != DX_OK) {
            assert_int_equal(err, DX_ERR_DESCRIPTORS);
            assert_int_equal(descriptor_count(getpid()), before);
            failures++;
        }
    } while (err != DX_OK);
    assert_true(failures >= 5);
    dx_spawner_stop(spawner);
    assert_int_equal(descriptor_count(getpid()), before);
}

static void wrong_specs_are_refused_at_once(void **state)
{
    static char argument[DX_SPAWN_MESSAGE_MAX];
    static const char *many[DX_SPAWN_STRINGS_MAX + 2];
    const char *const no_argument[] = {NULL};
    const char *const relative[] = {"bin/true", NULL};
    const char *const too_long[] = {"/bin/true", argument, NULL};
    const char *const sleeper[] = {"/bin/sleep", "100", NULL};
    static struct bench_child child = {0};
    struct dx_child_spec spec = {.path = "/bin/true", .fds = {0, 1, 2}};
    char *const env[] = {NULL};

    (void)state;
    spec.argv = (char *const *)(uintptr_t)no_argument;
    spec.env = env;
    assert_int_equal(dx_child_start(bench.channel, &child.child, NULL, NULL, &spec), DX_ERR_USAGE);
    assert_int_equal(bench_start(&bench, &child, relative), DX_ERR_USAGE);
    memset(argument, 'a', sizeof(argument) - 1);
    assert_int_equal(bench_start(&bench, &child, too_long), DX_ERR_TOO_BIG);
    for (size_t i = 0; i < DX_SPAWN_STRINGS_MAX + 1; i++)
        many[i] = "/a";
    assert_int_equal(bench_start(&bench, &child, many), DX_ERR_TOO_BIG);
    assert_int_equal(bench_start(&bench, &child, sleeper), DX_OK);
    assert_int_equal(bench_start(&bench, &child, sleeper), DX_ERR_STATE);
    dx_child_kill(&child.child, SIGKILL);
    bench_until(&bench, &child.exited_count, 1);
}

static void spawner_that_cannot_be_started(void **state)
{
    struct dx_spawner_options options = {.path = "/nonexistent", .channel_count = 1};
    const size_t before = descriptor_count(getpid());
    struct dx_spawner *spawner = NULL;

    (void)state;
    assert_int_equal(dx_spawner_start(&options, &spawner), DX_ERR_NOT_FOUND);
    options.path = "/etc/passwd";
    assert_int_equal(dx_spawner_start(&options, &spawner), DX_ERR_ACCESS);
    options.path = DX_TEST_SPAWNER;
    options.channel_count = 0;
    assert_int_equal(dx_spawner_start(&options, &spawner), DX_ERR_USAGE);
    options.channel_count = DX_SPAWN_CHANNELS_MAX + 1;
    assert_int_equal(dx_spawner_start(&options, &spawner), DX_ERR_USAGE);
    assert_null(spawner);
    assert_int_equal(descriptor_count(getpid()), before);
    dx_spawner_stop(NULL);
}

/* ---- many ---- */

static void ten_thousand_starts_leave_nothing(void **state)
{
    enum { TOTAL = 10000, AT_A_TIME = 8 };
    const char *const argv[] = {"/bin/true", NULL};
    static struct bench_child children[AT_A_TIME] = {0};
    const pid_t pid = dx_spawner_pid(bench.spawner);
    uint64_t begin = clock_ms();
    size_t own;
    int ended = 0;
    int started = 0;

    (void)state;
    reports_exit_status(NULL);
    own = descriptor_count(getpid());
    descriptors_until(pid, 6);
    while (ended < TOTAL) {
        for (int i = 0; i < AT_A_TIME; i++) {
            if (children[i].exited_count == 1) {
                assert_int_equal(children[i].started_count, 1);
                assert_int_equal(children[i].status, 0);
                ended++;
                children[i].exited_count = 0;
            }
            if (!dx_child_is_active(&children[i].child) && started < TOTAL) {
                children[i] = (struct bench_child){0};
                assert_int_equal(bench_start(&bench, &children[i], argv), DX_OK);
                started++;
            }
        }
        assert_true(ended == TOTAL || bench_turn(&bench, PATIENCE_MS));
    }
    print_message("%d starts in %d ms\n", TOTAL, (int)(clock_ms() - begin));
    assert_int_equal(children_count(pid), 0);
    assert_int_equal(descriptor_count(getpid()), own);
    descriptors_until(pid, 6);
}

/*
 * More than the socket holds, both ways: nobody reads until all have been asked for, and then until
 * all have ended.
 */
static void nothing_is_lost_when_the_sockets_are_full(void **state)
{
    enum { COUNT = 1500 };
    static struct bench_child children[COUNT];
    static char variable[2000];
    const char *const argv[] = {"/bin/true", NULL};
    const char *const env[] = {variable, NULL};
    const pid_t pid = dx_spawner_pid(bench.spawner);
    bool waited = false;

    (void)state;
    memset(variable, 'v', sizeof(variable) - 1);
    kill(pid, SIGSTOP);
    for (int i = 0; i < COUNT; i++) {
        children[i] = (struct bench_child){0};
        assert_int_equal(bench_start_to(&bench, &children[i], argv, env, -1), DX_OK);
        waited = waited || bench.wants_write;
    }
    assert_true(waited);
    for (int i = 0; i < COUNT; i += 2)
        dx_child_kill(&children[i].child, SIGKILL);
    kill(pid, SIGCONT);
    for (int i = 0; i < COUNT; i++) {
        bench_until(&bench, &children[i].exited_count, 1);
        assert_int_equal(children[i].started_count, 1);
        assert_int_equal(children[i].failed_count, 0);
    }
    assert_false(bench.wants_write);
    assert_int_equal(children_count(pid), 0);
}

static void a_queue_that_is_full_says_so(void **state)
{
    enum { COUNT = 200 };
    static struct bench_child children[COUNT];
    static char argument[100 * 1024];
    const char *const argv[] = {"/bin/true", argument, NULL};
    const pid_t pid = dx_spawner_pid(bench.spawner);
    const size_t before = descriptor_count(getpid());
    enum dx_err err = DX_OK;
    int count = 0;

    (void)state;
    memset(argument, 'a', sizeof(argument) - 1);
    kill(pid, SIGSTOP);
    while (err == DX_OK && count < COUNT) {
        children[count] = (struct bench_child){0};
        err = bench_start(&bench, &children[count++], argv);
    }
    assert_int_equal(err, DX_ERR_QUEUE_FULL);
    kill(pid, SIGCONT);
    count--;
    for (int i = 0; i < count; i++)
        bench_until(&bench, &children[i].exited_count, 1);
    assert_int_equal(descriptor_count(getpid()), before);
}

/*
 * A thousand reports are about twice what the socket holds; nobody reads before the last has ended.
 */
static void reports_wait_for_a_server_that_does_not_read(void **state)
{
    enum { COUNT = 500 };
    static struct bench_child children[COUNT];
    const char *const argv[] = {"/bin/true", NULL};
    int last[2];
    char byte;

    (void)state;
    assert_int_equal(pipe2(last, O_CLOEXEC), 0);
    for (int i = 0; i < COUNT; i++) {
        children[i] = (struct bench_child){0};
        assert_int_equal(
            bench_start_to(&bench, &children[i], argv, NULL, i == COUNT - 1 ? last[1] : -1), DX_OK);
        /* Only where sockets hold less than usual. */
        while (bench.wants_write)
            bench_turn(&bench, 100);
    }
    close(last[1]);
    assert_int_equal(read(last[0], &byte, 1), 0);
    close(last[0]);
    while (children_count(dx_spawner_pid(bench.spawner)) > 0)
        poll(NULL, 0, 1);
    for (int i = 0; i < COUNT; i++) {
        bench_until(&bench, &children[i].exited_count, 1);
        assert_int_equal(children[i].started_count, 1);
        assert_int_equal(children[i].status, 0);
    }
}

static void forgotten_children_are_silent(void **state)
{
    const char *const argv[] = {"/bin/sleep", "100", NULL};
    const char *const quick[] = {"/bin/true", NULL};
    const pid_t pid = dx_spawner_pid(bench.spawner);
    static struct bench_child child = {0};
    static struct bench_child other;

    (void)state;
    assert_int_equal(bench_start(&bench, &child, argv), DX_OK);
    bench_until(&bench, &child.started_count, 1);
    dx_child_kill(&child.child, SIGKILL);
    dx_child_forget(&child.child);
    dx_child_forget(&child.child);
    dx_child_kill(&child.child, SIGKILL);
    assert_false(dx_child_is_active(&child.child));
    for (int i = 0; i < 50 || children_count(pid) > 0; i++)
        run_to_end(&other, quick);
    assert_int_equal(child.exited_count, 0);
}

static void channels_are_apart(void **state)
{
    const struct dx_spawner_options options = {.path = DX_TEST_SPAWNER, .channel_count = 3};
    const char *const argv[] = {"/bin/sleep", "100", NULL};
    struct spawner_bench benches[3];
    static struct bench_child children[3];
    struct dx_spawner *spawner;

    (void)state;
    assert_int_equal(dx_spawner_start(&options, &spawner), DX_OK);
    for (uint32_t i = 0; i < 3; i++) {
        children[i] = (struct bench_child){0};
        benches[i] = (struct spawner_bench){0};
        bench_attach(&benches[i], dx_spawner_channel(spawner, i));
        assert_int_equal(bench_start(&benches[i], &children[i], argv), DX_OK);
        bench_until(&benches[i], &children[i].started_count, 1);
    }
    dx_child_kill(&children[1].child, SIGTERM);
    bench_until(&benches[1], &children[1].exited_count, 1);
    assert_int_equal(WTERMSIG(children[1].status), SIGTERM);
    assert_int_equal(children_count(dx_spawner_pid(spawner)), 2);
    assert_false(bench_turn(&benches[0], 0) || bench_turn(&benches[2], 0));
    dx_spawner_stop(spawner);
}

static void finds_programs_as_a_shell_does(void **state)
{
    char path[256];
    char small[8];

    (void)state;
    assert_int_equal(dx_program_find("sh", "/nonexistent:/bin", path, sizeof(path)), DX_OK);
    assert_string_equal(path, "/bin/sh");
    assert_int_equal(dx_program_find("sh", NULL, path, sizeof(path)), DX_OK);
    assert_int_equal(dx_program_find("/bin/sh", NULL, path, sizeof(path)), DX_OK);
    assert_string_equal(path, "/bin/sh");
    assert_int_equal(dx_program_find("", NULL, path, sizeof(path)), DX_ERR_NOT_FOUND);
    assert_int_equal(dx_program_find("no-such-name", NULL, path, sizeof(path)), DX_ERR_NOT_FOUND);
    assert_int_equal(dx_program_find("/nonexistent/x", NULL, path, sizeof(path)), DX_ERR_NOT_FOUND);
    assert_int_equal(dx_program_find("/etc", NULL, path, sizeof(path)), DX_ERR_ACCESS);
    assert_int_equal(dx_program_find("passwd", "/etc", path, sizeof(path)), DX_ERR_ACCESS);
    assert_int_equal(dx_program_find("sh", "/usr/bin", small, sizeof(small)), DX_ERR_TOO_BIG);
    assert_int_equal(chdir("/bin"), 0);
    assert_int_equal(dx_program_find("./sh", NULL, path, sizeof(path)), DX_OK);
    assert_int_equal(access(path, X_OK), 0);
    assert_int_equal(path[0], '/');
    assert_int_equal(dx_program_find("sh", "", path, sizeof(path)), DX_OK);
    assert_int_equal(path[0], '/');
}

#define BENCH(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH(reports_exit_status),
        BENCH(streams_are_in_their_places),
        cmocka_unit_test(starts_in_a_clean_place),
        BENCH(spawner_has_its_own_session_and_few_descriptors),
        BENCH(each_failed_step_is_reported),
        cmocka_unit_test(arguments_too_long_for_the_kernel),
        cmocka_unit_test(no_descriptor_free_in_the_spawner),
        cmocka_unit_test(no_descriptor_free_in_the_server),
        BENCH(wrong_specs_are_refused_at_once),
        cmocka_unit_test(spawner_that_cannot_be_started),
        BENCH(ten_thousand_starts_leave_nothing),
        BENCH(nothing_is_lost_when_the_sockets_are_full),
        BENCH(a_queue_that_is_full_says_so),
        BENCH(reports_wait_for_a_server_that_does_not_read),
        BENCH(forgotten_children_are_silent),
        cmocka_unit_test(channels_are_apart),
        cmocka_unit_test(finds_programs_as_a_shell_does),
    };

    return run_group(tests, NULL, NULL);
}
