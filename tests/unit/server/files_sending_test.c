/*
 * files_sending_test.c - files on their way out: each byte right whatever the length, in bounded
 * pieces, and what happens when the file changes, the disk fails or the peer stops reading or goes.
 */
#include "files_site.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#define BIG_LEN (24 * 1024 * 1024)
#define PATTERN_LEN 400000
#define SLICE_LEN 65536
#define FIRST_LEN 16384

static volatile sig_atomic_t broken_pipe_count;

static void on_broken_pipe(int number)
{
    (void)number;
    broken_pipe_count++;
}

static int set_up(void **state)
{
    /* A handler, so that a host that does not ignore the signal is what is tested. */
    struct sigaction action = {.sa_handler = on_broken_pipe};
    struct service_setup setup = service_setup_init();

    (void)state;
    if (!make_site() || sigaction(SIGPIPE, &action, NULL) != 0)
        return -1;
    put_file("a.txt", "hello, file\n");
    put_file("big", "");
    assert_int_equal(truncate(path_of("big"), BIG_LEN), 0);
    put_pattern("pattern", PATTERN_LEN);
    setup.files = directory;
    setup.connection.write_timeout_ms = 300;
    return !service_start(&service, &setup);
}

static int tear_down(void **state)
{
    (void)state;
    service_stop(&service);
    assert_int_equal(broken_pipe_count, 0);
    return remove_site();
}

static int reset(void **state)
{
    (void)state;
    on_sendfile = NULL;
    on_pread = NULL;
    service.log_count = 0;
    return truncate(path_of("big"), BIG_LEN);
}

/* Takes `len` bytes of a body that is the pattern from `at` on. False: fewer come. */
static bool take_pattern(struct raw *raw, size_t at, size_t len)
{
    while (len > 0) {
        size_t now;

        if (!raw_wait_len(raw, 1) || raw->len == 0)
            return false;
        now = raw->len < len ? raw->len : len;
        for (size_t i = 0; i < now; i++)
            if (raw->in[i] != pattern_at(at + i))
                return false;
        raw_consume(raw, now);
        at += now;
        len -= now;
    }
    return true;
}

static void ask_part(struct raw *raw, const char *name, size_t at, size_t len)
{
    char text[256];

    (void)snprintf(text, sizeof(text),
                   "GET /files/%s HTTP/1.1\r\n" HOST "Range: bytes=%zu-%zu\r\n\r\n", name, at,
                   at + len - 1);
    assert_true(raw_send_text(raw, text));
}

/* One connection, part after part. */
static void test_every_length(void **state)
{
    static const size_t lens[] = {1,
                                  FIRST_LEN - 1,
                                  FIRST_LEN,
                                  FIRST_LEN + 1,
                                  SLICE_LEN,
                                  FIRST_LEN + SLICE_LEN,
                                  FIRST_LEN + SLICE_LEN + 1,
                                  FIRST_LEN + 3 * SLICE_LEN,
                                  PATTERN_LEN - 7};
    static const size_t offsets[] = {0, 1, 4095, 4096};
    struct raw raw;
    size_t count = 0;

    (void)state;
    (void)raw_connect(&raw, &service, false);
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
        for (size_t offset = 0; offset < sizeof(offsets) / sizeof(offsets[0]); offset++) {
            size_t at = offsets[offset];
            size_t len = lens[i] < PATTERN_LEN - at ? lens[i] : PATTERN_LEN - at;

            ask_part(&raw, "pattern", at, len);
            assert_true(raw_wait_answer(&raw, &answer, true));
            assert_int_equal(answer.status, 206);
            assert_int_equal(atoi(header_of("Content-Length")), len);
            assert_true(take_pattern(&raw, at, len));
            assert_int_equal(raw.len, 0);
            count++;
        }
    print_message("%zu parts\n", count);
    raw_close(&raw);
}

/* What fits leaves with its head; what does not is the kernel's to send. */
static void test_how_bytes_leave(void **state)
{
    struct raw raw;

    (void)state;
    (void)raw_connect(&raw, &service, false);
    sendfile_count = pread_count = 0;
    ask_part(&raw, "pattern", 0, FIRST_LEN);
    assert_true(raw_wait_answer(&raw, &answer, true));
    assert_true(take_pattern(&raw, 0, FIRST_LEN));
    assert_int_equal(pread_count, 1);
    assert_int_equal(sendfile_count, 0);
    ask_part(&raw, "pattern", 0, PATTERN_LEN);
    assert_true(raw_wait_answer(&raw, &answer, true));
    assert_true(take_pattern(&raw, 0, PATTERN_LEN));
    assert_int_equal(pread_count, 2);
    assert_true(sendfile_count >= PATTERN_LEN / SLICE_LEN);
    raw_close(&raw);
}

/*
 * A large file between small answers, all asked for at once, by a client that then ends its side.
 */
static void test_large_file_in_a_pipeline(void **state)
{
    struct raw raw;

    (void)state;
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw,
                              "GET /files/a.txt HTTP/1.1\r\n" HOST "\r\n"
                              "GET /files/pattern HTTP/1.1\r\n" HOST "\r\n"
                              "GET /files/big HTTP/1.1\r\n" HOST "\r\n"
                              "GET /files/a.txt HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"));
    assert_int_equal(shutdown(raw.fd, SHUT_WR), 0);
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.body_len, 12);
    assert_true(raw_wait_answer(&raw, &answer, true));
    assert_true(take_pattern(&raw, 0, PATTERN_LEN));
    assert_true(raw_wait_answer(&raw, &answer, true));
    assert_true(answer_has(&answer, "Content-Length: 25165824"));
    for (size_t left = BIG_LEN; left > 0;) {
        assert_true(raw_wait_len(&raw, 1));
        left -= raw.len < left ? raw.len : left;
        if (left > 0)
            raw_consume(&raw, raw.len);
        else
            break;
    }
    raw_close(&raw);
}

/*
 * Asks for `count` parts of that length at once; the most that was read of files in one turn of the
 * loop.
 */
static size_t most_in_a_turn(int count, size_t len)
{
    struct raw raw;
    size_t most = 0;

    (void)raw_connect(&raw, &service, false);
    for (int i = 0; i < count; i++)
        ask_part(&raw, "pattern", 0, len);
    for (int i = 0; i < count; i++) {
        while (strstr((const char *)raw.in, "\r\n\r\n") == NULL || raw.len < len) {
            size_t before = file_bytes;

            assert_int_equal(dx_loop_dispatch(service.loop), DX_OK);
            most = file_bytes - before > most ? file_bytes - before : most;
            (void)raw_wait_len(&raw, raw.len + 1);
            assert_false(raw.is_ended);
        }
        assert_true(raw_wait_answer(&raw, &answer, true));
        assert_true(take_pattern(&raw, 0, len));
    }
    raw_close(&raw);
    return most;
}

/* A peer that asks for a hundred files at once does not hold the loop. */
static void test_a_turn_is_bounded(void **state)
{
    size_t large = most_in_a_turn(100, SLICE_LEN);
    size_t small = most_in_a_turn(200, FIRST_LEN);

    (void)state;
    print_message("at most %zu and %zu bytes in a turn\n", large, small);
    assert_true(large <= 6 * SLICE_LEN);
    assert_true(small <= 6 * SLICE_LEN);
}

/* ---- files that change ---- */

static void assert_is_cut(struct raw *raw, size_t announced)
{
    size_t len = raw->len;

    raw_consume(raw, raw->len);
    while (!raw->is_ended) {
        (void)raw_wait_len(raw, 1);
        len += raw->len;
        raw_consume(raw, raw->len);
    }
    assert_true(len < announced);
    assert_int_equal(service_log_has(&service, "a file could not be sent to its end peer="), 1);
}

static void become_shorter(void)
{
    struct raw raw;

    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, "GET /files/big HTTP/1.1\r\n" HOST "\r\n"
                                    "GET /files/a.txt HTTP/1.1\r\n" HOST "\r\n"));
    assert_true(raw_wait_answer(&raw, &answer, true));
    assert_true(raw_wait_len(&raw, 1));
    assert_int_equal(truncate(path_of("big"), 1), 0);
    assert_is_cut(&raw, BIG_LEN);
    raw_close(&raw);
}

static ssize_t refuse_sendfile(int to, int from, off_t *at, size_t len)
{
    (void)to;
    (void)from;
    (void)at;
    (void)len;
    errno = EINVAL;
    return -1;
}

/* Never padding, never a next answer. */
static void test_row_67_file_becomes_shorter(void **state)
{
    (void)state;
    become_shorter();
}

static void test_row_67_file_becomes_shorter_while_it_is_read(void **state)
{
    (void)state;
    on_sendfile = refuse_sendfile;
    become_shorter();
}

static ssize_t empty_before_read(int fd, void *bytes, size_t len, off_t at)
{
    assert_int_equal(truncate(path_of("short"), 0), 0);
    return real_pread(fd, bytes, len, at);
}

static void test_row_67_file_is_emptied_before_it_is_read(void **state)
{
    struct raw raw;

    (void)state;
    put_file("short", "some text");
    on_pread = empty_before_read;
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, "GET /files/short HTTP/1.1\r\n" HOST "\r\n"));
    assert_is_cut(&raw, 9);
    raw_close(&raw);
}

/* Only what was announced. */
static void test_file_grows(void **state)
{
    struct raw raw;
    size_t left = BIG_LEN;

    (void)state;
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, "GET /files/big HTTP/1.1\r\n" HOST "\r\n"));
    assert_true(raw_wait_answer(&raw, &answer, true));
    assert_true(raw_send_text(&raw, "GET /files/a.txt HTTP/1.1\r\n" HOST "\r\n"));
    assert_int_equal(truncate(path_of("big"), BIG_LEN + 1000000), 0);
    while (left > 0) {
        size_t now;

        assert_true(raw_wait_len(&raw, 1));
        now = raw.len < left ? raw.len : left;
        raw_consume(&raw, now);
        left -= now;
    }
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body_len, 12);
    raw_close(&raw);
}

/* ---- disks and file systems ---- */

static ssize_t break_sendfile(int to, int from, off_t *at, size_t len)
{
    (void)to;
    (void)from;
    (void)at;
    (void)len;
    errno = EIO;
    return -1;
}

static ssize_t break_pread(int fd, void *bytes, size_t len, off_t at)
{
    (void)fd;
    (void)bytes;
    (void)len;
    (void)at;
    errno = EIO;
    return -1;
}

static void test_disk_fails(void **state)
{
    struct raw raw;

    (void)state;
    on_sendfile = break_sendfile;
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, "GET /files/pattern HTTP/1.1\r\n" HOST "\r\n"));
    assert_is_cut(&raw, PATTERN_LEN);
    raw_close(&raw);
    service.log_count = 0;
    on_pread = break_pread;
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, "GET /files/pattern HTTP/1.1\r\n" HOST "\r\n"));
    assert_is_cut(&raw, 1);
    raw_close(&raw);
}

/* There are file systems without sendfile. */
static void test_without_sendfile(void **state)
{
    struct raw raw;

    (void)state;
    on_sendfile = refuse_sendfile;
    (void)raw_connect(&raw, &service, false);
    for (int i = 0; i < 2; i++) {
        ask_part(&raw, "pattern", 5, PATTERN_LEN - 5);
        assert_true(raw_wait_answer(&raw, &answer, true));
        assert_true(take_pattern(&raw, 5, PATTERN_LEN - 5));
    }
    raw_close(&raw);
}

static ssize_t stammer(int to, int from, off_t *at, size_t len)
{
    static unsigned turn;

    switch (turn++ % 4) {
    case 0:
        errno = EINTR;
        return -1;
    case 1:
        errno = EAGAIN;
        return -1;
    case 2:
        return real_sendfile(to, from, at, len < 7 ? len : 7);
    default:
        return real_sendfile(to, from, at, len);
    }
}

static void test_interrupted_blocked_and_partial(void **state)
{
    struct raw raw;

    (void)state;
    on_sendfile = stammer;
    (void)raw_connect(&raw, &service, false);
    ask_part(&raw, "pattern", 0, PATTERN_LEN);
    assert_true(raw_wait_answer(&raw, &answer, true));
    assert_true(take_pattern(&raw, 0, PATTERN_LEN));
    raw_close(&raw);
}

/* ---- peers ---- */

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
    assert_true(service_wait(&service, peer_was_cut, NULL, PATIENCE_MS));
    assert_int_equal(dx_loop_pool(service.loop)->used_len, 0);
    raw_close(&raw);
}

static size_t descriptor_count(void)
{
    DIR *entries = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(entries);
    while (readdir(entries) != NULL)
        count++;
    assert_int_equal(closedir(entries), 0);
    return count;
}

static bool is_down_to(void *data)
{
    return descriptor_count() <= *(const size_t *)data;
}

/*
 * The first sendfile comes when the peer has gone: the call itself raises SIGPIPE, and nobody else
 * may see it.
 */
static ssize_t send_to_nobody(int to, int from, off_t *at, size_t len)
{
    (void)shutdown(to, SHUT_WR); /* as if the reset had just come: each further byte is EPIPE */
    return real_sendfile(to, from, at, len);
}

/* It has sent a little, met the closed peer, and says only the first. */
static ssize_t send_little_and_signal(int to, int from, off_t *at, size_t len)
{
    (void)len;
    (void)pthread_kill(pthread_self(), SIGPIPE);
    on_sendfile = send_to_nobody;
    return real_sendfile(to, from, at, 10);
}

static void ask_and_lose(ssize_t (*way)(int, int, off_t *, size_t))
{
    size_t before = descriptor_count();
    struct raw raw;

    on_sendfile = way;
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, "GET /files/pattern HTTP/1.1\r\n" HOST "\r\n"));
    while (!raw.is_ended) {
        raw_consume(&raw, raw.len);
        (void)raw_wait_len(&raw, 1);
    }
    raw_close(&raw);
    assert_true(service_wait(&service, is_down_to, &before, PATIENCE_MS));
}

static void test_no_signal_at_a_closed_peer(void **state)
{
    sigset_t now, broken_pipe;

    (void)state;
    sendfile_count = 0;
    ask_and_lose(send_to_nobody);
    ask_and_lose(send_little_and_signal);
    assert_int_equal(sendfile_count, 3);
    assert_int_equal(broken_pipe_count, 0);
    /*
     * A host that has the signal blocked, and one waiting, keeps both; one that has none waiting
     * gets none.
     */
    (void)sigemptyset(&broken_pipe);
    (void)sigaddset(&broken_pipe, SIGPIPE);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &broken_pipe, NULL), 0);
    ask_and_lose(send_to_nobody);
    assert_int_equal(sigpending(&now), 0);
    assert_false(sigismember(&now, SIGPIPE));
    assert_int_equal(pthread_kill(pthread_self(), SIGPIPE), 0);
    ask_and_lose(send_to_nobody);
    assert_int_equal(sigpending(&now), 0);
    assert_true(sigismember(&now, SIGPIPE));
    assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &broken_pipe, &now), 0);
    assert_true(sigismember(&now, SIGPIPE));
    assert_int_equal(broken_pipe_count, 1);
    broken_pipe_count = 0;
}

/* Real peers that go in the middle, with and without a reset. */
static void test_peer_goes(void **state)
{
    const struct linger at_once = {1, 0};
    size_t before = descriptor_count();

    (void)state;
    for (int i = 0; i < 20; i++) {
        struct raw raw;

        (void)raw_connect(&raw, &service, false);
        assert_true(raw_send_text(&raw, "GET /files/big HTTP/1.1\r\n" HOST "\r\n"));
        assert_true(raw_wait_len(&raw, 1000));
        if (i % 2 == 0)
            assert_int_equal(setsockopt(raw.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)),
                             0);
        raw_close(&raw);
    }
    assert_true(service_wait(&service, is_down_to, &before, PATIENCE_MS));
    assert_int_equal(broken_pipe_count, 0);
    assert_int_equal(dx_loop_pool(service.loop)->used_len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_every_length, reset),
        cmocka_unit_test_setup(test_how_bytes_leave, reset),
        cmocka_unit_test_setup(test_large_file_in_a_pipeline, reset),
        cmocka_unit_test_setup(test_a_turn_is_bounded, reset),
        cmocka_unit_test_setup(test_row_67_file_becomes_shorter, reset),
        cmocka_unit_test_setup(test_row_67_file_becomes_shorter_while_it_is_read, reset),
        cmocka_unit_test_setup(test_row_67_file_is_emptied_before_it_is_read, reset),
        cmocka_unit_test_setup(test_file_grows, reset),
        cmocka_unit_test_setup(test_disk_fails, reset),
        cmocka_unit_test_setup(test_without_sendfile, reset),
        cmocka_unit_test_setup(test_interrupted_blocked_and_partial, reset),
        cmocka_unit_test_setup(test_peer_reads_nothing, reset),
        cmocka_unit_test_setup(test_no_signal_at_a_closed_peer, reset),
        cmocka_unit_test_setup(test_peer_goes, reset),
    };

    return run_group(tests, set_up, tear_down);
}
