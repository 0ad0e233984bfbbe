/*
 * websocket_reconnect_test.c - trying again: when, how often, with which URL; the hook, the
 * greeting; closing and freeing at each moment.
 */
#include "support/client/websocket_bench.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct websocket_bench bench;
static size_t attempt_count;
static uint32_t attempts[16];
static const char *next_url;
static bool goes_on;
static char acts_at;   /* 'a': in the hook; else the journal's letter */
static size_t skipped; /* of these moments, before it acts */
static bool frees;

/* Closes or frees. */
static void meddle(struct dx_websocket *websocket)
{
    if (frees) {
        dx_websocket_free(websocket);
        bench.websocket = NULL;
    } else {
        assert_int_equal(dx_websocket_close(websocket, 0, NULL, 0), DX_OK);
    }
}

static bool is_moment(char what)
{
    return acts_at == what && skipped-- == 0;
}

static void act(struct websocket_bench *self, char what)
{
    if (is_moment(what))
        meddle(self->websocket);
}

static bool on_attempt(struct dx_websocket *websocket, uint32_t attempt, const char **url,
                       void *user)
{
    assert_ptr_equal(user, &bench);
    assert_int_equal(dx_websocket_ready_state(websocket), DX_READY_STATE_CONNECTING);
    assert_true(attempt_count < 16);
    attempts[attempt_count++] = attempt;
    *url = next_url;
    if (is_moment('a'))
        meddle(websocket);
    return goes_on;
}

static void wait_request(void)
{
    assert_true(websocket_bench_wait_request(&bench));
}

static void lose(void)
{
    size_t before = bench.close_count;

    websocket_bench_hang_up(&bench, true);
    for (int i = 0; i < 200 && bench.close_count == before && bench.websocket != NULL; i++)
        websocket_bench_turn(&bench, 20);
}

static void test_again_and_again(void **state)
{
    uint8_t first, payload[256];
    size_t len;

    (void)state;
    bench.options.greeting = "hello";
    websocket_bench_open(&bench);
    for (size_t i = 1; i <= 4; i++) {
        assert_true(websocket_bench_take_frame(&bench, &first, payload, &len));
        assert_string_equal(payload, "hello"); /* at each opening */
        lose();
        assert_true(bench.close.will_reconnect);
        assert_true(bench.close.delay_ms <= 2);
        assert_int_equal(bench.close_count, i);
        websocket_bench_accept(&bench, "", NULL, 0);
    }
    assert_true(websocket_bench_take_frame(&bench, &first, payload, &len));
    assert_int_equal(attempt_count, 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(attempts[i], i + 1); /* it was never open for long enough */
    assert_int_equal(dx_websocket_ready_state(bench.websocket), DX_READY_STATE_OPEN);
}

/* Open for stable_ms, and the next attempt is a first one again. */
static void test_stable(void **state)
{
    (void)state;
    bench.reconnect.stable_ms = 30;
    websocket_bench_open(&bench);
    lose();
    websocket_bench_accept(&bench, "", NULL, 0);
    while (strstr(bench.journal, "unclean/3 open") == NULL)
        websocket_bench_turn(&bench, 10);
    for (int i = 0; i < 10; i++)
        websocket_bench_turn(&bench, 10);
    lose();
    wait_request();
    assert_int_equal(attempts[0], 1);
    assert_int_equal(attempts[1], 1);
}

static void test_max_attempts(void **state)
{
    (void)state;
    bench.reconnect.max_attempts = 3;
    websocket_bench_open(&bench);
    for (int i = 0; i < 3; i++) {
        lose();
        assert_true(bench.close.will_reconnect);
        wait_request();
    }
    lose();
    assert_false(bench.close.will_reconnect);
    websocket_bench_quiet(&bench);
    assert_int_equal(attempt_count, 3);
    assert_int_equal(bench.close_count, 4);
}

/* One attempt after what will not change. */
static void check_once(const char *answer)
{
    websocket_bench_start(&bench, NULL);
    wait_request();
    websocket_bench_put(&bench, answer, strlen(answer));
    websocket_bench_hang_up(&bench, false);
    assert_true(websocket_bench_until(&bench, websocket_bench_is_closed));
    for (int i = 0; i < 5; i++)
        websocket_bench_turn(&bench, 5);
    assert_false(bench.close.will_reconnect);
    assert_int_equal(bench.accepted_count, 1);
    assert_int_equal(attempt_count, 0);
}

static void test_401(void **state)
{
    (void)state;
    check_once("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
}

static void test_wrong_key(void **state)
{
    (void)state;
    check_once("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n");
}

static void check_once_after(const char *code)
{
    websocket_bench_open(&bench);
    websocket_bench_put_frame(&bench, BENCH_CLOSE, code, 2);
    websocket_bench_quiet(&bench);
    websocket_bench_hang_up(&bench, false);
    assert_true(websocket_bench_until(&bench, websocket_bench_is_closed));
    websocket_bench_quiet(&bench);
    assert_false(bench.close.will_reconnect);
    assert_int_equal(bench.accepted_count, 1);
}

static void test_1008(void **state)
{
    (void)state;
    check_once_after("\x03\xf0");
}

static void test_1000(void **state)
{
    (void)state;
    check_once_after("\x03\xe8");
}

static void test_another_url(void **state)
{
    char url[128];

    (void)state;
    (void)snprintf(url, sizeof(url), "%stoken?2", bench.url);
    next_url = url;
    websocket_bench_open(&bench);
    lose();
    wait_request();
    assert_memory_equal(bench.head, "GET /token?2 HTTP/1.1\r\n", 23);
    assert_string_equal(dx_websocket_url(bench.websocket), url);
}

static void test_a_url_that_is_none(void **state)
{
    (void)state;
    next_url = "ftp://x/";
    websocket_bench_open(&bench);
    lose();
    while (bench.close_count < 2)
        websocket_bench_turn(&bench, 20);
    assert_int_equal(bench.err, DX_ERR_USAGE);
    assert_false(bench.close.will_reconnect);
    assert_string_equal(dx_websocket_url(bench.websocket), bench.url);
}

static void test_the_hook_says_no(void **state)
{
    (void)state;
    goes_on = false;
    websocket_bench_open(&bench);
    lose();
    while (bench.close_count < 2)
        websocket_bench_turn(&bench, 20);
    assert_int_equal(bench.step, DX_STEP_CLOSED);
    assert_false(bench.close.will_reconnect);
    assert_int_equal(bench.accepted_count, 1);
}

/* ---- closing and freeing at each moment ---- */

static const struct moment_row {
    const char *id;
    char at;
    size_t skipped;
    bool frees;
    const char *journal;
} moment_rows[] = {
    {"closed in error", 'e', 0, false, "open/1 error/3 close:1006::unclean/3 "},
    {"freed in error", 'e', 0, true, "open/1 error/3 "},
    {"closed in close", 'c', 0, false, "open/1 error/3 close:1006::unclean/3 "},
    {"freed in close", 'c', 0, true, "open/1 error/3 close:1006::unclean/3 "},
    {"closed in the hook", 'a', 0, false,
     "open/1 error/3 close:1006::unclean/3 error/3 close:1006::unclean/3 "},
    {"freed in the hook", 'a', 0, true, "open/1 error/3 close:1006::unclean/3 "},
    {"freed in the second open", 'o', 1, true, "open/1 error/3 close:1006::unclean/3 open/1 "},
};

static void test_moments(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(moment_rows) / sizeof(moment_rows[0]); i++) {
        const struct moment_row *row = &moment_rows[i];

        acts_at = row->at;
        skipped = row->skipped;
        frees = row->frees;
        websocket_bench_open(&bench);
        lose();
        for (int turn = 0; turn < 8; turn++) {
            websocket_bench_turn(&bench, 5);
            if (bench.peer >= 0 && websocket_bench_find_request(&bench))
                websocket_bench_answer(&bench, "", NULL, 0);
        }
        if (strcmp(bench.journal, row->journal) != 0)
            fail_msg("%s: %s", row->id, bench.journal);
        if (row->at == 'e' && !row->frees)
            assert_false(bench.close.will_reconnect);
        dx_websocket_free(bench.websocket);
        bench.websocket = NULL;
        if (bench.peer >= 0)
            websocket_bench_hang_up(&bench, false);
        websocket_bench_quiet(&bench);
        bench.journal[0] = '\0';
        bench.close_count = 0;
        bench.accepted_count = 0;
        attempt_count = 0;
    }
    print_message("%zu moments\n", sizeof(moment_rows) / sizeof(moment_rows[0]));
}

/* Between two attempts: silently, and nothing comes any more. */
static void check_waiting(void (*end)(struct dx_websocket *websocket))
{
    bench.reconnect.first_delay_ms = bench.reconnect.max_delay_ms = 60000;
    websocket_bench_open(&bench);
    lose();
    assert_true(bench.close.will_reconnect);
    end(bench.websocket);
    assert_int_equal(dx_loop_run(bench.loop), DX_OK); /* nothing holds it */
    assert_journal(&bench, "open/1 error/3 close:1006::unclean/3 ");
    assert_int_equal(attempt_count, 0);
}

static void close_it(struct dx_websocket *websocket)
{
    assert_int_equal(dx_websocket_close(websocket, 0, NULL, 0), DX_OK);
    assert_int_equal(dx_websocket_ready_state(websocket), DX_READY_STATE_CLOSED);
    assert_int_equal(dx_websocket_send(websocket, DX_OP_TEXT, "x", 1), DX_OK);
    assert_int_equal(dx_websocket_buffered_amount(websocket), 1);
}

static void free_it(struct dx_websocket *websocket)
{
    dx_websocket_free(websocket);
    bench.websocket = NULL;
}

static void test_closed_while_waiting(void **state)
{
    (void)state;
    check_waiting(close_it);
}

static void test_freed_while_waiting(void **state)
{
    (void)state;
    check_waiting(free_it);
}

static void test_aborted_while_waiting(void **state)
{
    (void)state;
    check_waiting(dx_websocket_abort);
}

/* The loop goes while it waits: tear_down. */
static void test_loop_ends_while_waiting(void **state)
{
    (void)state;
    bench.reconnect.first_delay_ms = bench.reconnect.max_delay_ms = 60000;
    websocket_bench_open(&bench);
    lose();
}

/* close() lets what is in the outbox go first, however much it is. */
static void test_close_behind_the_outbox(void **state)
{
    static uint8_t message[100000], got[100001];
    uint8_t first;
    size_t len;

    (void)state;
    bench.options.outbox = &bench.outbox;
    bench.connection.max_queue = 65536;
    websocket_bench_start(&bench, NULL);
    for (uint8_t i = 0; i < 100; i++) {
        message[0] = i;
        assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_BINARY, message, sizeof(message)),
                         DX_OK);
    }
    assert_int_equal(dx_websocket_buffered_amount(bench.websocket), 100 * sizeof(message));
    websocket_bench_accept(&bench, "", NULL, 0);
    while (strstr(bench.journal, "open") == NULL)
        websocket_bench_turn(&bench, 5);
    assert_int_equal(dx_websocket_close(bench.websocket, 1000, NULL, 0), DX_OK);
    for (uint8_t i = 0; i < 100; i++) {
        assert_true(websocket_bench_take_frame(&bench, &first, got, &len));
        assert_int_equal(got[0], i);
    }
    assert_true(websocket_bench_take_frame(&bench, &first, got, &len));
    assert_int_equal(first, BENCH_CLOSE);
    assert_int_equal(dx_websocket_buffered_amount(bench.websocket), 0);
}

static void expect_outbox(size_t want_count, size_t want_unproven)
{
    size_t count, unproven;

    dx_websocket_outbox(bench.websocket, &count, &unproven);
    assert_int_equal(count, want_count);
    assert_int_equal(unproven, want_unproven);
}

/*
 * Only the answer to our ping proves anything: not one that was not asked for, nor an early one,
 * nor another number.
 */
static void test_pongs_that_prove_nothing(void **state)
{
    uint8_t first, ping[256], other[256];
    size_t len;

    (void)state;
    bench.options.outbox = &bench.outbox;
    bench.outbox.guarantee = DX_OUTBOX_UNTIL_PONG;
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_TEXT, "one", 3), DX_OK);
    assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_TEXT, "two", 3), DX_OK);
    assert_true(websocket_bench_take_frame(&bench, &first, other, &len));
    assert_true(websocket_bench_take_frame(&bench, &first, ping, &len));
    assert_int_equal(first, BENCH_PING); /* behind the first; one is out at a time */
    expect_outbox(2, 2);
    memcpy(other, ping, len);
    other[4] ^= 2;
    websocket_bench_put_frame(&bench, BENCH_PONG, other, len);
    websocket_bench_put_frame(&bench, BENCH_PONG, ping, len - 1);
    websocket_bench_put_frame(&bench, BENCH_PONG, "", 0);
    websocket_bench_quiet(&bench);
    expect_outbox(2, 2);
    websocket_bench_put_frame(&bench, BENCH_PONG, ping, len);
    websocket_bench_quiet(&bench);
    expect_outbox(1, 1);
    websocket_bench_put_frame(&bench, BENCH_PONG, ping, len); /* once more */
    websocket_bench_quiet(&bench);
    expect_outbox(1, 1);
    assert_true(websocket_bench_take_frame(&bench, &first, other, &len));
    assert_true(websocket_bench_take_frame(&bench, &first, ping, &len));
    assert_int_equal(first, BENCH_PING);
    websocket_bench_put_frame(&bench, BENCH_PONG, ping, len);
    websocket_bench_quiet(&bench);
    expect_outbox(0, 0);
}

/* Who was refused by the outbox hears when it is half empty again. */
static void test_room_in_the_outbox(void **state)
{
    uint8_t first, payload[256];
    size_t len;

    (void)state;
    bench.options.outbox = &bench.outbox;
    bench.outbox.guarantee = DX_OUTBOX_UNTIL_PONG;
    bench.outbox.max_len = 10;
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_TEXT, "one", 3), DX_OK);
    assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_TEXT, "twotwo", 6), DX_OK);
    assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_TEXT, "three", 5), DX_ERR_QUEUE_FULL);
    for (int i = 0; i < 2; i++) {
        assert_journal(&bench, "open/1 ");
        do
            assert_true(websocket_bench_take_frame(&bench, &first, payload, &len));
        while (first != BENCH_PING);
        websocket_bench_put_frame(&bench, BENCH_PONG, payload, len);
        websocket_bench_quiet(&bench);
    }
    assert_journal(&bench, "open/1 drain/1 ");
    expect_outbox(0, 0);
}

static int set_up(void **state)
{
    (void)state;
    websocket_bench_init(&bench);
    bench.act = act;
    bench.options.reconnect = &bench.reconnect;
    bench.reconnect.first_delay_ms = 2;
    bench.reconnect.max_delay_ms = 2;
    bench.reconnect.on_attempt = on_attempt;
    bench.reconnect.user = &bench;
    attempt_count = 0;
    next_url = NULL;
    goes_on = true;
    acts_at = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    websocket_bench_release(&bench);
    return 0;
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(test_again_and_again),
        ROW(test_stable),
        ROW(test_max_attempts),
        ROW(test_401),
        ROW(test_wrong_key),
        ROW(test_1008),
        ROW(test_1000),
        ROW(test_another_url),
        ROW(test_a_url_that_is_none),
        ROW(test_the_hook_says_no),
        ROW(test_moments),
        ROW(test_closed_while_waiting),
        ROW(test_freed_while_waiting),
        ROW(test_aborted_while_waiting),
        ROW(test_loop_ends_while_waiting),
        ROW(test_close_behind_the_outbox),
        ROW(test_pongs_that_prove_nothing),
        ROW(test_room_in_the_outbox),
    };

    return run_group(tests, NULL, NULL);
}
