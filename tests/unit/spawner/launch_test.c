/*
 * launch_test.c - each step of a start that can fail in the child is named, with its errno, and the
 * child is reaped.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"

#include "spawner/launch.h"

/* The call that fails; the child shares this memory. */
static const char *failing = "";

static bool fails(const char *name, int error)
{
    const char *at = failing;

    while (*at && *at == *name) {
        at++;
        name++;
    }
    if (*at || *name)
        return false;
    errno = error;
    return true;
}

#define WRAP(name, parameters, arguments, error)                                                   \
 int __real_##name parameters;                                                                     \
 int __wrap_##name parameters;                                                                     \
 int __wrap_##name parameters                                                                      \
 {                                                                                                 \
  return fails(#name, error) ? -1 : __real_##name arguments;                                       \
 }

WRAP(setsid, (void), (), EPERM)
WRAP(dup2, (int fd, int new_fd), (fd, new_fd), EBUSY)
WRAP(close_range, (unsigned int first, unsigned int last, int flags), (first, last, flags), ENOSYS)
WRAP(chdir, (const char *path), (path), EACCES)
WRAP(getrlimit64, (int resource, struct rlimit *limit), (resource, limit), EFAULT)
WRAP(setrlimit64, (int resource, const struct rlimit *limit), (resource, limit), EPERM)
WRAP(execve, (const char *path, char *const *arguments, char *const *variables),
     (path, arguments, variables), ENOMEM)

int __real_prctl(int option, ...);
int __wrap_prctl(int option, ...);
int __wrap_prctl(int option, ...)
{
    return fails("prctl", EINVAL) ? -1 : __real_prctl(option, SIGKILL);
}

/* The parent has gone: someone else is it now. */
pid_t __real_getppid(void);
pid_t __wrap_getppid(void);
pid_t __wrap_getppid(void)
{
    return fails("getppid", 0) ? 1 : __real_getppid();
}

static struct dx_launch_result launch(const char *name)
{
    char path[] = "/bin/true";
    char *const arguments[] = {path, NULL};
    char *const variables[] = {NULL};
    const int null = fcntl(0, F_DUPFD_CLOEXEC, 10);
    const struct dx_launch what = {.path = path,
                                   .directory = "/",
                                   .arguments = arguments,
                                   .variables = variables,
                                   .streams = {null, null, null},
                                   .descriptor_limit = 64};
    struct dx_launch_result result;

    assert_true(null >= 10);
    failing = name;
    result = dx_launch(&what);
    failing = "";
    close(null);
    return result;
}

static void each_step_is_named(void **state)
{
    static const struct {
        const char *name;
        enum dx_spawn_step step;
        int error;
    } rows[] = {
        {"setsid", DX_SPAWN_STEP_SESSION, EPERM},    {"dup2", DX_SPAWN_STEP_STREAMS, EBUSY},
        {"chdir", DX_SPAWN_STEP_DIRECTORY, EACCES},  {"getrlimit64", DX_SPAWN_STEP_LIMIT, EFAULT},
        {"setrlimit64", DX_SPAWN_STEP_LIMIT, EPERM}, {"prctl", DX_SPAWN_STEP_PARENT, EINVAL},
        {"getppid", DX_SPAWN_STEP_PARENT, ESRCH},    {"execve", DX_SPAWN_STEP_EXEC, ENOMEM},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct dx_launch_result result = launch(rows[i].name);

        assert_int_equal(result.pid, 0);
        assert_int_equal(result.step, rows[i].step);
        assert_int_equal(result.error, rows[i].error);
        assert_int_equal(waitpid(-1, NULL, 0), -1);
        assert_int_equal(errno, ECHILD);
    }
}

/*
 * An older kernel without close_range is served as well; and nothing of the failures before has
 * stayed.
 */
static void starts_when_nothing_that_matters_fails(void **state)
{
    static const char *const names[] = {"", "close_range"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct dx_launch_result result = launch(names[i]);
        int status = -1;

        assert_true(result.pid > 0);
        assert_int_equal(result.step, DX_SPAWN_STEP_NONE);
        assert_int_equal(waitpid(result.pid, &status, 0), result.pid);
        assert_int_equal(status, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_is_named),
        cmocka_unit_test(starts_when_nothing_that_matters_fails),
    };

    return run_group(tests, NULL, NULL);
}
