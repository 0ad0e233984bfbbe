/*
 * websocket_heartbeat_test.c - heartbeats by ping and by text: who answers lives, who does not is
 * given up in time, also where the network has vanished and the send buffer is full; and which step
 * each deadline tells.
 */
#include "support/client/websocket_bench.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static struct websocket_bench bench;

static void use_pings(uint32_t interval_ms, uint32_t timeout_ms)
{
    bench.connection.ping_interval_ms = interval_ms;
    bench.connection.pong_timeout_ms = timeout_ms;
}

static void use_text(uint32_t interval_ms, uint32_t timeout_ms)
{
    use_pings(interval_ms, timeout_ms);
    bench.options.heartbeat_text = "ping";
    bench.options.heartbeat_answer = "pong";
}

static void expect_end(enum dx_failure_step step, enum dx_err err)
{
    assert_true(websocket_bench_until(&bench, websocket_bench_is_closed));
    assert_journal(&bench, "open/1 error/3 close:1006::unclean/3 ");
    assert_int_equal(bench.step, step);
    assert_int_equal(bench.err, err);
}

static void test_missed_pong(void **state)
{
    uint64_t before;

    (void)state;
    use_pings(40, 40);
    websocket_bench_open(&bench);
    before = clock_ms();
    expect_end(DX_STEP_HEARTBEAT, DX_ERR_TIMEOUT);
    assert_true(clock_ms() - before >= 75);
}

static void test_missed_text(void **state)
{
    uint8_t first, payload[256];
    size_t len;

    (void)state;
    use_text(40, 40);
    websocket_bench_open(&bench);
    assert_true(websocket_bench_take_frame(&bench, &first, payload, &len));
    assert_int_equal(first, BENCH_TEXT);
    assert_string_equal(payload, "ping");
    expect_end(DX_STEP_HEARTBEAT, DX_ERR_TIMEOUT);
    assert_non_null(strstr(bench.detail, "heartbeat"));
}

/* Answers `count` of them, then none. */
static void answer(size_t count, uint8_t ask, const char *answer_text, uint8_t answer_first)
{
    uint8_t first, payload[256];
    size_t len;

    for (size_t i = 0; i < count; i++) {
        assert_true(websocket_bench_take_frame(&bench, &first, payload, &len));
        assert_int_equal(first, ask);
        if (answer_text != NULL)
            websocket_bench_put_frame(&bench, answer_first, answer_text, strlen(answer_text));
        else
            websocket_bench_put_frame(&bench, answer_first, payload, len);
    }
}

static void test_answered_text(void **state)
{
    (void)state;
    use_text(20, PATIENCE_MS);
    websocket_bench_open(&bench);
    answer(4, BENCH_TEXT, "pong", BENCH_TEXT);
    websocket_bench_quiet(&bench);
    assert_journal(&bench, "open/1 "); /* kept from listeners */
    websocket_bench_put_frame(&bench, BENCH_TEXT, "pongs", 5);
    websocket_bench_put_frame(&bench, BENCH_BINARY, "pong", 4);
    assert_true(websocket_bench_until_journal(&bench, "binary:pong"));
    assert_journal(&bench, "open/1 text:pongs/1 binary:pong/1 ");
}

static void test_answered_ping(void **state)
{
    (void)state;
    use_pings(20, PATIENCE_MS);
    websocket_bench_open(&bench);
    answer(4, BENCH_PING, NULL, BENCH_PONG);
    assert_int_equal(dx_websocket_ready_state(bench.websocket), DX_READY_STATE_OPEN);
}

/* Inside a fragmented message no text can go in between: a ping asks. */
static void test_text_inside_fragments(void **state)
{
    uint8_t first, payload[256];
    size_t len;

    (void)state;
    use_text(20, 1000);
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_send_fragment(bench.websocket, DX_OP_TEXT, "a", 1, false), DX_OK);
    assert_true(websocket_bench_take_frame(&bench, &first, payload, &len));
    answer(2, BENCH_PING, NULL, BENCH_PONG);
    assert_int_equal(dx_websocket_ready_state(bench.websocket), DX_READY_STATE_OPEN);
    assert_true(websocket_bench_until(&bench, websocket_bench_is_closed));
    assert_int_equal(bench.step, DX_STEP_HEARTBEAT);
}

/* Who has paused reading cannot miss an answer. */
static void test_paused(void **state)
{
    (void)state;
    use_text(10, 10);
    websocket_bench_open(&bench);
    dx_websocket_pause(bench.websocket);
    for (int i = 0; i < 20; i++)
        websocket_bench_turn(&bench, 5);
    assert_journal(&bench, "open/1 ");
    dx_websocket_resume(bench.websocket);
    assert_true(websocket_bench_until(&bench, websocket_bench_is_closed));
}

/*
 * A peer that reads nothing, as one behind a network that has vanished: nobody reads it here, so
 * the buffers fill.
 */
static void fill_up(void)
{
    static uint8_t much[262144];
    int fd = bench.peer;

    bench.peer = -1; /* it is not read */
    bench.peer_has_ended = false;
    for (int i = 0; i < 60; i++)
        if (dx_websocket_send(bench.websocket, DX_OP_BINARY, much, sizeof(much)) != DX_OK)
            break;
    websocket_bench_turn(&bench, 0);
    assert_true(dx_websocket_buffered_amount(bench.websocket) > 0);
    assert_true(websocket_bench_until(&bench, websocket_bench_is_closed));
    bench.peer = fd;
}

static void check_full(enum dx_failure_step step)
{
    uint64_t before;

    websocket_bench_open(&bench);
    before = clock_ms();
    fill_up();
    assert_int_equal(bench.step, step);
    assert_int_equal(bench.err, DX_ERR_TIMEOUT);
    assert_true(clock_ms() - before < 15000); /* far before the write timeout's 30 s */
    assert_true(dx_websocket_buffered_amount(bench.websocket) > 0);
}

static void test_full_and_pings(void **state)
{
    (void)state;
    use_pings(60, 60);
    check_full(DX_STEP_HEARTBEAT);
}

static void test_full_without_write_timeout(void **state)
{
    (void)state;
    use_pings(60, 60);
    bench.connection.write_timeout_ms = 0;
    check_full(DX_STEP_HEARTBEAT);
}

static void test_full_and_text(void **state)
{
    (void)state;
    use_text(60, 60);
    check_full(DX_STEP_HEARTBEAT);
}

/* Without a heartbeat it is the write timeout, and no heartbeat that was missed. */
static void test_full_without_heartbeat(void **state)
{
    (void)state;
    use_pings(0, 30000);
    bench.connection.write_timeout_ms = 100;
    check_full(DX_STEP_LOST);
    assert_string_equal(bench.detail, "the peer does not read");
}

static void test_message_timeout(void **state)
{
    (void)state;
    bench.connection.message_timeout_ms = 40;
    bench.connection.close_timeout_ms = 40;
    websocket_bench_open(&bench);
    websocket_bench_put(&bench,
                        "\x81\x05"
                        "ab",
                        4);
    assert_true(websocket_bench_until(&bench, websocket_bench_is_closed));
    assert_int_equal(bench.step, DX_STEP_PROTOCOL);
    assert_int_equal(bench.err, DX_ERR_TIMEOUT);
}

/* ---- the answer in pieces ---- */

static char pieces[256];

static void on_chunk(struct dx_websocket *websocket, enum dx_opcode opcode, const uint8_t *data,
                     size_t len, bool is_first, bool is_last, void *user)
{
    size_t at = strlen(pieces);

    (void)websocket;
    (void)opcode;
    (void)user;
    (void)snprintf(pieces + at, sizeof(pieces) - at, "%s%.*s%s", is_first ? "(" : "", (int)len,
                   (const char *)data, is_last ? ")" : "");
}

static void check_pieces(const char *text, const char *want)
{
    uint8_t header[2] = {BENCH_TEXT, (uint8_t)strlen(text)};

    pieces[0] = '\0';
    websocket_bench_put(&bench, header, 2);
    for (; *text != '\0'; text++) {
        websocket_bench_put(&bench, text, 1);
        websocket_bench_quiet(&bench);
    }
    websocket_bench_put_frame(&bench, BENCH_PONG, "x", 1);
    assert_true(websocket_bench_until_journal(&bench, "pong:x"));
    assert_string_equal(pieces, want);
    bench.journal[0] = '\0';
}

static void test_pieces(void **state)
{
    (void)state;
    use_text(60000, 60000);
    bench.events.on_chunk = on_chunk;
    websocket_bench_open(&bench);
    check_pieces("pong", "");
    check_pieces("pongo", "(pongo)");
    check_pieces("pon", "(pon)");
    check_pieces("pool", "(pool)");
    check_pieces("xpong", "(xpong)");
    check_pieces("pong", "");
}

static int set_up(void **state)
{
    (void)state;
    websocket_bench_init(&bench);
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
        ROW(test_missed_pong),           ROW(test_missed_text),
        ROW(test_answered_text),         ROW(test_answered_ping),
        ROW(test_text_inside_fragments), ROW(test_paused),
        ROW(test_full_and_pings),        ROW(test_full_without_write_timeout),
        ROW(test_full_and_text),         ROW(test_full_without_heartbeat),
        ROW(test_message_timeout),       ROW(test_pieces),
    };

    return run_group(tests, NULL, NULL);
}
