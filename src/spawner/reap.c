/*
 * reap.c - reaps children: programs, orphans that came to this subreaper, and at the end all of
 * them.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "spawner/supervisor.h"

/*
 * The group is signalled before its leader is reaped: until then its number cannot be reused.
 * Members of the session in other groups are left to the sweep.
 */
static void end_program(struct dx_supervisor *supervisor, struct dx_process *process)
{
    const bool killed = process->signal == SIGKILL;
    const int64_t now = dx_monotonic_ns();
    int status = 0;

    kill(-process->pid, killed ? SIGKILL : SIGTERM);
    waitpid(process->pid, &status, 0);
    process->state = DX_PROCESS_ENDED;
    process->value = status;
    process->kill_at_ns = killed ? now : now + DX_SESSION_GRACE_MS * DX_NS_PER_MS;
    process->drop_at_ns = now + DX_SESSION_GIVE_UP_MS * DX_NS_PER_MS;
    dx_channel_report(supervisor, process, DX_REPORT_EXITED);
    dx_sweep_add(supervisor, process, now + DX_SESSION_LOOK_MS * DX_NS_PER_MS);
}

void dx_reap_children(struct dx_supervisor *supervisor)
{
    for (;;) {
        siginfo_t info = {0};
        struct dx_process *process;

        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return;
        supervisor->exit_count++;
        process = dx_process_find_pid(&supervisor->processes, info.si_pid);
        if (process && process->state == DX_PROCESS_RUNNING)
            end_program(supervisor, process);
        else
            waitpid(info.si_pid, NULL, WNOHANG);
    }
}

/* False: there is no child any more. */
static bool reap_any(bool *reaped)
{
    pid_t pid;

    *reaped = false;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        *reaped = true;
    return pid == 0 || errno != ECHILD;
}

static void kill_groups(const struct dx_process_table *table)
{
    for (uint32_t i = 0; i < table->used; i++)
        if (table->all[i].state == DX_PROCESS_RUNNING)
            kill(-table->all[i].pid, SIGKILL);
}

static void kill_children(struct dx_supervisor *supervisor)
{
    const size_t count = supervisor->has_proc ? dx_children_read(supervisor->pid, supervisor->pids,
                                                                 DX_SWEEP_PIDS_MAX)
                                              : 0;

    for (size_t i = 0; i < count; i++)
        kill(supervisor->pids[i], SIGKILL);
}

static void wait_for_exit(int signal_fd, int64_t wait_ns)
{
    const struct timespec timeout = {0, wait_ns};
    struct pollfd exits = {.fd = signal_fd, .events = POLLIN};
    struct signalfd_siginfo info;

    ppoll(&exits, 1, &timeout, NULL);
    while (read(signal_fd, &info, sizeof(info)) > 0)
        ;
}

/*
 * Only direct children are killed, again and again: the children of a dead process become ours. A
 * process that forks itself away every few milliseconds is caught between two forks, so there is no
 * pause while anything changes. Pauses grow only for processes that cannot be killed.
 */
void dx_end_everything(struct dx_supervisor *supervisor)
{
    const int64_t begin = dx_monotonic_ns();
    int64_t pause = DX_NS_PER_MS;
    bool reaped;

    kill_groups(&supervisor->processes);
    while (reap_any(&reaped)) {
        if (!supervisor->has_proc && dx_monotonic_ns() - begin > DX_END_BLIND_MS * DX_NS_PER_MS)
            return;
        kill_children(supervisor);
        if (reaped) {
            pause = DX_NS_PER_MS;
            continue;
        }
        wait_for_exit(supervisor->signal_fd, pause);
        if (pause < 64 * DX_NS_PER_MS)
            pause *= 2;
    }
}
