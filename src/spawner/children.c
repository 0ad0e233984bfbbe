/*
 * children.c - the children of a process, from /proc/<pid>/task/<tid>/children.
 *
 * Reading all of /proc for the parent of each process was rejected: it costs what the whole machine
 * runs.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spawner/supervisor.h"

enum { PATH_LEN = 64, READ_LEN = 4096 };

/* A decimal number that may be cut by the end of a read. */
struct number {
    int32_t value;
    bool open;
};

static size_t take_numbers(const char *bytes, size_t len, struct number *number, int32_t *pids,
                           size_t count)
{
    size_t taken = 0;

    for (size_t i = 0; i < len && taken < count; i++) {
        if (bytes[i] >= '0' && bytes[i] <= '9') {
            number->value = number->value * 10 + (bytes[i] - '0');
            number->open = true;
        } else if (number->open) {
            pids[taken++] = number->value;
            *number = (struct number){0, false};
        }
    }
    return taken;
}

static size_t read_thread(int32_t pid, const char *thread, int32_t *pids, size_t count)
{
    char path[PATH_LEN];
    char bytes[READ_LEN];
    struct number number = {0, false};
    size_t taken = 0;
    ssize_t got;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/task/%.16s/children", pid, thread);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    while (taken < count && (got = read(fd, bytes, sizeof(bytes))) > 0)
        taken += take_numbers(bytes, (size_t)got, &number, pids + taken, count - taken);
    close(fd);
    return taken;
}

size_t dx_children_read(int32_t pid, int32_t *pids, size_t count)
{
    char path[PATH_LEN];
    struct stat status;
    struct dirent *entry;
    size_t taken = 0;
    DIR *tasks;

    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    if (stat(path, &status) < 0)
        return 0;
    /* One thread, as nearly always: its directory has three links and need not be listed. */
    if (status.st_nlink == 3) {
        snprintf(path, sizeof(path), "%d", pid);
        return read_thread(pid, path, pids, count);
    }
    tasks = opendir(path);
    if (!tasks)
        return 0;
    while (taken < count && (entry = readdir(tasks)) != NULL)
        if (entry->d_name[0] != '.')
            taken += read_thread(pid, entry->d_name, pids + taken, count - taken);
    closedir(tasks);
    return taken;
}

bool dx_children_readable(void)
{
    char path[PATH_LEN];
    char self[PATH_LEN];
    char link[PATH_LEN];
    const ssize_t len = readlink("/proc/self", link, sizeof(link) - 1);

    if (len <= 0)
        return false;
    link[len] = '\0';
    snprintf(self, sizeof(self), "%d", getpid());
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
    return strcmp(link, self) == 0 && access(path, R_OK) == 0;
}
