/*
 * failures_test.c - each allocation, and each system call, fails in its turn while a whole server
 * lives: started, asked, ended. What its client then sees must be one of the documented outcomes;
 * nothing is left, nothing hangs.
 */
#include "support/failing/allocator.h"
#include "support/failing/system.h"
#include "support/server/service.h"
#include "support/test.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST "Host: localhost\r\n"

/* Any wait of a client that comes to this is a hang. */
#define HANG_MS (PATIENCE_MS - 500)

static struct service service;
static struct answer answer;
static char directory[64];
static bool is_closed;

/* ---- scenarios: true when everything went as without failures ---- */

static bool run_echo(void)
{
    struct raw raw;
    bool is_right = raw_open(&raw, &service, "/");

    if (!is_right)
        return false;
    is_right = raw_echo(&raw, "one") && raw_echo(&raw, "two");
    raw_close(&raw);
    service_turn(&service, 5);
    return is_right;
}

/*
 * Asks in `count` pieces; the answer, if one comes, is `status` or 503, and nothing but the end
 * follows a closing one.
 */
static bool ask(const char *text, size_t piece, unsigned status)
{
    struct raw raw;
    bool is_right = raw_connect(&raw, &service, true) &&
                    raw_send(&raw, text, strlen(text), piece) &&
                    raw_wait_answer(&raw, &answer, false);

    if (is_right) {
        assert_true(answer.status == status || answer.status == 503);
        if (answer_has(&answer, "Connection: close")) {
            assert_true(raw_wait_end(&raw));
            assert_int_equal(raw.len, 0);
        }
    }
    is_right = is_right && answer.status == status;
    raw_close(&raw);
    service_turn(&service, 5);
    return is_right;
}

static bool ask_refused(size_t piece)
{
    return ask("GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n"
               "Origin: http://evil.example\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
               piece, 403);
}

static bool run_refused(void)
{
    return ask_refused(50);
}

static bool run_refused_byte_by_byte(void)
{
    return ask_refused(1);
}

static bool run_file(void)
{
    return ask("GET /files/a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 0, 200);
}

/*
 * A body, asked for by a 100 where `framing` wants that, and its answer in pieces. What comes is
 * the beginning of the right answer, or a 503.
 */
static bool post(const char *framing, const char *sent, const char *body, size_t piece)
{
    static char expected[SERVICE_PIECES_LEN + 20000];
    size_t len = (size_t)sprintf(expected, "5\r\nppppp\r\n%x\r\n", SERVICE_PIECES_LEN - 5);
    char head[256];
    struct raw raw;
    bool is_right;

    memset(expected + len, 'p', SERVICE_PIECES_LEN - 5);
    len += SERVICE_PIECES_LEN - 5;
    len += (size_t)sprintf(expected + len, "\r\n%zx\r\n%s\r\n0\r\n\r\n", strlen(body), body);
    (void)snprintf(head, sizeof(head), "POST /pieces HTTP/1.1\r\n" HOST "%s\r\n", framing);
    is_right = raw_connect(&raw, &service, true) && raw_send(&raw, head, strlen(head), piece);
    if (is_right && strstr(framing, "Expect") != NULL)
        is_right = raw_wait_answer(&raw, &answer, true) && answer.status == 100;
    is_right = is_right && raw_send(&raw, sent, strlen(sent), piece) &&
               raw_wait_answer(&raw, &answer, true) && answer.status == 200;
    if (is_right) {
        is_right = raw_wait_len(&raw, len);
        assert_memory_equal(raw.in, expected, raw.len < len ? raw.len : len);
    }
    raw_close(&raw);
    service_turn(&service, 5);
    return is_right;
}

/* It grows as it comes. */
static bool run_post(void)
{
    static char body[9001];

    memset(body, 'b', sizeof(body) - 1);
    return post("Content-Length: 9000\r\nExpect: 100-continue\r\n", body, body, 3000);
}

static bool run_post_byte_by_byte(void)
{
    return post("Transfer-Encoding: chunked\r\n", "3;x\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n",
                "hello", 1);
}

static bool one_is_kept(void *data)
{
    struct raw *raw = data;

    (void)raw_wait_len(raw, 0); /* only to see its end */
    return service.kept_count == 1 || raw->is_ended;
}

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user)
{
    (void)user;
    if (dx_connection_send(connection, opcode, data, len) != DX_OK)
        dx_connection_abort(connection, DX_ERR_NOMEM, "no echo");
}

static bool defer(size_t piece)
{
    static const struct dx_connection_handlers handlers = {.size = sizeof(handlers),
                                                           .on_message = on_message};
    struct dx_connection *connection;
    char text[1024];
    size_t len = upgrade_write(text, sizeof(text), &service, "/later", "");
    bool is_right;
    struct raw raw;

    len += frame_write((uint8_t *)text + len, 0x81, "early", 5);
    is_right = raw_connect(&raw, &service, true) && raw_send(&raw, text, len, piece) &&
               service_wait(&service, one_is_kept, &raw, 200) && service.kept_count == 1;
    if (service.kept_count == 1)
        is_right = dx_request_accept(service.kept[--service.kept_count], &handlers, &service,
                                     &connection) == DX_OK &&
                   is_right;
    is_right = is_right && raw_wait_answer(&raw, &answer, false) && answer.status == 101 &&
               raw_wait_len(&raw, 7) &&
               memcmp(raw.in,
                      "\x81\x05"
                      "early",
                      7) == 0;
    raw_close(&raw);
    service_turn(&service, 5);
    return is_right;
}

static bool run_deferred(void)
{
    return defer(100);
}

static bool run_deferred_byte_by_byte(void)
{
    return defer(1);
}

/* Ten messages, each byte of each alone. */
static bool run_echo_byte_by_byte(void)
{
    uint8_t frame[16];
    size_t len = frame_write(frame, 0x82, "0123456789", 10);
    struct raw raw;
    bool is_right = raw_open(&raw, &service, "/");

    if (!is_right)
        return false;
    for (int i = 0; i < 10 && is_right; i++) {
        is_right = raw_send(&raw, frame, len, 1) && raw_wait_len(&raw, 12) &&
                   memcmp(raw.in,
                          "\x82\x0a"
                          "0123456789",
                          12) == 0;
        if (is_right)
            raw_consume(&raw, 12);
    }
    raw_close(&raw);
    service_turn(&service, 5);
    return is_right;
}

static void on_closed(void *user)
{
    (void)user;
    is_closed = true;
}

static bool has_closed(void *data)
{
    (void)data;
    return is_closed;
}

static bool run_drain(void)
{
    struct raw raw, idle;
    bool is_right = raw_open(&raw, &service, "/");

    (void)raw_connect(&idle, &service, true);
    service_turn(&service, 5);
    is_closed = false;
    dx_server_close(service.server, 20, on_closed, NULL);
    is_right = is_right && raw_wait_len(&raw, 4) && memcmp(raw.in, "\x88\x02\x03\xe9", 4) == 0;
    raw_close(&raw);
    raw_close(&idle);
    assert_true(service_wait(&service, has_closed, NULL, HANG_MS));
    return is_right;
}

static const struct {
    const char *name;
    bool (*run)(void);
} scenarios[] = {
    {"echo", run_echo},
    {"refused", run_refused},
    {"file", run_file},
    {"deferred", run_deferred},
    {"drain", run_drain},
    {"post and pieces", run_post},
    {"post and pieces, byte by byte", run_post_byte_by_byte},
    {"refused, byte by byte", run_refused_byte_by_byte},
    {"deferred, byte by byte", run_deferred_byte_by_byte},
    {"echo, byte by byte", run_echo_byte_by_byte},
};

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
static bool live(const char *name, size_t nth, bool (*run)(void))
{
    struct service_setup setup = service_setup_init();
    uint64_t begin_ms = clock_ms();
    bool is_right;

    setup.files = directory;
    setup.connection.close_timeout_ms = 300;
    setup.options.handshake_timeout_ms = 500;
    is_right = service_start(&service, &setup);
    if (is_right) {
        is_right = run();
        service_stop(&service);
        assert_int_equal(service.pieces_closed_count, service.pieces_opened_count);
    }
    if (clock_ms() - begin_ms > HANG_MS)
        fail_msg("%s hangs with failure %zu", name, nth);
    return is_right;
}

struct failing {
    const char *name;
    void (*start)(size_t nth);
    bool (*stop)(void);
};

static const struct failing allocations = {"allocations", failing_allocator_start,
                                           failing_allocator_stop};
static const struct failing calls = {"system calls", failing_system_start, failing_system_stop};

static size_t fail_each(const struct failing *failing)
{
    size_t sum = 0;

    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        size_t before = count_descriptors();
        size_t nth = 0, broken = 0;
        bool has_failed = true;

        while (has_failed) {
            bool is_right;

            failing->start(++nth);
            is_right = live(scenarios[i].name, nth, scenarios[i].run);
            has_failed = failing->stop();
            if (!has_failed && !is_right)
                fail_msg("%s fails by itself", scenarios[i].name);
            broken += !is_right;
            assert_int_equal(failing_allocator_live(), 0);
            assert_int_equal(count_descriptors(), before);
        }
        print_message("%s: %zu %s failed in turn, %zu seen by the client\n", scenarios[i].name,
                      nth - 1, failing->name, broken);
        assert_true(nth > 10);
        sum += nth - 1;
    }
    print_message("injected %zu failures\n", sum);
    return sum;
}

static void test_allocations(void **state)
{
    (void)state;
    assert_true(fail_each(&allocations) > 150);
}

static void test_system_calls(void **state)
{
    (void)state;
    assert_true(fail_each(&calls) > 400);
}

ssize_t __real_pread64(int fd, void *bytes, size_t len, off_t at);
ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t at);

static bool disk_is_broken;

ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t at)
{
    if (!disk_is_broken)
        return __real_pread64(fd, bytes, len, at);
    errno = EIO;
    return -1;
}

/* The head is out when the file cannot be read: only the connection's end can tell. */
static void test_file_cannot_be_read(void **state)
{
    (void)state;
    disk_is_broken = true;
    assert_false(live("file", 0, run_file));
    disk_is_broken = false;
    assert_true(live("file", 0, run_file));
}

/*
 * A 100 that the network does not take at once goes out when it does; its part before the answer.
 */
static bool run_continue_that_waits(void)
{
    bool is_right;
    struct raw raw;

    (void)raw_connect(&raw, &service, false);
    (void)raw_send_text(&raw, "POST /pieces HTTP/1.1\r\n" HOST "Content-Length: 5\r\n"
                              "Expect: 100-continue\r\n\r\n");
    failing_system_start(0);
    failing_system_fail_next(CALL_SEND, EAGAIN);
    is_right = raw_wait_answer(&raw, &answer, true) && answer.status == 100 &&
               raw_send_text(&raw, "hello") && raw_wait_answer(&raw, &answer, true) &&
               answer.status == 200;
    assert_true(failing_system_stop());
    raw_close(&raw);
    return is_right;
}

/* And in front of the answer, when that comes first. */
static bool run_continue_that_waits_long(void)
{
    bool is_right;
    struct raw raw;

    (void)raw_connect(&raw, &service, false);
    (void)raw_send_text(&raw, "POST /pieces HTTP/1.1\r\n" HOST "Content-Length: 5\r\n"
                              "Expect: 100-continue\r\n\r\n");
    failing_system_start(0);
    failing_system_fail_all(CALL_SEND, EAGAIN);
    service_turn(&service, 5);
    is_right = raw_send_text(&raw, "hello");
    service_turn(&service, 5);
    failing_system_fail_all(CALL_SEND, 0);
    is_right = is_right && raw_wait_answer(&raw, &answer, true) && answer.status == 100 &&
               raw_wait_answer(&raw, &answer, true) && answer.status == 200;
    (void)failing_system_stop();
    raw_close(&raw);
    return is_right;
}

static void test_continue_waits(void **state)
{
    (void)state;
    assert_true(live("100", 0, run_continue_that_waits));
    assert_true(live("100", 0, run_continue_that_waits_long));
}

static int set_up(void **state)
{
    char path[128];
    struct dx_loop *first;
    FILE *file;

    (void)state;
    /* What libuv opens once, it keeps. */
    if (dx_loop_new(&first) != DX_OK)
        return -1;
    dx_loop_free(first);
    (void)strcpy(directory, "/tmp/duplex-failures-XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/a", directory);
    file = fopen(path, "w");
    return file == NULL || fputs("file\n", file) < 0 || fclose(file) != 0;
}

static int tear_down(void **state)
{
    char path[128];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/a", directory);
    return unlink(path) != 0 || rmdir(directory) != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_system_calls),
        cmocka_unit_test(test_file_cannot_be_read),
        cmocka_unit_test(test_continue_waits),
    };

    return run_group(tests, set_up, tear_down);
}
