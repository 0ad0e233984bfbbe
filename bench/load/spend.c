/*
 * spend.c - runs a command again and again: how long it takes, and its peak memory.
 *
 *     spend TIMES COMMAND [ARG...]
 *
 * Prints the median of the times from before the fork to the end, the command's processor time, and
 * the largest peak of resident bytes. It is small itself, for a process's peak begins with that of
 * the one that it was forked from. A status other than 0 ends it with status 1.
 */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMES_MAX = 1000 };

static double run(char **command, struct rusage *usage)
{
    int status;
    uint64_t start = dx_load_now();
    pid_t child = fork();
    if (child < 0)
        dx_load_fail("fork", errno);
    if (child == 0) {
        int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
        (void)dup2(nowhere, STDIN_FILENO);
        (void)dup2(nowhere, STDOUT_FILENO);
        (void)execvp(command[0], command);
        _exit(127);
    }
    if (wait4(child, &status, 0, usage) != child)
        dx_load_fail("wait4", errno);
    if (status != 0)
        dx_load_fail("the command failed", 0);
    return dx_load_seconds(start, dx_load_now()) * 1e3;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    static double times_ms[TIMES_MAX];
    double cpu_ms = 0;
    long peak_kib = 0;
    unsigned long times = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
    if (times == 0 || times > TIMES_MAX) {
        fprintf(stderr, "usage: spend TIMES COMMAND [ARG...]\n");
        return 2;
    }
    for (unsigned long i = 0; i < times; i++) {
        struct rusage usage;
        times_ms[i] = run(argv + 2, &usage);
        cpu_ms += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
                  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
        if (usage.ru_maxrss > peak_kib)
            peak_kib = usage.ru_maxrss;
    }
    qsort(times_ms, times, sizeof *times_ms, compare);
    printf("{\"wall_ms\": %.3f, \"cpu_ms\": %.3f, \"peak_mb\": %.3f}\n", times_ms[times / 2],
           cpu_ms / (double)times, (double)peak_kib * 1024 / 1e6);
    return 0;
}
