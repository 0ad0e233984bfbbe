/*
 * files_failures_test.c - each allocation, and each system call with each of its errors, fails in
 * its turn while files are asked for. What the client sees is one of the documented outcomes;
 * nothing is left, nothing hangs, no byte is wrong.
 */
#include "support/failing/allocator.h"
#include "support/failing/system.h"
#include "support/server/service.h"
#include "support/test.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST "Host: localhost\r\n"
#define HANG_MS (PATIENCE_MS - 500)
#define BIG_LEN 300000

static struct service service;
static struct answer answer;
static char directory[64];

static bool prepare(struct service *made, void *data)
{
    static const struct dx_header site = {"X-Site", "1"};
    struct dx_files_options options = dx_files_options_init();
    char program[128];
    const char *const hidden[] = {program, NULL};

    (void)data;
    (void)snprintf(program, sizeof(program), "%s/small.br", directory);
    options.hidden = hidden;
    options.not_found = "lost.html";
    options.headers = &site;
    options.header_count = 1;
    return dx_server_route_files(made->server, "/files", directory, &options) == DX_OK;
}

/* ---- scenarios: what is asked, and what comes when nothing fails ---- */

static const struct scenario {
    const char *name;
    const char *target;
    const char *headers;
    unsigned status;
    size_t len;
} scenarios[] = {
    {"small", "/files/small", "", 200, 5},
    {"big", "/files/big", "", 200, BIG_LEN},
    {"range", "/files/big", "Range: bytes=100000-\r\n", 206, BIG_LEN - 100000},
    {"br", "/files/small", "Accept-Encoding: br\r\n", 200, 5},
    {"not modified", "/files/small", "If-None-Match: *\r\n", 304, 0},
    {"failed", "/files/small", "If-Match: \"x\"\r\n", 412, 0},
    {"unsatisfiable", "/files/small", "Range: bytes=5-\r\n", 416, 0},
    {"index", "/files/", "", 200, 5},
    {"own 404", "/files/none", "", 404, 4},
    {"redirect", "/files/sub", "", 301, 0},
};

/* Takes the body off and judges each byte. False: it ended before. */
static bool take_body(struct raw *raw, const struct scenario *scenario)
{
    size_t left = scenario->len;

    while (left > 0) {
        size_t now;

        if (!raw_wait_len(raw, 1) || raw->len == 0)
            return false;
        now = raw->len < left ? raw->len : left;
        for (size_t at = 0; scenario->len > 100 && at < now; at++)
            assert_int_equal(raw->in[at], 'b');
        raw_consume(raw, now);
        left -= now;
    }
    return true;
}

static bool run(const struct scenario *scenario)
{
    char text[256], length[64];
    struct raw raw;
    bool is_right;

    (void)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "Connection: close\r\n%s\r\n",
                   scenario->target, scenario->headers);
    (void)snprintf(length, sizeof(length), "Content-Length: %zu", scenario->len);
    is_right = raw_connect(&raw, &service, true) && raw_send_text(&raw, text) &&
               raw_wait_answer(&raw, &answer, true);
    if (is_right && answer.status != scenario->status) {
        assert_int_equal(answer.status, 503);
        is_right = false;
    }
    if (is_right && scenario->len > 0 && answer_has(&answer, length)) {
        is_right = take_body(&raw, scenario);
        assert_true(raw_wait_end(&raw));
        assert_int_equal(raw.len, 0);
    } else if (is_right && scenario->len > 0) {
        is_right = false; /* the one-line 404 in place of the page */
        assert_int_equal(answer.status, 404);
    }
    raw_close(&raw);
    service_turn(&service, 5);
    return is_right;
}

/* ---- failing in turn ---- */

static size_t count_descriptors(void)
{
    DIR *entries = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(entries);
    while (readdir(entries) != NULL)
        count++;
    assert_int_equal(closedir(entries), 0);
    return count;
}

/* A whole life of a server around the scenario. */
static bool live(const struct scenario *scenario, size_t nth)
{
    struct service_setup setup = service_setup_init();
    uint64_t begin_ms = clock_ms();
    bool is_right;

    setup.prepare = prepare;
    setup.connection.close_timeout_ms = 300;
    setup.connection.write_timeout_ms = 500;
    setup.options.handshake_timeout_ms = 500;
    is_right = service_start(&service, &setup);
    if (is_right) {
        is_right = run(scenario);
        service_stop(&service);
    }
    if (clock_ms() - begin_ms > HANG_MS)
        fail_msg("%s hangs with failure %zu", scenario->name, nth);
    return is_right;
}

static size_t fail_each(const char *what, void (*start)(size_t nth), bool (*stop)(void))
{
    size_t sum = 0;

    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        size_t before = count_descriptors();
        size_t nth = 0, broken = 0;
        bool has_failed = true;

        while (has_failed) {
            bool is_right;

            start(++nth);
            is_right = live(&scenarios[i], nth);
            has_failed = stop();
            if (!has_failed && !is_right)
                fail_msg("%s fails by itself", scenarios[i].name);
            broken += !is_right;
            assert_int_equal(failing_allocator_live(), 0);
            assert_int_equal(count_descriptors(), before);
        }
        print_message("%s: %zu %s failed in turn, %zu seen by the client\n", scenarios[i].name,
                      nth - 1, what, broken);
        assert_true(nth > 3);
        sum += nth - 1;
    }
    return sum;
}

static void test_allocations(void **state)
{
    size_t sum = fail_each("allocations", failing_allocator_start, failing_allocator_stop);

    (void)state;
    print_message("injected %zu failures\n", sum);
    assert_true(sum > 150);
}

static void test_system_calls(void **state)
{
    size_t sum = 0;

    (void)state;
    for (unsigned kind = 0; kind < FAILING_KINDS; kind++) {
        failing_system_choose(kind);
        sum += fail_each("system calls", failing_system_start, failing_system_stop);
    }
    failing_system_choose(0);
    print_message("injected %zu failures\n", sum);
    assert_true(sum > 300);
}

/* An error that stays: what is served of a directory then. */
static void test_lasting_errors(void **state)
{
    static const struct {
        enum failing_call call;
        int code;
        unsigned status; /* 0: cut without an answer */
    } table[] = {
        {CALL_OPENAT2, EMFILE, 503}, {CALL_OPENAT2, ENFILE, 503}, {CALL_OPENAT2, ENOMEM, 503},
        {CALL_OPENAT2, EIO, 503},    {CALL_OPENAT2, EAGAIN, 503}, {CALL_OPENAT2, EINTR, 503},
        {CALL_OPENAT2, EACCES, 404}, {CALL_OPENAT2, ELOOP, 404},  {CALL_OPENAT2, EXDEV, 404},
        {CALL_OPENAT2, ENXIO, 404},  {CALL_FSTAT, EIO, 503},      {CALL_PREAD, EIO, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct service_setup setup = service_setup_init();
        struct raw raw;

        setup.prepare = prepare;
        assert_true(service_start(&service, &setup));
        failing_system_start(0);
        failing_system_fail_all(table[i].call, table[i].code);
        (void)raw_connect(&raw, &service, false);
        assert_true(raw_send_text(&raw, "GET /files/small HTTP/1.1\r\n" HOST "\r\n"));
        if (raw_wait_answer(&raw, &answer, false) != (table[i].status != 0) ||
            (table[i].status != 0 && answer.status != table[i].status))
            fail_msg("call %d, error %d: %u", table[i].call, table[i].code, answer.status);
        failing_system_fail_all(table[i].call, 0);
        (void)failing_system_stop();
        if (table[i].status != 0) { /* and the connection goes on */
            assert_true(raw_send_text(&raw, "GET /files/small HTTP/1.1\r\n" HOST "\r\n"));
            assert_true(raw_wait_answer(&raw, &answer, false));
            assert_int_equal(answer.status, 200);
        }
        raw_close(&raw);
        service_stop(&service);
    }
}

/* ---- the site ---- */

static bool put(const char *name, char byte, size_t len)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "w");
    if (file == NULL)
        return false;
    while (len-- > 0)
        (void)putc(byte, file);
    return fclose(file) == 0;
}

static int set_up(void **state)
{
    char path[128];
    struct dx_loop *first;

    (void)state;
    /* What libuv opens once, it keeps. */
    if (dx_loop_new(&first) != DX_OK)
        return -1;
    dx_loop_free(first);
    (void)strcpy(directory, "/tmp/duplex-failures-XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/sub", directory);
    return mkdir(path, 0755) != 0 || !put("small", 's', 5) || !put("small.br", 'c', 5) ||
           !put("big", 'b', BIG_LEN) || !put("index.html", 'i', 5) || !put("lost.html", 'l', 4) ||
           !put("sub/index.html", 'i', 5);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_system_calls),
        cmocka_unit_test(test_lasting_errors),
    };

    return run_group(tests, set_up, tear_down);
}
