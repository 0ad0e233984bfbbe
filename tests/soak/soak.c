/*
 * soak.c - begins the soak's two processes and says whether both were content.
 *
 *   soak [connections [seconds [publish-rate [action-rate [policy [seed]]]]]]
 *
 * policy: 0 drops the oldest, 1 the newest, 2 disconnects (duplex/topics.h). Ends with 1 when
 * anything was wrong.
 */
#include "soak.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t soak_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static unsigned number_at(int argc, char **argv, int index, unsigned otherwise)
{
    return index < argc ? (unsigned)strtoul(argv[index], NULL, 10) : otherwise;
}

static bool visit(const struct soak_plan *plan, int control_fd)
{
    uint16_t port;

    return read(control_fd, &port, sizeof(port)) == (ssize_t)sizeof(port) && soak_visit(plan, port);
}

static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct soak_plan plan = {.connections = number_at(argc, argv, 1, 300),
                             .seconds = number_at(argc, argv, 2, 3),
                             .publish_rate = number_at(argc, argv, 3, 500),
                             .action_rate = number_at(argc, argv, 4, 3000),
                             .policy = (int)number_at(argc, argv, 5, 0),
                             .seed = number_at(argc, argv, 6, (unsigned)getpid())};
    bool is_right;
    int status = 0;
    int fds[2];
    pid_t child;

    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("soak %u %u %u %u %d %u\n", plan.connections, plan.seconds, plan.publish_rate,
           plan.action_rate, plan.policy, (unsigned)plan.seed);
    raise_limit();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return 1;
    child = fork();
    if (child < 0)
        return 1;
    (void)close(fds[child != 0]);
    if (child == 0)
        return !visit(&plan, fds[1]);
    is_right = soak_serve(&plan, fds[0]);
    (void)close(fds[0]);
    is_right = waitpid(child, &status, 0) == child && status == 0 && is_right;
    puts(is_right ? "soak: all was right" : "soak: SOMETHING WAS WRONG");
    return !is_right;
}
