/*
 * programs_calls_test.c - single system calls that fail at a chosen moment: what the client gets
 * for it, exactly.
 */
#include "support/bridge/program_bench.h"
#include "support/failing/system.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct program_bench bench;
static struct raw raw;
static struct answer answer;

static bool is_served(void *data)
{
    (void)data;
    return program_bench_serves(&bench) && program_bench_wait_count(&bench, 0);
}

/* A spawner that was given up takes a moment to come again. */
static void wait_until_served(void)
{
    assert_true(service_wait(&bench.service, is_served, NULL, PATIENCE_MS));
}

/* Each call that a start needs fails: an answer, and every end of every pipe is closed. */
static void row_85_a_call_of_a_start_fails(void **state)
{
    static const struct {
        enum failing_call call;
        int code;
        unsigned status;
    } rows[] = {
        {CALL_PIPE2, EMFILE, 503},     {CALL_PIPE2, ENFILE, 503},
        {CALL_FCNTL, EMFILE, 503},     {CALL_SENDMSG, EMFILE, 503},
        {CALL_SENDMSG, ENOMEM, 503},   {CALL_SENDMSG, ETOOMANYREFS, 503},
        {CALL_SENDMSG, EPIPE, 503},    {CALL_SENDMSG, EOPNOTSUPP, 500},
        {CALL_EPOLL_CTL, ENOMEM, 500}, {CALL_EPOLL_CTL, ENOSPC, 500},
    };
    size_t descriptor_count;

    (void)state;
    program_bench_run(&bench, "exec cat");
    assert_true(program_bench_serves(&bench));
    assert_true(program_bench_wait_count(&bench, 0));
    descriptor_count = program_descriptor_count();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char request[1024];
        size_t len = upgrade_write(request, sizeof(request), &bench.service, "/", "");
        bool is_answered;

        assert_true(raw_connect(&raw, &bench.service, false));
        service_turn(&bench.service, 5); /* it is accepted */
        failing_system_start(0);
        failing_system_fail_next(rows[i].call, rows[i].code);
        assert_true(raw_send(&raw, request, len, 0));
        is_answered = raw_wait_answer(&raw, &answer, false);
        assert_true(failing_system_stop());
        if (!is_answered || answer.status != rows[i].status)
            fail_msg("row %zu: status %u", i, answer.status);
        assert_int_equal(answer_has(&answer, "Retry-After: 1"), rows[i].status == 503);
        raw_close(&raw);
        assert_true(program_bench_wait_count(&bench, 0));
        wait_until_served();
        assert_int_equal(program_descriptor_count(), descriptor_count);
    }
    program_bench_stop(&bench);
}

/* What waits for the program cannot be watched for: the client is told to try again. */
static void test_stdin_that_cannot_be_watched(void **state)
{
    static uint8_t frame[66000];
    static uint8_t text[60000];
    size_t len;

    (void)state;
    program_bench_init(&bench);
    bench.options.framing = DX_FRAMING_BINARY;
    program_bench_script(&bench, "sleep 60");
    assert_true(program_bench_start(&bench));
    program_open(&bench, &raw, "/");
    len = frame_write(frame, 0x82, text, sizeof(text));
    failing_system_start(0);
    failing_system_fail_all(CALL_EPOLL_CTL, ENOMEM);
    assert_true(raw_send(&raw, frame, len, 0));
    assert_true(raw_send(&raw, frame, len, 0));
    service_turn(&bench.service, 10);
    assert_true(failing_system_stop());
    program_expect_close(&raw, 1013, "the program's input cannot be watched");
    program_bench_stop(&bench);
}

/* ---- posts to other loops ---- */

static _Atomic unsigned posts_to_fail;

enum dx_err __real_dx_loop_post(struct dx_loop *loop, void (*call)(void *data), void *data);
enum dx_err __wrap_dx_loop_post(struct dx_loop *loop, void (*call)(void *data), void *data);
enum dx_err __wrap_dx_loop_post(struct dx_loop *loop, void (*call)(void *data), void *data)
{
    if (posts_to_fail > 0) {
        posts_to_fail--;
        return DX_ERR_NOMEM;
    }
    return __real_dx_loop_post(loop, call, data);
}

/* Neither telling a loop to close nor its report is lost when there is no memory for the post. */
static void test_posts_of_the_closing_fail(void **state)
{
    (void)state;
    for (unsigned count = 1; count <= 12; count++) {
        program_bench_init(&bench);
        bench.setup.options.threads = 3;
        program_bench_script(&bench, "read x");
        assert_true(program_bench_start(&bench));
        program_open(&bench, &raw, "/");
        posts_to_fail = count;
        raw_close(&raw);
        assert_true(program_bench_close(&bench));
        posts_to_fail = 0;
        program_bench_stop(&bench);
    }
}

static void test_posts_of_the_free_fail(void **state)
{
    (void)state;
    for (unsigned count = 1; count <= 6; count++) {
        program_bench_init(&bench);
        bench.setup.options.threads = 3;
        program_bench_script(&bench, "read x");
        assert_true(program_bench_start(&bench));
        program_open(&bench, &raw, "/");
        posts_to_fail = count;
        dx_programs_free(bench.programs);
        assert_int_equal(posts_to_fail, 0);
        bench.programs = NULL;
        raw_close(&raw);
        program_bench_stop(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_85_a_call_of_a_start_fails),
        cmocka_unit_test(test_stdin_that_cannot_be_watched),
        cmocka_unit_test(test_posts_of_the_closing_fail),
        cmocka_unit_test(test_posts_of_the_free_fail),
    };

    return run_group(tests, NULL, NULL);
}
