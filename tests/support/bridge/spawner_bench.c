/*
 * spawner_bench.c - a spawner with one channel under test.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/bridge/spawner_bench.h"
#include "support/test.h"

static void on_lost(void *user)
{
    struct spawner_bench *bench = user;

    bench->lost_count++;
}

static void on_want_write(void *user, bool wanted)
{
    struct spawner_bench *bench = user;

    bench->wants_write = wanted;
}

static const struct dx_spawner_channel_callbacks channel_callbacks = {on_lost, on_want_write};

static void on_started(struct dx_child *child)
{
    struct bench_child *own = dx_child_user(child);

    own->started_count++;
}

static void on_failed(struct dx_child *child, int error, enum dx_spawn_step step)
{
    struct bench_child *own = dx_child_user(child);

    own->failed_count++;
    own->error = error;
    own->step = step;
}

static void on_exited(struct dx_child *child, int status)
{
    struct bench_child *own = dx_child_user(child);

    own->exited_count++;
    own->status = status;
}

static const struct dx_child_callbacks child_callbacks = {on_started, on_failed, on_exited};

void bench_attach(struct spawner_bench *bench, struct dx_spawner_channel *channel)
{
    bench->channel = channel;
    dx_spawner_channel_attach(channel, &channel_callbacks, bench);
}

void bench_open(struct spawner_bench *bench, bool owns_children, uint64_t descriptor_limit)
{
    const struct dx_spawner_options options = {.path = DX_TEST_SPAWNER,
                                               .channel_count = 1,
                                               .descriptor_limit = descriptor_limit,
                                               .owns_children = owns_children};

    *bench = (struct spawner_bench){0};
    assert_int_equal(dx_spawner_start(&options, &bench->spawner), DX_OK);
    bench_attach(bench, dx_spawner_channel(bench->spawner, 0));
}

void bench_close(struct spawner_bench *bench)
{
    dx_spawner_stop(bench->spawner);
    bench->spawner = NULL;
}

bool bench_turn(struct spawner_bench *bench, int timeout_ms)
{
    struct pollfd readable = {.fd = dx_spawner_channel_fd(bench->channel),
                              .events = bench->wants_write ? POLLIN | POLLOUT : POLLIN};

    if (poll(&readable, 1, timeout_ms) <= 0)
        return false;
    dx_spawner_channel_ready(bench->channel);
    return true;
}

void bench_until(struct spawner_bench *bench, const int *count, int wanted)
{
    const uint64_t deadline = clock_ms() + PATIENCE_MS;

    while (*count < wanted && clock_ms() < deadline)
        bench_turn(bench, 100);
    assert_int_equal(*count, wanted);
}

enum dx_err bench_start_to(struct spawner_bench *bench, struct bench_child *child,
                           const char *const *argv, const char *const *env, int out)
{
    static const char *const nothing[] = {NULL};
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct dx_child_spec spec = {.path = argv[0],
                                 .argv = (char *const *)(uintptr_t)argv,
                                 .env = (char *const *)(uintptr_t)(env ? env : nothing),
                                 .fds = {null, out >= 0 ? out : null, null}};
    enum dx_err err;

    assert_true(null >= 0);
    err = dx_child_start(bench->channel, &child->child, &child_callbacks, child, &spec);
    close(null);
    return err;
}

enum dx_err bench_start(struct spawner_bench *bench, struct bench_child *child,
                        const char *const *argv)
{
    return bench_start_to(bench, child, argv, NULL, -1);
}

void bench_start_evasive(struct spawner_bench *bench, struct bench_child *child, const char *mode,
                         const char *mark)
{
    const char *const argv[] = {DX_TEST_EVASIVE, mode, NULL};
    const char *const env[] = {mark, NULL};
    int ready[2];
    char byte;

    *child = (struct bench_child){0};
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    assert_int_equal(bench_start_to(bench, child, argv, env, ready[1]), DX_OK);
    close(ready[1]);
    bench_until(bench, &child->started_count, 1);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
}

/* ---- what is left ---- */

static bool has_mark(const char *process, const char *mark)
{
    char path[64];
    char bytes[4096];
    ssize_t len;
    int fd;

    snprintf(path, sizeof(path), "/proc/%.16s/environ", process);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    len = read(fd, bytes, sizeof(bytes));
    close(fd);
    return len > 0 && memmem(bytes, (size_t)len, mark, strlen(mark)) != NULL;
}

size_t marked_count(const char *mark)
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    size_t count = 0;

    assert_non_null(processes);
    while ((entry = readdir(processes)) != NULL)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && has_mark(entry->d_name, mark))
            count++;
    closedir(processes);
    return count;
}

/* Nobody many times in a row: what forks itself away slips through a look now and then. */
int64_t marked_gone_ms(const char *mark)
{
    enum { LOOKS = 30 };
    const uint64_t begin = clock_ms();
    uint64_t first_clean = 0;
    int clean = 0;

    while (clock_ms() - begin < 4 * PATIENCE_MS) {
        if (marked_count(mark) > 0)
            clean = 0;
        else if (clean++ == 0)
            first_clean = clock_ms();
        if (clean == LOOKS)
            return (int64_t)(first_clean - begin);
        poll(NULL, 0, 1);
    }
    return -1;
}

size_t descriptor_count(pid_t pid)
{
    char path[64];
    DIR *directory;
    size_t count = 0;
    struct dirent *entry;

    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    directory = opendir(path);
    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.')
            count++;
    closedir(directory);
    return count;
}

void descriptors_until(pid_t pid, size_t wanted)
{
    const uint64_t deadline = clock_ms() + PATIENCE_MS;

    while (descriptor_count(pid) != wanted && clock_ms() < deadline)
        poll(NULL, 0, 1);
    assert_int_equal(descriptor_count(pid), wanted);
}

size_t children_count(pid_t pid)
{
    char path[64];
    char line[4096];
    size_t count = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
    file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        for (const char *at = line; *at; at++)
            if (*at == ' ')
                count++;
    fclose(file);
    return count;
}
