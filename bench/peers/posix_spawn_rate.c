/*
 * posix_spawn_rate.c - how fast this machine starts programs: the ceiling above a connection rate.
 *
 * Keeps a number of programs running at once, each started by posix_spawn with three pipes, as a
 * server would; one has ended when its stdout has, and is then reaped. No network, no framing, no
 * session. Usage: posix_spawn_rate AT_ONCE SECONDS COMMAND [ARG...]
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { AT_ONCE_MAX = 256 };

extern char **environ;

struct program {
    pid_t pid;
    int pipes[3]; /* our ends of stdin, stdout and stderr */
};

static struct program programs[AT_ONCE_MAX];

static _Noreturn void fail(const char *text, int error)
{
    fprintf(stderr, "posix_spawn_rate: %s: %s\n", text, strerror(error));
    exit(1);
}

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void start(int epoll, struct program *program, char **command)
{
    posix_spawn_file_actions_t actions;
    int theirs[3];
    (void)posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 3; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0)
            fail("pipe2", errno);
        theirs[i] = ends[i == 0 ? 0 : 1];
        program->pipes[i] = ends[i == 0 ? 1 : 0];
        (void)posix_spawn_file_actions_adddup2(&actions, theirs[i], i);
    }
    int error = posix_spawnp(&program->pid, command[0], &actions, NULL, command, environ);
    if (error != 0)
        fail("posix_spawn", error);
    (void)posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i < 3; i++)
        (void)close(theirs[i]);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = program};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, program->pipes[1], &event) != 0)
        fail("epoll_ctl", errno);
}

static void finish(struct program *program)
{
    for (int i = 0; i < 3; i++)
        (void)close(program->pipes[i]);
    if (waitpid(program->pid, NULL, 0) != program->pid)
        fail("waitpid", errno);
}

static double cpu_of(int who)
{
    struct rusage usage;
    (void)getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: posix_spawn_rate AT_ONCE SECONDS COMMAND [ARG...]\n");
        return 2;
    }
    unsigned at_once = (unsigned)strtoul(argv[1], NULL, 10);
    double seconds = strtod(argv[2], NULL);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[AT_ONCE_MAX];
    uint64_t count = 0;
    if (at_once == 0 || at_once > AT_ONCE_MAX)
        fail("AT_ONCE must be 1 to 256", EINVAL);
    double began = now();
    for (unsigned i = 0; i < at_once; i++)
        start(epoll, &programs[i], argv + 3);
    while (now() - began < seconds) {
        int ready = epoll_wait(epoll, events, AT_ONCE_MAX, 1000);
        for (int i = 0; i < ready; i++) {
            finish(events[i].data.ptr);
            count++;
            start(epoll, events[i].data.ptr, argv + 3);
        }
    }
    seconds = now() - began;
    printf("{\"count\": %llu, \"rate\": %.1f, \"cpu_us\": %.2f, \"children_cpu_us\": %.1f}\n",
           (unsigned long long)count, (double)count / seconds,
           cpu_of(RUSAGE_SELF) * 1e6 / (double)count,
           cpu_of(RUSAGE_CHILDREN) * 1e6 / (double)count);
    for (unsigned i = 0; i < at_once; i++)
        finish(&programs[i]);
    return 0;
}
