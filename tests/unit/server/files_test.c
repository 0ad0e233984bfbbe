/*
 * files_test.c - static files: what is served, what is not there however it is asked for, and files that change or peers
 * that stop reading meanwhile.
 */
#include "net/loop.h"
#include "support/service.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST "Host: localhost\r\n"
#define BIG_LEN (24 * 1024 * 1024)
#define MODIFIED 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

static struct service service;
static struct answer answer;
static char directory[64];

static const char *path_of(const char *name)
{
    static char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void put_file(const char *name, const char *text)
{
    const struct timeval times[2] = {{MODIFIED, 0}, {MODIFIED, 0}};
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(utimes(path_of(name), times), 0);
}

static int set_up(void **state)
{
    struct service_setup setup = service_setup_init();

    (void)state;
    (void)strcpy(directory, "/tmp/duplex-files-XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    put_file("a.txt", "hello, file\n");
    put_file("index.html", "<p>index\n");
    put_file("empty.js", "");
    put_file(".hidden", "no");
    assert_int_equal(mkdir(path_of("sub"), 0755), 0);
    put_file("sub/index.html", "<p>sub\n");
    assert_int_equal(mkdir(path_of("bare"), 0755), 0);
    assert_int_equal(mkdir(path_of(".git"), 0755), 0);
    put_file(".git/config", "no");
    assert_int_equal(symlink("/etc/passwd", path_of("out")), 0);
    assert_int_equal(symlink("a.txt", path_of("in")), 0);
    assert_int_equal(symlink("/etc", path_of("etc")), 0);
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    put_file("big", "");
    assert_int_equal(truncate(path_of("big"), BIG_LEN), 0);
    setup.files = directory;
    setup.options.connection.write_timeout_ms = 300;
    return !service_start(&service, &setup);
}

static int tear_down(void **state)
{
    static const char *const files[] = {"a.txt", "index.html",     "empty.js",    ".hidden",
                                        "out",   "sub/index.html", ".git/config", "in",
                                        "etc",   "fifo",           "big"};
    static const char *const directories[] = {"sub", "bare", ".git"};

    (void)state;
    service_stop(&service);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        (void)unlink(path_of(files[i]));
    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
        (void)rmdir(path_of(directories[i]));
    return rmdir(directory);
}

static void get(const char *method, const char *target, const char *headers)
{
    char text[512];
    struct raw raw;

    (void)snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\n" HOST "Connection: close\r\n%s\r\n",
                   method, target, headers);
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, text));
    assert_true(raw_wait_answer(&raw, &answer, strcmp(method, "HEAD") == 0));
    answer.body[answer.body_len] = '\0';
    assert_true(raw_wait_end(&raw));
    assert_int_equal(raw.len, 0);
    raw_close(&raw);
}

static void test_what_is_served(void **state)
{
    (void)state;
    get("GET", "/files/a.txt", "");
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "hello, file\n");
    assert_true(answer_has(&answer, "Content-Type: text/plain; charset=utf-8"));
    assert_true(answer_has(&answer, "Content-Length: 12"));
    assert_true(answer_has(&answer, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_true(answer_has(&answer, "ETag: W/\"2ebc98a1-c\""));
    assert_true(answer_has(&answer, "X-Content-Type-Options: nosniff"));
    get("GET", "/files/%61.txt?version=2", "");
    assert_string_equal(answer.body, "hello, file\n");
    get("GET", "/files/", "");
    assert_string_equal(answer.body, "<p>index\n");
    assert_true(answer_has(&answer, "Content-Type: text/html; charset=utf-8"));
    get("GET", "/files/sub/", "");
    assert_string_equal(answer.body, "<p>sub\n");
    get("GET", "/files/sub", "");
    assert_int_equal(answer.status, 301);
    assert_true(answer_has(&answer, "Location: /files/sub/"));
    get("GET", "/files", "");
    assert_int_equal(answer.status, 301);
    assert_true(answer_has(&answer, "Location: /files/"));
    get("HEAD", "/files/a.txt", "");
    assert_int_equal(answer.status, 200);
    assert_true(answer_has(&answer, "Content-Length: 12"));
    get("GET", "/files/empty.js", "");
    assert_int_equal(answer.status, 200);
    assert_true(answer_has(&answer, "Content-Length: 0"));
}

static void test_conditions(void **state)
{
    static const struct {
        const char *headers;
        unsigned status;
    } table[] = {
        {"If-None-Match: W/\"2ebc98a1-c\"\r\n", 304},
        {"If-None-Match: \"2ebc98a1-c\"\r\n", 304},
        {"If-None-Match: \"x\", W/\"2ebc98a1-c\"\r\n", 304},
        {"If-None-Match: *\r\n", 304},
        {"If-None-Match: \"x\"\r\n", 200},
        {"If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 200},
        {"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 304},
        {"If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 200},
        {"If-Modified-Since: nonsense\r\n", 200},
        {"Range: bytes=0-0,1-1\r\n", 200},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        get("GET", "/files/a.txt", table[i].headers);
        assert_int_equal(answer.status, table[i].status);
        assert_true(answer_has(&answer, "ETag: W/\"2ebc98a1-c\""));
        assert_int_equal(answer.body_len, table[i].status == 304 ? 0 : 12);
    }
}

/* Rows 61 to 66: whatever leads out, up, to what is hidden or to what is no file. */
static void test_what_is_not_served(void **state)
{
    static const struct {
        const char *target;
        unsigned status;
    } table[] = {
        {"/files/../etc/passwd", 400},
        {"/files/%2e%2e/etc/passwd", 400},
        {"/files/..%2fetc/passwd", 400},
        {"/files/..%5cetc", 400},
        {"/files/..\\etc", 400},
        {"/files/%252e%252e/etc/passwd", 404},
        {"/files//etc/passwd", 404},
        {"/files//a.txt", 404},
        {"/files/./a.txt", 400},
        {"/files/sub/../a.txt", 400},
        {"/files/out", 404},
        {"/files/in", 404},
        {"/files/etc/passwd", 404},
        {"/files/fifo", 404},
        {"/files/bare", 404},
        {"/files/bare/", 404},
        {"/files/a.txt/", 404},
        {"/files/a.txt%00.html", 400},
        {"/files/.hidden", 404},
        {"/files/%2ehidden", 404},
        {"/files/.git/config", 404},
        {"/files/none", 404},
        {"/files/a.txt%5c", 404},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        size_t log_count = service.log_count;

        get("GET", table[i].target, "");
        if (answer.status != table[i].status)
            fail_msg("%s: %u", table[i].target, answer.status);
        assert_int_equal(service.log_count, log_count + 1);
    }
    get("POST", "/files/a.txt", "");
    assert_int_equal(answer.status, 405);
    assert_true(answer_has(&answer, "Allow: GET, HEAD"));
}

static void test_very_long_name(void **state)
{
    static char text[8000];
    size_t len = strlen("GET /files/");
    struct raw raw;

    (void)state;
    memcpy(text, "GET /files/", len);
    memset(text + len, 'a', 6000);
    (void)strcpy(text + len + 6000, " HTTP/1.1\r\n" HOST "\r\n");
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, text));
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 404);
    raw_close(&raw);
}

/* Reads `len` bytes of a body, which are all zero, and throws them away. */
static void skip_zeros(struct raw *raw, size_t len)
{
    while (len > 0) {
        size_t now = len < RAW_ROOM ? len : RAW_ROOM;

        assert_true(raw_wait_len(raw, 1));
        now = raw->len < now ? raw->len : now;
        assert_int_equal(raw->in[0], 0);
        assert_int_equal(raw->in[now - 1], 0);
        raw_consume(raw, now);
        len -= now;
    }
}

/* A large file between small answers, all asked for at once, by a client that then ends its side. */
static void test_large_file_in_a_pipeline(void **state)
{
    struct raw raw;

    (void)state;
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw,
                              "GET /files/a.txt HTTP/1.1\r\n" HOST "\r\n"
                              "GET /files/big HTTP/1.1\r\n" HOST "\r\n"
                              "GET /files/a.txt HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"));
    assert_int_equal(shutdown(raw.fd, SHUT_WR), 0);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.body_len, 12);
    assert_true(raw_wait_answer(&raw, &answer, true));
    assert_true(answer_has(&answer, "Content-Length: 25165824"));
    skip_zeros(&raw, BIG_LEN);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.body_len, 12);
    assert_true(raw_wait_end(&raw));
    assert_int_equal(raw.len, 0);
    assert_int_equal(dx_loop_pool(service.loop)->used_len, 0);
    raw_close(&raw);
}

/* Row 67: never padding, never a next answer. */
static void test_file_becomes_shorter(void **state)
{
    struct raw raw;
    size_t len;

    (void)state;
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, "GET /files/big HTTP/1.1\r\n" HOST "\r\n"));
    assert_true(raw_wait_answer(&raw, &answer, true));
    assert_true(raw_wait_len(&raw, 1));
    assert_int_equal(truncate(path_of("big"), 1), 0);
    for (len = 0; !raw.is_ended; len += raw.len, raw_consume(&raw, raw.len))
        (void)raw_wait_len(&raw, 1);
    assert_true(len + raw.len < BIG_LEN);
    assert_int_equal(service_log_has(&service, "a file could not be sent to its end"), 1);
    raw_close(&raw);
    assert_int_equal(truncate(path_of("big"), BIG_LEN), 0);
}

static bool peer_was_cut(void *data)
{
    (void)data;
    return service_log_has(&service, "did not take its answer in time") == 1;
}

/* A client that asks and does not read: write_timeout, no memory meanwhile. */
static void test_peer_reads_nothing(void **state)
{
    struct raw raw;

    (void)state;
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, "GET /files/big HTTP/1.1\r\n" HOST "\r\n"));
    assert_true(service_wait(&service, peer_was_cut, NULL, SERVICE_WAIT_MS));
    assert_int_equal(dx_loop_pool(service.loop)->used_len, 0);
    raw_close(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_served),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_what_is_not_served),
        cmocka_unit_test(test_very_long_name),
        cmocka_unit_test(test_large_file_in_a_pipeline),
        cmocka_unit_test(test_file_becomes_shorter),
        cmocka_unit_test(test_peer_reads_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
