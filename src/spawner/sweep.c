/*
 * sweep.c - finds and signals the members of a program's session that are not in its group.
 *
 * One sweep serves all programs in the list. It visits our orphans with all their descendants, and
 * the descendants of leaders that were sent a signal, but not those of other programs. It also
 * finds out when a session is empty. The more a sweep costs, the rarer it is, so that a large tree
 * of processes cannot keep the spawner from its other work.
 */
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spawner/supervisor.h"

static void want_sweep(struct dx_supervisor *supervisor, int64_t at_ns)
{
    if (at_ns < supervisor->sweep_at_ns)
        supervisor->sweep_at_ns = at_ns;
}

void dx_sweep_add(struct dx_supervisor *supervisor, struct dx_process *process, int64_t at_ns)
{
    want_sweep(supervisor, at_ns);
    if (process->sweeping)
        return;
    process->sweeping = true;
    process->next_in_sweep = supervisor->sweep_list;
    supervisor->sweep_list = process;
}

/* The pidfd holds the process while its session is read again, so that a reused pid is not hit. */
static void signal_member(int32_t pid, int32_t session, int signal)
{
    /* By number, because glibc has functions for these calls since 2.36 only. */
    const int fd = (int)syscall(SYS_pidfd_open, pid, 0);

    if (fd < 0)
        return;
    if (getsid(pid) == session) {
        syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0);
        /*
         * While this member exists, the number of its group cannot be reused; and a whole group
         * cannot escape by forking.
         */
        if (signal == SIGKILL)
            kill(-session, signal);
    }
    close(fd);
}

static void visit(struct dx_supervisor *supervisor, int32_t pid, int64_t now)
{
    const int32_t session = getsid(pid);
    struct dx_process *process =
        session > 0 ? dx_process_find_pid(&supervisor->processes, session) : NULL;

    if (!process || !process->sweeping)
        return;
    if (process->state == DX_PROCESS_RUNNING) {
        if (process->signal != 0 && getpgid(pid) != session)
            signal_member(pid, session, process->signal);
        return;
    }
    process->has_members = true;
    if (now >= process->kill_at_ns)
        signal_member(pid, session, SIGKILL);
    else if (!process->terminated && getpgid(pid) != session)
        signal_member(pid, session, SIGTERM);
}

/* Appends the children of `pid` to the work list of `count` entries. Returns the new length. */
static size_t push_children(struct dx_supervisor *supervisor, int32_t pid, size_t count)
{
    if (!supervisor->has_proc)
        return count;
    return count + dx_children_read(pid, supervisor->pids + count, DX_SWEEP_PIDS_MAX - count);
}

/* Our children that are not leaders of programs: their parents have died. */
static size_t push_orphans(struct dx_supervisor *supervisor)
{
    const size_t count = push_children(supervisor, supervisor->pid, 0);
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        const int32_t pid = supervisor->pids[i];
        const struct dx_process *process = dx_process_find_pid(&supervisor->processes, pid);

        if (!process || process->state != DX_PROCESS_RUNNING)
            supervisor->pids[kept++] = pid;
    }
    return kept;
}

static void visit_all(struct dx_supervisor *supervisor, int64_t now)
{
    size_t count = push_orphans(supervisor);

    for (struct dx_process *process = supervisor->sweep_list; process;
         process = process->next_in_sweep)
        if (process->state == DX_PROCESS_RUNNING)
            count = push_children(supervisor, process->pid, count);
    while (count > 0) {
        const int32_t pid = supervisor->pids[--count];

        visit(supervisor, pid, now);
        count = push_children(supervisor, pid, count);
    }
}

/* Whether the sweep is done with the program. `sure`: no process can have been missed. */
static bool is_done(struct dx_process *process, int64_t now, bool sure)
{
    /* It is not signalled again because of a doubt: the server can send the signal again. */
    if (process->state == DX_PROCESS_RUNNING)
        return true;
    if (process->has_members)
        process->terminated = true;
    return now >= process->drop_at_ns || (sure && !process->has_members);
}

static void settle_all(struct dx_supervisor *supervisor, int64_t now, bool sure)
{
    struct dx_process **at = &supervisor->sweep_list;

    while (*at) {
        struct dx_process *process = *at;

        if (!is_done(process, now, sure)) {
            /* A session that was killed is swept again soon, but not at once. */
            if (process->state == DX_PROCESS_ENDED && now >= process->kill_at_ns)
                process->kill_at_ns = now + DX_SESSION_RETRY_MS * DX_NS_PER_MS;
            process->has_members = false;
            at = &process->next_in_sweep;
            continue;
        }
        *at = process->next_in_sweep;
        process->sweeping = false;
        dx_process_settle(supervisor, process);
    }
}

static int64_t next_deadline(const struct dx_supervisor *supervisor)
{
    int64_t deadline = INT64_MAX;

    for (const struct dx_process *process = supervisor->sweep_list; process;
         process = process->next_in_sweep)
        if (process->state == DX_PROCESS_ENDED && process->kill_at_ns < deadline)
            deadline = process->kill_at_ns;
    if (supervisor->sweep_at_ns < deadline)
        deadline = supervisor->sweep_at_ns;
    return deadline > supervisor->next_sweep_ns ? deadline : supervisor->next_sweep_ns;
}

int64_t dx_sweep_wait_ns(const struct dx_supervisor *supervisor)
{
    int64_t wait;

    if (!supervisor->sweep_list)
        return -1;
    wait = next_deadline(supervisor) - dx_monotonic_ns();
    return wait > 0 ? wait : 0;
}

/*
 * A list of children is exact only if none of them ended meanwhile. So ended children are reaped
 * right after the sweep; if there was one, an empty session is not taken as final, and the next
 * sweep decides.
 */
void dx_sweep_run(struct dx_supervisor *supervisor)
{
    const int64_t begin = dx_monotonic_ns();
    const uint64_t exits = supervisor->exit_count;
    bool sure;

    if (!supervisor->sweep_list || next_deadline(supervisor) > begin)
        return;
    supervisor->sweep_at_ns = INT64_MAX;
    visit_all(supervisor, begin);
    dx_reap_children(supervisor);
    sure = supervisor->exit_count == exits;
    settle_all(supervisor, begin, sure);
    if (!sure)
        want_sweep(supervisor, begin + DX_SESSION_LOOK_MS * DX_NS_PER_MS);
    supervisor->next_sweep_ns = begin + (dx_monotonic_ns() - begin) * (1 + DX_SWEEP_BUSY_FACTOR);
}
