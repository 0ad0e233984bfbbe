/*
 * launch.c - starts one program.
 *
 * It uses vfork, not fork or posix_spawn. The memory is shared with the parent until the exec, so
 * the cost does not grow with it, and errno and step come back without a pipe. The child makes
 * system calls only.
 */
#include "spawner/launch.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Written by the child and read by its parent, in their shared memory. Static, because the compiler
 * may move the first stores to a local variable past the vfork into the branch of the parent, and
 * lose what the child wrote.
 */
static volatile struct {
    enum dx_spawn_step step;
    int error;
} outcome;

static enum dx_spawn_step place_streams(const struct dx_launch *launch)
{
    for (int i = 0; i < DX_SPAWN_STREAMS; i++)
        if (dup2(launch->streams[i], i) < 0)
            return DX_SPAWN_STEP_STREAMS;
    /* All descriptors of the spawner are close-on-exec as well, for kernels without this call. */
    close_range(DX_SPAWN_STREAMS, UINT_MAX, 0);
    return DX_SPAWN_STEP_NONE;
}

static enum dx_spawn_step give_back_limit(uint64_t soft)
{
    struct rlimit limit;

    if (soft == 0)
        return DX_SPAWN_STEP_NONE;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return DX_SPAWN_STEP_LIMIT;
    limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? DX_SPAWN_STEP_LIMIT : DX_SPAWN_STEP_NONE;
}

static enum dx_spawn_step die_with(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return DX_SPAWN_STEP_PARENT;
    if (getppid() != parent) {
        errno = ESRCH;
        return DX_SPAWN_STEP_PARENT;
    }
    return DX_SPAWN_STEP_NONE;
}

/* Returns only if a step failed, with errno set. */
static enum dx_spawn_step become_program(const struct dx_launch *launch, pid_t parent)
{
    enum dx_spawn_step step;
    sigset_t none;

    if (setsid() < 0)
        return DX_SPAWN_STEP_SESSION;
    step = place_streams(launch);
    if (step == DX_SPAWN_STEP_NONE && launch->directory && chdir(launch->directory) < 0)
        step = DX_SPAWN_STEP_DIRECTORY;
    if (step == DX_SPAWN_STEP_NONE)
        step = give_back_limit(launch->descriptor_limit);
    if (step == DX_SPAWN_STEP_NONE)
        step = die_with(parent);
    if (step != DX_SPAWN_STEP_NONE)
        return step;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(launch->path, launch->arguments, launch->variables);
    /*
     * execve has one errno for both. The server must not wait for a file system, so this process
     * checks.
     */
    if (errno == ENOENT && access(launch->path, F_OK) == 0)
        return DX_SPAWN_STEP_INTERPRETER;
    return DX_SPAWN_STEP_EXEC;
}

struct dx_launch_result dx_launch(const struct dx_launch *launch)
{
    const pid_t parent = getpid();
    pid_t pid;

    outcome.step = DX_SPAWN_STEP_NONE;
    pid = vfork();
    if (pid == 0) {
        outcome.step = become_program(launch, parent);
        outcome.error = errno;
        _exit(127);
    }
    if (pid < 0)
        return (struct dx_launch_result){0, DX_SPAWN_STEP_PROCESS, errno};
    if (outcome.step == DX_SPAWN_STEP_NONE)
        return (struct dx_launch_result){pid, DX_SPAWN_STEP_NONE, 0};
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return (struct dx_launch_result){0, outcome.step, outcome.error};
}
