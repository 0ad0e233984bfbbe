/*
 * spawner_pidfd.c - system calls for pidfds, which older C libraries do not have.
 */
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bridge/spawner/spawner_internal.h"

int dx_pidfd_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

void dx_pidfd_kill(int pidfd)
{
    syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}
