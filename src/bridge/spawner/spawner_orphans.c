/*
 * spawner_orphans.c - kills all children of this process: what a dead spawner has left to its
 * subreaper.
 *
 * Only direct children are killed, again and again, because the children of a dead process come to
 * us. Must not be used where a child may belong to something else: see owns_children.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bridge/spawner/spawner_internal.h"

enum { PATH_LEN = 64, READ_LEN = 4096 };

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* In the /proc of another PID namespace the same numbers mean other processes. */
static bool proc_is_ours(void)
{
    char link[PATH_LEN];
    const ssize_t len = readlink("/proc/self", link, sizeof(link) - 1);

    if (len <= 0)
        return false;
    link[len] = '\0';
    return strtol(link, NULL, 10) == (long)getpid();
}

/* Kills the processes whose numbers are in the bytes. Returns a number that is cut by their end. */
static pid_t kill_numbers(const char *bytes, size_t len, pid_t begun)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] >= '0' && bytes[i] <= '9') {
            begun = begun * 10 + (bytes[i] - '0');
        } else if (begun > 0) {
            kill(begun, SIGKILL);
            begun = 0;
        }
    }
    return begun;
}

static void kill_children_of_thread(const char *thread)
{
    char path[PATH_LEN];
    char bytes[READ_LEN];
    pid_t begun = 0;
    ssize_t got;
    int fd;

    snprintf(path, sizeof(path), "/proc/self/task/%.16s/children", thread);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    while ((got = read(fd, bytes, sizeof(bytes))) > 0)
        begun = kill_numbers(bytes, (size_t)got, begun);
    close(fd);
}

static void kill_children(void)
{
    DIR *tasks = proc_is_ours() ? opendir("/proc/self/task") : NULL;
    struct dirent *entry;

    if (!tasks)
        return;
    while ((entry = readdir(tasks)) != NULL)
        if (entry->d_name[0] != '.')
            kill_children_of_thread(entry->d_name);
    closedir(tasks);
}

void dx_orphans_end(int timeout_ms)
{
    const int64_t deadline = now_ms() + timeout_ms;

    do {
        bool reaped = false;
        pid_t pid;

        kill_children();
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            reaped = true;
        if (pid < 0 && errno == ECHILD)
            return;
        if (!reaped)
            poll(NULL, 0, 1);
    } while (now_ms() < deadline);
}
