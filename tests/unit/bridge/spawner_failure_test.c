/*
 * spawner_failure_test.c - each call to the system of the spawner's client fails in turn.
 *
 * One scenario goes through a start, children, a killed spawner, a reopening and a stop. It is run
 * once for each call that it makes, with that call failing: the outcome is an error that the header
 * names, and nothing is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/bridge/spawner_bench.h"
#include "support/test.h"

/* ---- the failing calls ---- */

static int calls;       /* made since the scenario began */
static int failing;     /* the number of the one that fails, 0 for none */
static bool fails_hard; /* with an error for good, not one that passes */

static bool fails(int error)
{
    if (++calls != failing)
        return false;
    errno = error;
    return true;
}

#define WRAP(result, name, parameters, arguments, error)                                           \
 result __real_##name parameters;                                                                  \
 result __wrap_##name parameters;                                                                  \
 result __wrap_##name parameters                                                                   \
 {                                                                                                 \
  return fails(error) ? (result)-1 : __real_##name arguments;                                      \
 }

#define WRAP_POINTER(name, parameters, arguments)                                                  \
 void *__real_##name parameters;                                                                   \
 void *__wrap_##name parameters;                                                                   \
 void *__wrap_##name parameters                                                                    \
 {                                                                                                 \
  return fails(ENOMEM) ? NULL : __real_##name arguments;                                           \
 }

/* These give the error itself. */
#define WRAP_ERROR(name, parameters, arguments, error)                                             \
 int __real_##name parameters;                                                                     \
 int __wrap_##name parameters;                                                                     \
 int __wrap_##name parameters                                                                      \
 {                                                                                                 \
  return fails(error) ? (error) : __real_##name arguments;                                         \
 }

WRAP_POINTER(malloc, (size_t size), (size))
WRAP_POINTER(calloc, (size_t count, size_t size), (count, size))
WRAP_POINTER(realloc, (void *old, size_t size), (old, size))
WRAP_POINTER(strdup, (const char *text), (text))
WRAP(int, socketpair, (int domain, int type, int protocol, int *pair),
     (domain, type, protocol, pair), EMFILE)
WRAP(int, dx_pidfd_open, (pid_t pid), (pid), EMFILE)
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags),
     fails_hard ? ETOOMANYREFS : EAGAIN)
WRAP(ssize_t, send, (int fd, const void *bytes, size_t len, int flags), (fd, bytes, len, flags),
     fails_hard ? EPIPE : EAGAIN)
WRAP(ssize_t, recv, (int fd, void *bytes, size_t len, int flags), (fd, bytes, len, flags),
     fails_hard ? ECONNRESET : EAGAIN)
WRAP_ERROR(posix_spawn,
           (pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions,
            const posix_spawnattr_t *attributes, char *const *arguments, char *const *variables),
           (pid, path, actions, attributes, arguments, variables), fails_hard ? EAGAIN : ENOMEM)
WRAP_ERROR(posix_spawn_file_actions_adddup2,
           (posix_spawn_file_actions_t * actions, int fd, int new_fd), (actions, fd, new_fd),
           ENOMEM)
WRAP_ERROR(posix_spawn_file_actions_init, (posix_spawn_file_actions_t * actions), (actions), ENOMEM)
WRAP_ERROR(posix_spawnattr_init, (posix_spawnattr_t * attributes), (attributes), ENOMEM)
WRAP_ERROR(posix_spawnattr_setflags, (posix_spawnattr_t * attributes, short flags),
           (attributes, flags), EINVAL)
WRAP_ERROR(pthread_create,
           (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *),
            void *argument),
           (thread, attributes, run, argument), EAGAIN)
WRAP_ERROR(pthread_mutex_init, (pthread_mutex_t * mutex, const pthread_mutexattr_t *attributes),
           (mutex, attributes), ENOMEM)

int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...)
{
    va_list arguments;
    int argument;

    va_start(arguments, command);
    argument = va_arg(arguments, int);
    va_end(arguments);
    return fails(EMFILE) ? -1 : __real_fcntl64(fd, command, argument);
}

int __real_prctl(int option, ...);
int __wrap_prctl(int option, ...);
int __wrap_prctl(int option, ...)
{
    va_list arguments;
    unsigned long argument;

    va_start(arguments, option);
    argument = va_arg(arguments, unsigned long);
    va_end(arguments);
    /* Taking it back as the spawner is freed has no outcome to be told. */
    if (option == PR_SET_CHILD_SUBREAPER && (int)argument == 0)
        return __real_prctl(option, argument, 0, 0, 0);
    return fails(EPERM) ? -1 : __real_prctl(option, argument, 0, 0, 0);
}

/* ---- the scenario ---- */

enum { CHILDREN = 4 };

static struct bench_child children[CHILDREN];
static int errors_seen;

static bool is_documented(enum dx_err err)
{
    static const enum dx_err errors[] = {DX_ERR_NOMEM,    DX_ERR_DESCRIPTORS, DX_ERR_SYSTEM,
                                         DX_ERR_SPAWN,    DX_ERR_CLOSED,      DX_ERR_AGAIN,
                                         DX_ERR_NOT_FOUND};

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i] == err)
            return true;
    return err == DX_OK;
}

static void note_error(enum dx_err err)
{
    assert_true(is_documented(err));
    if (err != DX_OK)
        errors_seen++;
}

static void start_children(struct spawner_bench *bench)
{
    static const char *const argvs[CHILDREN][3] = {
        {"/bin/true"}, {"/bin/sleep", "1000"}, {"/nonexistent"}, {"/bin/sleep", "1000"}};

    for (int i = 0; i < CHILDREN; i++) {
        children[i] = (struct bench_child){0};
        note_error(bench_start(bench, &children[i], argvs[i]));
    }
}

static bool any_active(void)
{
    for (int i = 0; i < CHILDREN; i++)
        if (dx_child_is_active(&children[i].child))
            return true;
    return false;
}

static void serve_until_ended(struct spawner_bench *bench)
{
    const uint64_t deadline = clock_ms() + PATIENCE_MS;

    while (any_active() && clock_ms() < deadline)
        bench_turn(bench, 1000);
    assert_false(any_active());
    for (int i = 0; i < CHILDREN; i++) {
        assert_true(children[i].started_count <= 1);
        assert_true(children[i].failed_count + children[i].exited_count <= 1);
    }
}

static void reopen(struct spawner_bench *bench)
{
    const uint64_t deadline = clock_ms() + PATIENCE_MS;
    enum dx_err err;

    do {
        err = dx_spawner_channel_reopen(bench->channel);
        assert_true(is_documented(err));
        poll(NULL, 0, 1);
    } while (err != DX_OK && clock_ms() < deadline);
    assert_int_equal(err, DX_OK);
}

static void run(struct spawner_bench *bench)
{
    start_children(bench);
    dx_child_kill(&children[1].child, SIGTERM);
    dx_child_kill(&children[3].child, SIGKILL);
    serve_until_ended(bench);
    if (dx_spawner_pid(bench->spawner) > 0)
        kill(dx_spawner_pid(bench->spawner), SIGKILL);
    bench_until(bench, &bench->lost_count, 1);
    reopen(bench);
    start_children(bench);
    dx_child_kill(&children[1].child, SIGKILL);
    dx_child_kill(&children[3].child, SIGKILL);
    serve_until_ended(bench);
}

/* Returns how many calls were made. */
static int run_scenario(int number, bool hard)
{
    const struct dx_spawner_options options = {
        .path = DX_TEST_SPAWNER, .channel_count = 2, .owns_children = true};
    const size_t before = descriptor_count(getpid());
    struct spawner_bench bench = {0};
    enum dx_err err;

    calls = 0;
    failing = number;
    fails_hard = hard;
    err = dx_spawner_start(&options, &bench.spawner);
    note_error(err);
    if (err == DX_OK) {
        bench_attach(&bench, dx_spawner_channel(bench.spawner, 0));
        run(&bench);
        bench_close(&bench);
    }
    failing = 0;
    assert_int_equal(descriptor_count(getpid()), before);
    assert_int_equal(waitpid(-1, NULL, 0), -1);
    assert_int_equal(errno, ECHILD);
    return calls;
}

static void sweep(bool hard)
{
    const int total = run_scenario(0, hard);
    int injected = 0;

    errors_seen = 0;
    /* A failure may lead to more calls; stop at the first number that is not reached. */
    for (int number = 1; run_scenario(number, hard) >= number; number++)
        injected++;
    print_message("%d calls, %d errors\n", total, errors_seen);
    print_message("injected %d failures\n", injected);
    assert_true(injected >= 50);
    assert_true(errors_seen >= 20);
}

static void failures_that_pass(void **state)
{
    (void)state;
    sweep(false);
}

static void failures_for_good(void **state)
{
    (void)state;
    sweep(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_that_pass),
        cmocka_unit_test(failures_for_good),
    };

    return run_group(tests, NULL, NULL);
}
