/*
 * websocket_failures_test.c - connect, talk, lose the connection, connect again, talk, close: with
 * each allocation and each system call failing in turn. Whatever fails, it ends: nothing crashes,
 * leaks, hangs or stays open.
 */
#include "support/client/websocket_bench.h"
#include "support/failing/allocator.h"
#include "support/failing/system.h"
#include "support/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct websocket_bench bench;
static bool uses_allocator;
static size_t opened_count;
static bool has_reset;
static enum dx_outbox_guarantee guarantee;
static size_t clean_count; /* runs that came to their good end */

static void guard(bool is_inside)
{
    if (uses_allocator)
        failing_allocator_pause(!is_inside);
    else
        failing_system_pause(!is_inside);
}

/*
 * The client: "one" is in the outbox from the beginning; "two" goes in at the second opening, and
 * its echo ends it.
 */
static void act(struct websocket_bench *self, char what)
{
    enum dx_err err = DX_OK;

    if (what == 'o' && ++opened_count > 1)
        err = dx_websocket_send(self->websocket, DX_OP_TEXT, "two", 3);
    if (err != DX_OK || strstr(self->journal, "text:two") != NULL)
        err = dx_websocket_close(self->websocket, 1000, "end", 3);
    (void)err; /* without memory it closes without more */
}

/* The server: echoes, and resets the connection behind the very first echo. */
static void serve(void)
{
    static uint8_t payload[4096];
    uint8_t first;
    size_t len;

    if (websocket_bench_find_request(&bench))
        websocket_bench_answer(&bench, "X-One: two\r\n", NULL, 0);
    while (bench.peer >= 0 && websocket_bench_find_frame(&bench, &first, payload, &len)) {
        if (first == BENCH_PING)
            websocket_bench_put_frame(&bench, BENCH_PONG, payload, len);
        else
            websocket_bench_put_frame(&bench, first, payload, len);
        if (first == BENCH_CLOSE || (first == BENCH_TEXT && !has_reset))
            websocket_bench_hang_up(&bench, first != BENCH_CLOSE);
        has_reset = has_reset || first == BENCH_TEXT;
    }
}

static size_t descriptor_count(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static enum dx_err start(void)
{
    enum dx_err err;

    guard(true);
    err = dx_websocket_new(bench.loop, bench.url, &bench.options, &bench.websocket);
    if (err == DX_OK && dx_websocket_send(bench.websocket, DX_OP_TEXT, "one", 3) != DX_OK)
        err = DX_ERR_NOMEM;
    guard(false);
    return err;
}

static bool has_ended(void)
{
    return bench.close_count > 0 && !bench.close.will_reconnect;
}

static void init(void)
{
    websocket_bench_init(&bench);
    bench.guard = guard;
    bench.act = act;
    opened_count = 0;
    has_reset = false;
    bench.options.greeting = "hello";
    bench.connection.close_timeout_ms = 100;
    bench.options.reconnect = &bench.reconnect;
    bench.reconnect.first_delay_ms = 1;
    bench.reconnect.max_delay_ms = 2;
    bench.options.outbox = &bench.outbox;
    bench.outbox.guarantee = guarantee;
    bench.options.strict_browser = guarantee == DX_OUTBOX_UNSENT; /* takes its turn, too */
}

/* Until it has ended for good, within 2,000 turns of at most 10 ms. */
static void run(size_t nth)
{
    size_t turns = 0;

    if (start() == DX_OK) {
        while (!has_ended() && turns++ < 2000) {
            websocket_bench_turn(&bench, 10);
            serve();
        }
        if (!has_ended())
            fail_msg("failure %zu: it hangs: %s", nth, bench.journal);
        clean_count += bench.close.was_clean;
    }
    guard(true);
    dx_websocket_free(bench.websocket);
    bench.websocket = NULL;
    guard(false);
}

static size_t fail_allocations(void)
{
    size_t nth = 1;

    for (;; nth++) {
        size_t before = descriptor_count();
        bool has_failed;

        init();
        failing_allocator_start(nth);
        guard(false);
        run(nth);
        websocket_bench_release(&bench);
        has_failed = failing_allocator_stop();
        if (failing_allocator_live() != 0)
            fail_msg("failure %zu leaves %ld blocks", nth, failing_allocator_live());
        assert_int_equal(descriptor_count(), before);
        if (!has_failed)
            return nth - 1;
    }
}

static const enum dx_outbox_guarantee guarantees[] = {DX_OUTBOX_UNSENT, DX_OUTBOX_UNTIL_PONG};

static void test_allocations(void **state)
{
    size_t count = 0;

    (void)state;
    uses_allocator = true;
    clean_count = 0;
    for (size_t i = 0; i < 2; i++) {
        guarantee = guarantees[i];
        count += fail_allocations();
    }
    print_message("injected %zu failures of allocations, %zu of these runs ended well\n", count,
                  clean_count - 2);
    assert_true(count > 20);
    assert_true(clean_count > count / 2);
}

static size_t fail_calls_of_kind(unsigned kind)
{
    size_t nth = 1;

    for (;; nth++) {
        size_t before = descriptor_count();
        bool has_failed;

        init();
        failing_system_choose(kind);
        failing_system_start(nth);
        guard(false);
        run(nth);
        has_failed = failing_system_stop();
        websocket_bench_release(&bench);
        assert_int_equal(descriptor_count(), before);
        if (!has_failed)
            return nth - 1;
    }
}

static void test_system_calls(void **state)
{
    size_t count = 0;

    (void)state;
    uses_allocator = false;
    clean_count = 0;
    for (unsigned kind = 0; kind < 2 * FAILING_KINDS; kind++) {
        guarantee = guarantees[kind % 2];
        count += fail_calls_of_kind(kind / 2);
    }
    failing_system_choose(0);
    print_message("injected %zu failures of system calls, %zu of these runs ended well\n", count,
                  clean_count - 2 * FAILING_KINDS);
    assert_true(count > 30);
    assert_true(clean_count > count / 2);
}

/* What libuv opens once for all. */
static int set_up(void **state)
{
    struct dx_loop *loop;

    (void)state;
    assert_int_equal(dx_loop_new(&loop), DX_OK);
    dx_loop_free(loop);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_system_calls),
    };

    return run_group(tests, set_up, NULL);
}
