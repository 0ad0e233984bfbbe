/*
 * program_bench.c - see program_bench.h.
 */
#include "support/bridge/program_bench.h"
#include "support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/program/programs.h"

static char *inherited[] = {(char *)(uintptr_t) "PATH=/usr/bin:/bin", NULL};

/* ---- life ---- */

void program_bench_init(struct program_bench *bench)
{
    static unsigned count;

    memset(bench, 0, sizeof(*bench));
    (void)snprintf(bench->mark, sizeof(bench->mark), "DX_MARK=%d.%u.", (int)getpid(), ++count);
    bench->env[0] = bench->mark;
    bench->setup = service_setup_init();
    bench->setup.connection.close_timeout_ms = PATIENCE_MS;
    bench->programs_options = dx_programs_options_init();
    bench->programs_options.spawner_path = DX_TEST_SPAWNER;
    bench->programs_options.inherited = inherited;
    bench->programs_options.owns_children = true;
    bench->options = dx_program_options_init();
    bench->options.env = bench->env;
    for (size_t i = 0; i < 3; i++)
        bench->options.ladder_ms[i] = 100;
}

void program_bench_script(struct program_bench *bench, const char *script)
{
    bench->argv[0] = "sh";
    bench->argv[1] = "-c";
    bench->argv[2] = script;
    bench->argv[3] = NULL;
}

static bool prepare(struct service *service, void *data)
{
    static const char *const cat_argv[] = {"cat", NULL};
    struct program_bench *bench = data;
    struct dx_program_options cat = dx_program_options_init();

    if (dx_programs_new(service->server, &bench->programs_options, &bench->programs) != DX_OK)
        return false;
    bench->options.argv = bench->argv;
    cat.argv = cat_argv;
    return dx_programs_route(bench->programs, "/", &bench->options) == DX_OK &&
           dx_programs_route(bench->programs, "/cat", &cat) == DX_OK;
}

static void end(void *data)
{
    struct program_bench *bench = data;

    dx_programs_free(bench->programs);
    bench->programs = NULL;
}

bool program_bench_start(struct program_bench *bench)
{
    bench->setup.prepare = prepare;
    bench->setup.end = end;
    bench->setup.data = bench;
    return service_start(&bench->service, &bench->setup);
}

void program_bench_run(struct program_bench *bench, const char *script)
{
    program_bench_init(bench);
    program_bench_script(bench, script);
    assert_true(program_bench_start(bench));
}

void program_bench_stop(struct program_bench *bench)
{
    service_stop(&bench->service);
    assert_int_equal(program_children_count(getpid()), 0);
}

int program_bench_tear_down(struct program_bench *bench)
{
    program_bench_stop(bench);
    return program_marked_count(bench->mark) == 0 ? 0 : -1;
}

static void on_programs_closed(void *user)
{
    struct program_bench *bench = user;

    bench->is_closed = true;
}

static void on_server_closed(void *user)
{
    struct program_bench *bench = user;

    dx_programs_close(bench->programs, on_programs_closed, bench);
}

static bool is_closed(void *data)
{
    const struct program_bench *bench = data;

    return bench->is_closed;
}

bool program_bench_close(struct program_bench *bench)
{
    dx_server_close(bench->service.server, 0, on_server_closed, bench);
    return service_wait(&bench->service, is_closed, bench, PATIENCE_MS);
}

/* ---- waiting ---- */

struct wanted {
    struct program_bench *bench;
    const char *text;
    size_t count;
};

static bool has_count(void *data)
{
    const struct wanted *wanted = data;

    return dx_programs_count(wanted->bench->programs) == wanted->count;
}

static bool has_logged(void *data)
{
    const struct wanted *wanted = data;

    return service_log_has(&wanted->bench->service, wanted->text) > 0;
}

static bool is_gone(void *data)
{
    const struct wanted *wanted = data;

    return program_marked_count(wanted->text) == 0;
}

bool program_bench_wait_count(struct program_bench *bench, size_t count)
{
    struct wanted wanted = {bench, NULL, count};

    return service_wait(&bench->service, has_count, &wanted, PATIENCE_MS);
}

bool program_bench_wait_log(struct program_bench *bench, const char *text)
{
    struct wanted wanted = {bench, text, 0};

    return service_wait(&bench->service, has_logged, &wanted, PATIENCE_MS);
}

bool program_bench_wait_gone(struct program_bench *bench)
{
    struct wanted wanted = {bench, bench->mark, 0};

    return service_wait(&bench->service, is_gone, &wanted, PATIENCE_MS);
}

/* ---- clients ---- */

void program_open(struct program_bench *bench, struct raw *raw, const char *path)
{
    assert_true(raw_open(raw, &bench->service, path));
}

unsigned program_ask(struct program_bench *bench, struct raw *raw, struct answer *answer)
{
    char request[1024];
    size_t len = upgrade_write(request, sizeof(request), &bench->service, "/", "");

    if (!raw_connect(raw, &bench->service, true) || !raw_send(raw, request, len, 0) ||
        !raw_wait_answer(raw, answer, false))
        return 0;
    return answer->status;
}

void program_send(struct raw *raw, uint8_t first, const void *payload, size_t len)
{
    static uint8_t frame[70000];

    assert_true(len <= 65535);
    assert_true(raw_send(raw, frame, frame_write(frame, first, payload, len), 0));
}

void program_expect(struct raw *raw, char kind, const char *text)
{
    struct frame frame;

    assert_true(raw_wait_frame(raw, &frame));
    assert_int_equal(frame.first, kind == 't' ? 0x81 : 0x82);
    assert_int_equal(frame.len, strlen(text));
    assert_memory_equal(frame.payload, text, frame.len);
}

void program_expect_close(struct raw *raw, unsigned code, const char *reason)
{
    struct frame frame;
    uint8_t echo[2];

    assert_true(raw_wait_frame(raw, &frame));
    assert_int_equal(frame.first, 0x88);
    assert_true(frame.len >= 2);
    assert_int_equal(frame.payload[0] << 8 | frame.payload[1], code);
    assert_string_equal((const char *)frame.payload + 2, reason);
    memcpy(echo, frame.payload, 2);
    program_send(raw, 0x88, echo, 2);
    assert_true(raw_wait_end(raw));
    assert_int_equal(raw->len, 0);
    raw_close(raw);
}

bool program_bench_serves(struct program_bench *bench)
{
    struct raw raw;
    bool is_served;

    if (!raw_open(&raw, &bench->service, "/cat"))
        return false;
    program_send(&raw, 0x81, "still here", 10);
    is_served = raw_wait_len(&raw, 12) && memcmp(raw.in, "\x81\x0astill here", 12) == 0;
    raw_close(&raw);
    return is_served;
}

static bool is_served(void *data)
{
    return program_bench_serves(data);
}

bool program_bench_wait_served(struct program_bench *bench)
{
    return service_wait(&bench->service, is_served, bench, PATIENCE_MS);
}

struct dx_program *program_bench_last(struct program_bench *bench)
{
    return bench->programs->shards[0].first;
}

/* ---- processes ---- */

static size_t read_file(const char *path, char *bytes, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got;

    if (fd < 0)
        return 0;
    while (len < room && (got = read(fd, bytes + len, room - len)) > 0)
        len += (size_t)got;
    close(fd);
    return len;
}

static bool has_mark(const char *pid, const char *mark)
{
    char path[300], bytes[8192];
    size_t len;

    (void)snprintf(path, sizeof(path), "/proc/%s/environ", pid);
    len = read_file(path, bytes, sizeof(bytes));
    for (size_t at = 0; at < len; at += strnlen(bytes + at, len - at) + 1)
        if (strncmp(bytes + at, mark, len - at) == 0)
            return true;
    return false;
}

size_t program_marked_count(const char *mark)
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    size_t count = 0;

    assert_non_null(processes);
    while ((entry = readdir(processes)) != NULL)
        count +=
            entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && has_mark(entry->d_name, mark);
    closedir(processes);
    return count;
}

size_t program_descriptor_count(void)
{
    DIR *entries = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(entries);
    while (readdir(entries) != NULL)
        count++;
    closedir(entries);
    return count;
}

static size_t read_children(pid_t pid, char *bytes, size_t room)
{
    char path[64];
    size_t len;

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    len = read_file(path, bytes, room - 1);
    bytes[len] = '\0';
    return len;
}

size_t program_children_count(pid_t pid)
{
    char bytes[8192];
    size_t count = 0;

    (void)read_children(pid, bytes, sizeof(bytes));
    for (const char *at = bytes; *at != '\0'; at++)
        count += *at == ' ';
    return count;
}

pid_t program_spawner_pid(void)
{
    char bytes[64];

    return read_children(getpid(), bytes, sizeof(bytes)) > 0 ? (pid_t)atol(bytes) : 0;
}
