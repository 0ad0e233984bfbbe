/*
 * children.c - lists the children of a process, from /proc/<pid>/task/<tid>/children.
 *
 * Reading the parent of every process in /proc was rejected, because its cost depends on everything
 * that the machine runs. Only system calls are used: stdio and opendir would allocate, and add a
 * quarter of a megabyte of resident memory.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spawner/supervisor.h"

enum {
    READ_LEN = 4096,
    PATH_LEN = 64, /* "/proc/", "/task/", "/children" and two numbers of at most 10 digits */
};

/* The entries that getdents64 writes. */
struct directory_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t len;
    uint8_t type;
    char name[];
};

/* A path that is built from pieces. */
struct path {
    size_t len;
    char text[PATH_LEN];
};

static void add_text(struct path *path, const char *text)
{
    while (*text && path->len < PATH_LEN - 1)
        path->text[path->len++] = *text++;
    path->text[path->len] = '\0';
}

static void add_number(struct path *path, int32_t number)
{
    char digits[12];
    size_t at = sizeof(digits) - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    add_text(path, digits + at);
}

static struct path path_of_tasks(int32_t pid)
{
    struct path path = {0};

    add_text(&path, "/proc/");
    add_number(&path, pid);
    add_text(&path, "/task");
    return path;
}

static struct path path_of_children(int32_t pid, const char *thread)
{
    struct path path = path_of_tasks(pid);

    add_text(&path, "/");
    add_text(&path, thread);
    add_text(&path, "/children");
    return path;
}

/* A decimal number that the end of a read may cut. */
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
    const struct path path = path_of_children(pid, thread);
    const int fd = open(path.text, O_RDONLY | O_CLOEXEC);
    struct number number = {0, false};
    char bytes[READ_LEN];
    size_t taken = 0;
    ssize_t got;

    if (fd < 0)
        return 0;
    while (taken < count && (got = read(fd, bytes, sizeof(bytes))) > 0)
        taken += take_numbers(bytes, (size_t)got, &number, pids + taken, count - taken);
    close(fd);
    return taken;
}

static size_t read_listed(int32_t pid, const char *bytes, size_t len, int32_t *pids, size_t count)
{
    size_t taken = 0;

    for (size_t at = 0; at < len && taken < count;) {
        const struct directory_entry *entry =
            (const struct directory_entry *)(const void *)(bytes + at);

        if (entry->name[0] != '.')
            taken += read_thread(pid, entry->name, pids + taken, count - taken);
        at += entry->len;
    }
    return taken;
}

static size_t read_threads(int32_t pid, const char *tasks, int32_t *pids, size_t count)
{
    const int fd = open(tasks, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _Alignas(struct directory_entry) char bytes[READ_LEN];
    size_t taken = 0;
    long got;

    if (fd < 0)
        return 0;
    while (taken < count && (got = syscall(SYS_getdents64, fd, bytes, sizeof(bytes))) > 0)
        taken += read_listed(pid, bytes, (size_t)got, pids + taken, count - taken);
    close(fd);
    return taken;
}

size_t dx_children_read(int32_t pid, int32_t *pids, size_t count)
{
    const struct path tasks = path_of_tasks(pid);
    struct path thread = {0};
    struct stat status;

    if (stat(tasks.text, &status) < 0)
        return 0;
    /* Nearly always there is one thread: its directory has three links and need not be listed. */
    if (status.st_nlink != 3)
        return read_threads(pid, tasks.text, pids, count);
    add_number(&thread, pid);
    return read_thread(pid, thread.text, pids, count);
}

bool dx_children_readable(void)
{
    struct path self = {0};
    char link[PATH_LEN];
    const ssize_t len = readlink("/proc/self", link, sizeof(link));

    add_number(&self, getpid());
    return len == (ssize_t)self.len && memcmp(link, self.text, self.len) == 0 &&
           access(path_of_children(getpid(), self.text).text, R_OK) == 0;
}
