/*
 * cpu.c - the clock, the processor time of other processes, and the end of a failed run.
 *
 * Processor time comes from /proc/PID/task/TID/schedstat, which counts nanoseconds; /proc/PID/stat
 * counts ticks, which is kept for reaped children because nothing finer exists for them. A running
 * thread's schedstat is at most one scheduler tick old: 4 ms of a window of seconds.
 */
#include "load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Noreturn void dx_load_fail(const char *text, int error)
{
    if (error != 0)
        fprintf(stderr, "load: %s: %s\n", text, strerror(error));
    else
        fprintf(stderr, "load: %s\n", text);
    exit(1);
}

uint64_t dx_load_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

double dx_load_seconds(uint64_t from, uint64_t to)
{
    return (double)(to - from) / 1e9;
}

static uint64_t task_cpu(int pid, const char *task)
{
    char path[sizeof "/proc//task//schedstat" + 32];
    int path_len = snprintf(path, sizeof path, "/proc/%d/task/%.12s/schedstat", pid, task);
    unsigned long long on_cpu = 0;
    FILE *file = path_len < (int)sizeof path ? fopen(path, "re") : NULL;
    if (file == NULL)
        return 0;
    if (fscanf(file, "%llu", &on_cpu) != 1)
        on_cpu = 0;
    (void)fclose(file);
    return on_cpu;
}

static uint64_t process_cpu(int pid)
{
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL)
        dx_load_fail(path, errno);
    uint64_t sum = 0;
    const struct dirent *entry;
    while ((entry = readdir(tasks)) != NULL)
        if (entry->d_name[0] != '.')
            sum += task_cpu(pid, entry->d_name);
    (void)closedir(tasks);
    return sum;
}

uint64_t dx_load_cpu(const struct dx_load_options *options)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < options->pid_count; i++)
        sum += process_cpu(options->pids[i]);
    return sum;
}

static uint64_t reaped_cpu(int pid)
{
    char path[32];
    char line[1024];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        dx_load_fail(path, errno);
    char *got = fgets(line, sizeof line, file);
    (void)fclose(file);
    char *after_name = got == NULL ? NULL : strrchr(line, ')');
    long long user = 0;
    long long system = 0;
    /* After the name: state, ten numbers, utime, stime, cutime, cstime. */
    if (after_name == NULL ||
        sscanf(after_name, ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lld %lld", &user,
               &system) != 2)
        dx_load_fail("cannot read the time of reaped children", 0);
    return (uint64_t)(user + system) * (1000000000U / (uint64_t)sysconf(_SC_CLK_TCK));
}

uint64_t dx_load_children_cpu(const struct dx_load_options *options)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < options->pid_count; i++)
        sum += reaped_cpu(options->pids[i]);
    return sum;
}
