/*
 * spawner_pidfd.c - pidfd calls, of which C libraries have had names only lately.
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
