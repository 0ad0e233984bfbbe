/*
 * no_process_test.c - the system has no process to give. A program of its own: a vfork that is
 * sometimes real cannot be written in C.
 */
#include <errno.h>
#include <sys/types.h>

#include "support/test.h"

#include "spawner/launch.h"

pid_t __wrap_vfork(void);
pid_t __wrap_vfork(void)
{
    errno = EAGAIN;
    return -1;
}

static void no_process(void **state)
{
    char path[] = "/bin/true";
    char *const arguments[] = {path, NULL};
    const struct dx_launch what = {
        .path = path, .arguments = arguments, .variables = arguments + 1, .streams = {0, 1, 2}};
    const struct dx_launch_result result = dx_launch(&what);

    (void)state;
    assert_int_equal(result.pid, 0);
    assert_int_equal(result.step, DX_SPAWN_STEP_PROCESS);
    assert_int_equal(result.error, EAGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_process),
    };

    return run_group(tests, NULL, NULL);
}
