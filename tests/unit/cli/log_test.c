/*
 * log_test.c - where lines go: files, full disks, closed and full pipes, several threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/test.h"

#include "cli/log/log.h"

#define THREADS 4
#define LINES_EACH 500

/* Points stderr to `fd` and returns what it was. */
static int redirect_stderr(int fd)
{
    int saved = dup(STDERR_FILENO);

    assert_true(saved >= 0);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    return saved;
}

static void restore_stderr(int saved)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static void make_file(char path[static 32])
{
    int fd;

    strcpy(path, "/tmp/duplex-log-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
}

static char *read_file(const char *path, size_t *len)
{
    static char text[1 << 20];
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    *len = fread(text, 1, sizeof(text) - 1, file);
    text[*len] = '\0';
    fclose(file);
    return text;
}

static void appends_to_a_file(void **state)
{
    char path[32];
    struct cli_log_config config = {.level = DX_LOG_INFO};
    size_t len;

    (void)state;
    make_file(path);
    config.file = path;
    for (int i = 0; i < 2; i++) {
        struct cli_log *log = cli_log_open(&config);

        assert_non_null(log);
        cli_log_say(log, DX_LOG_INFO, "said", "turn", i ? "second" : "first", NULL);
        cli_log_say(log, DX_LOG_DEBUG, "not said", NULL);
        cli_log_close(log);
    }

    const char *text = read_file(path, &len);

    assert_int_equal(len, 2 * 24 + strlen(" info  said turn=first\n info  said turn=second\n"));
    assert_string_equal(text + 24 + 23 + 24, " info  said turn=second\n");
    unlink(path);
}

static void says_why_it_cannot_open(void **state)
{
    struct cli_log_config config = {.file = "/nonexistent/log"};

    (void)state;
    errno = 0;
    assert_null(cli_log_open(&config));
    assert_int_equal(errno, ENOENT);
}

static void survives_a_full_disk(void **state)
{
    struct cli_log_config config = {.level = DX_LOG_INFO, .file = "/dev/full"};
    struct cli_log *log = cli_log_open(&config);

    (void)state;
    assert_non_null(log);
    for (int i = 0; i < 100; i++)
        cli_log_say(log, DX_LOG_ERROR, "lost", NULL);
    cli_log_close(log);
}

static void survives_a_closed_pipe(void **state)
{
    struct cli_log_config config = {.level = DX_LOG_INFO};
    struct cli_log *log;
    int ends[2];
    int saved;

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    saved = redirect_stderr(ends[1]);
    log = cli_log_open(&config);
    close(ends[0]);
    for (int i = 0; i < 100; i++)
        cli_log_say(log, DX_LOG_ERROR, "lost", NULL);
    cli_log_close(log);
    restore_stderr(saved);
    close(ends[1]);
    assert_non_null(log);
}

/* A reader that sleeps stops nobody, and learns how much it has missed. */
static void survives_a_full_pipe(void **state)
{
    struct cli_log_config config = {.level = DX_LOG_INFO};
    struct cli_log *log;
    static char text[1 << 20];
    size_t len = 0;
    size_t lines = 0;
    ssize_t got;
    int ends[2];
    int saved;
    char wanted[64];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    saved = redirect_stderr(ends[1]);
    log = cli_log_open(&config);
    for (int i = 0; i < 10000; i++)
        cli_log_say(log, DX_LOG_ERROR, "a line of some length", "number", "1", NULL);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    while ((got = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)got;
    cli_log_say(log, DX_LOG_ERROR, "again", NULL);
    while ((got = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)got;
    cli_log_close(log);
    restore_stderr(saved);
    close(ends[0]);
    close(ends[1]);
    assert_non_null(log);
    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    text[len] = '\0';
    assert_true(lines > 100 && lines < 10000);
    snprintf(wanted, sizeof(wanted), " warn  log lines were lost lines=%zu\n", 10000 - (lines - 2));
    assert_non_null(strstr(text, wanted));
    assert_string_equal(text + len - strlen(" error again\n"), " error again\n");
}

static void *write_many(void *data)
{
    for (int i = 0; i < LINES_EACH; i++)
        cli_log_say(data, DX_LOG_INFO, "from a thread", "value", "0123456789", NULL);
    return NULL;
}

static void keeps_lines_of_threads_apart(void **state)
{
    static const char tail[] = " info  from a thread value=0123456789\n";
    const size_t line_len = 24 + sizeof(tail) - 1;
    char path[32];
    struct cli_log_config config = {.level = DX_LOG_INFO};
    pthread_t threads[THREADS];
    struct cli_log *log;
    const char *text;
    size_t len;

    (void)state;
    make_file(path);
    config.file = path;
    log = cli_log_open(&config);
    assert_non_null(log);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, log), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    cli_log_close(log);
    text = read_file(path, &len);
    assert_int_equal(len, THREADS * LINES_EACH * line_len);
    for (size_t at = 0; at < len; at += line_len)
        assert_memory_equal(text + at + 24, tail, sizeof(tail) - 1);
    unlink(path);
}

static void is_a_sink_of_the_library(void **state)
{
    char path[32];
    struct cli_log_config config = {.level = DX_LOG_WARN, .format = CLI_LOG_JSON};
    struct dx_log_field field = {"peer", "127.0.0.1", 9};
    struct cli_log *log;
    struct dx_log_sink sink;
    const char *text;
    size_t len;

    (void)state;
    make_file(path);
    config.file = path;
    log = cli_log_open(&config);
    assert_non_null(log);
    sink = cli_log_sink(log);
    assert_int_equal(sink.level, DX_LOG_WARN);
    sink.write(DX_LOG_INFO, "not said", NULL, 0, sink.user);
    sink.write(DX_LOG_WARN, "said", &field, 1, sink.user);
    cli_log_close(log);
    text = read_file(path, &len);
    assert_string_equal(text + strlen("{\"time\":\"") + 24,
                        "\",\"level\":\"warn\",\"message\":\"said\",\"peer\":\"127.0.0.1\"}\n");
    unlink(path);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_to_a_file),        cmocka_unit_test(says_why_it_cannot_open),
        cmocka_unit_test(survives_a_full_disk),     cmocka_unit_test(survives_a_closed_pipe),
        cmocka_unit_test(survives_a_full_pipe),     cmocka_unit_test(keeps_lines_of_threads_apart),
        cmocka_unit_test(is_a_sink_of_the_library),
    };

    return run_group(tests, NULL, NULL);
}
