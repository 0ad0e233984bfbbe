/*
 * websocket_states_test.c - states, events, their order, and the values of CloseEvent, row by row
 * of the checklist, under strict_browser.
 */
#include "support/client/websocket_bench.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/socket.h>

static struct websocket_bench bench;

static void wait_closed(void)
{
    assert_true(websocket_bench_until(&bench, websocket_bench_is_closed));
    websocket_bench_quiet(&bench);
    assert_int_equal(bench.close_count, 1);
}

/* The client's next frame is a Close of that body. */
static void expect_close(const char *body, size_t body_len)
{
    uint8_t first, payload[65536];
    size_t len;

    assert_true(websocket_bench_take_frame(&bench, &first, payload, &len));
    assert_int_equal(first, BENCH_CLOSE);
    assert_int_equal(len, body_len);
    assert_memory_equal(payload, body, len);
}

/* ---- CloseEvent ---- */

static void test_name_without_address(void **state)
{
    (void)state;
    websocket_bench_start(&bench, "ws://nobody.invalid/");
    wait_closed();
    assert_journal(&bench, "error/3 close:1006::unclean/3 ");
    assert_int_equal(bench.step, DX_STEP_RESOLVE);
}

static void test_nobody_listens(void **state)
{
    (void)state;
    websocket_bench_start(&bench, "ws://127.0.0.1:9/");
    assert_null(dx_websocket_last_error(bench.websocket));
    wait_closed();
    assert_journal(&bench, "error/3 close:1006::unclean/3 ");
    assert_string_equal(dx_websocket_last_error(bench.websocket), bench.detail);
    assert_false(dx_websocket_is_congested(bench.websocket));
}

/* What the server answers to the handshake, and the step that the error tells. */
static const struct answer_row {
    const char *id;
    const char *answer;
    enum dx_failure_step step;
} answer_rows[] = {
    {"401", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno", DX_STEP_UPGRADE},
    {"200", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", DX_STEP_UPGRADE},
    {"301", "HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", DX_STEP_UPGRADE},
    {"503", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", DX_STEP_UPGRADE},
    {"no HTTP", "SSH-2.0-x\r\n\r\n", DX_STEP_HANDSHAKE},
    {"a wrong key",
     "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
     DX_STEP_HANDSHAKE},
};

static void test_handshake_failures(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(answer_rows) / sizeof(answer_rows[0]); i++) {
        const struct answer_row *row = &answer_rows[i];

        websocket_bench_start(&bench, NULL);
        assert_true(websocket_bench_wait_request(&bench));
        websocket_bench_put(&bench, row->answer, strlen(row->answer));
        websocket_bench_hang_up(&bench, false);
        wait_closed();
        if (strcmp(bench.journal, "error/3 close:1006::unclean/3 ") != 0 || bench.step != row->step)
            fail_msg("%s: %s, step %d: %s", row->id, bench.journal, (int)bench.step, bench.detail);
        dx_websocket_free(bench.websocket);
        bench.websocket = NULL;
        bench.journal[0] = '\0';
        bench.close_count = 0;
    }
}

static void test_close_while_connecting(void **state)
{
    (void)state;
    websocket_bench_start(&bench, NULL);
    assert_int_equal(dx_websocket_close(bench.websocket, 0, NULL, 0), DX_OK);
    assert_int_equal(dx_websocket_ready_state(bench.websocket), DX_READY_STATE_CLOSING);
    assert_journal(&bench, ""); /* never from inside the call */
    wait_closed();
    assert_journal(&bench, "error/3 close:1006::unclean/3 ");
    assert_int_equal(bench.step, DX_STEP_CLOSED);
}

static void test_abort_while_connecting(void **state)
{
    (void)state;
    websocket_bench_start(&bench, NULL);
    assert_true(websocket_bench_wait_request(&bench));
    dx_websocket_abort(bench.websocket);
    assert_journal(&bench, "");
    wait_closed();
    assert_journal(&bench, "error/3 close:1006::unclean/3 ");
}

static void test_peer_closes(void **state)
{
    (void)state;
    websocket_bench_open(&bench);
    websocket_bench_put_frame(&bench, BENCH_CLOSE,
                              "\x0f\xa0"
                              "bye",
                              5);
    expect_close("\x0f\xa0", 2);
    assert_int_equal(dx_websocket_ready_state(bench.websocket), DX_READY_STATE_CLOSING);
    websocket_bench_quiet(&bench);
    assert_journal(&bench, "open/1 "); /* not before TCP has ended, too */
    websocket_bench_hang_up(&bench, false);
    wait_closed();
    assert_journal(&bench, "open/1 close:4000:bye:clean/3 ");
    assert_null(dx_websocket_last_error(bench.websocket));
}

static void test_peer_closes_without_code(void **state)
{
    (void)state;
    websocket_bench_open(&bench);
    websocket_bench_put_frame(&bench, BENCH_CLOSE, "", 0);
    expect_close("", 0);
    websocket_bench_hang_up(&bench, false);
    wait_closed();
    assert_journal(&bench, "open/1 close:1005::clean/3 ");
}

/* A code that only a server may send is answered all the same. */
static void test_peer_closes_with_a_servers_code(void **state)
{
    (void)state;
    websocket_bench_open(&bench);
    websocket_bench_put_frame(&bench, BENCH_CLOSE, "\x03\xf3", 2);
    expect_close("\x03\xf3", 2);
    websocket_bench_hang_up(&bench, false);
    wait_closed();
    assert_journal(&bench, "open/1 close:1011::clean/3 ");
}

static void test_we_close(void **state)
{
    (void)state;
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_close(bench.websocket, 3000, "why", 3), DX_OK);
    assert_int_equal(dx_websocket_ready_state(bench.websocket), DX_READY_STATE_CLOSING);
    expect_close("\x0b\xb8why", 5);
    websocket_bench_put_frame(&bench, BENCH_CLOSE, "\x0f\xa1", 2); /* another code */
    websocket_bench_quiet(&bench);
    assert_journal(&bench, "open/1 ");
    websocket_bench_hang_up(&bench, false);
    wait_closed();
    assert_journal(&bench, "open/1 close:4001::clean/3 ");
}

static void test_we_close_without_code(void **state)
{
    (void)state;
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_close(bench.websocket, 0, NULL, 0), DX_OK);
    expect_close("", 0);
    websocket_bench_put_frame(&bench, BENCH_CLOSE, "", 0);
    websocket_bench_hang_up(&bench, false);
    wait_closed();
    assert_journal(&bench, "open/1 close:1005::clean/3 ");
}

static void test_we_close_peer_drops(void **state)
{
    (void)state;
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_close(bench.websocket, 1000, NULL, 0), DX_OK);
    expect_close("\x03\xe8", 2);
    websocket_bench_hang_up(&bench, false);
    wait_closed();
    assert_journal(&bench, "open/1 error/3 close:1006::unclean/3 ");
    assert_int_equal(bench.step, DX_STEP_LOST);
}

static void test_we_close_peer_is_silent(void **state)
{
    (void)state;
    bench.connection.close_timeout_ms = 50;
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_close(bench.websocket, 1000, NULL, 0), DX_OK);
    wait_closed();
    assert_journal(&bench, "open/1 error/3 close:1006::unclean/3 ");
    assert_int_equal(bench.err, DX_ERR_TIMEOUT);
    assert_int_equal(bench.step, DX_STEP_LOST);
}

static void test_tcp_ends(void **state)
{
    (void)state;
    websocket_bench_open(&bench);
    websocket_bench_hang_up(&bench, false);
    wait_closed();
    assert_journal(&bench, "open/1 error/3 close:1006::unclean/3 ");
    assert_int_equal(bench.step, DX_STEP_LOST);
}

static void test_tcp_is_reset(void **state)
{
    (void)state;
    websocket_bench_open(&bench);
    websocket_bench_hang_up(&bench, true);
    wait_closed();
    assert_journal(&bench, "open/1 error/3 close:1006::unclean/3 ");
    assert_int_equal(bench.err, DX_ERR_RESET);
}

static const struct breach_row {
    const char *id;
    const char *bytes;
    size_t len;
    const char *close; /* what we say */
} breach_rows[] = {
    {"opcode", "\x83\x00", 2, "\x03\xea"},
    {"mask", "\x81\x81zzzz.", 7, "\x03\xea"},
    {"RSV", "\xc1\x00", 2, "\x03\xea"},
    {"UTF-8", "\x81\x01\xff", 3, "\x03\xef"},
    {"length", "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", 10, "\x03\xea"},
    {"too big", "\x82\x7f\x00\x00\x00\x00\x10\x00\x00\x00", 10, "\x03\xf1"},
    {"a Close of one byte", "\x88\x01\x03", 3, "\x03\xea"},
    {"a Close of 1006", "\x88\x02\x03\xee", 4, "\x03\xea"},
};

static void test_breaches(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(breach_rows) / sizeof(breach_rows[0]); i++) {
        const struct breach_row *row = &breach_rows[i];
        uint8_t first = 0, payload[65536];
        size_t len;

        websocket_bench_open(&bench);
        websocket_bench_put(&bench, row->bytes, row->len);
        if (!websocket_bench_take_frame(&bench, &first, payload, &len) || first != BENCH_CLOSE ||
            len < 2 || memcmp(payload, row->close, 2) != 0)
            fail_msg("%s: no such Close", row->id);
        /* The peer's answer makes it no better. */
        websocket_bench_put_frame(&bench, BENCH_CLOSE, row->close, 2);
        websocket_bench_hang_up(&bench, false);
        wait_closed();
        if (strcmp(bench.journal, "open/1 error/3 close:1006::unclean/3 ") != 0 ||
            bench.step != DX_STEP_PROTOCOL)
            fail_msg("%s: %s, step %d", row->id, bench.journal, (int)bench.step);
        dx_websocket_free(bench.websocket);
        bench.websocket = NULL;
        bench.journal[0] = '\0';
        bench.close_count = 0;
    }
}

static void fill(void)
{
    static uint8_t much[1048576];

    for (int i = 0; i < 64; i++)
        if (dx_websocket_send(bench.websocket, DX_OP_BINARY, much, sizeof(much)) != DX_OK)
            return;
}

static void test_full_strict(void **state)
{
    (void)state;
    bench.connection.max_queue = 1048576;
    websocket_bench_open(&bench);
    fill();
    assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_TEXT, "x", 1), DX_OK);
    assert_journal(&bench, "open/1 ");
    wait_closed();
    assert_journal(&bench, "open/1 error/3 close:1006::unclean/3 ");
    assert_int_equal(bench.err, DX_ERR_QUEUE_FULL);
}

static void test_full_default(void **state)
{
    uint64_t amount;

    (void)state;
    bench.options.strict_browser = false;
    bench.connection.max_queue = 1048576;
    websocket_bench_open(&bench);
    fill();
    amount = dx_websocket_buffered_amount(bench.websocket);
    assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_TEXT, "x", 1), DX_ERR_QUEUE_FULL);
    assert_int_equal(dx_websocket_buffered_amount(bench.websocket), amount);
    assert_int_equal(dx_websocket_ready_state(bench.websocket), DX_READY_STATE_OPEN);
    assert_true(websocket_bench_until_journal(&bench, "drain"));
    assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_TEXT, "x", 1), DX_OK);
    assert_journal(&bench, "open/1 drain/1 ");
}

/* ---- order and delivery ---- */

/* Frames that come in one segment with the 101: open comes first all the same. */
static void test_glued(void **state)
{
    (void)state;
    websocket_bench_start(&bench, NULL);
    websocket_bench_accept(&bench, "", "\x81\x02hi\x88\x00", 6);
    assert_true(websocket_bench_until_journal(&bench, "text"));
    expect_close("", 0);
    websocket_bench_hang_up(&bench, false);
    wait_closed();
    assert_journal(&bench, "open/1 text:hi/1 close:1005::clean/3 ");
}

static void close_in_message(struct websocket_bench *self, char what)
{
    if (what == 'm')
        assert_int_equal(dx_websocket_close(self->websocket, 1000, NULL, 0), DX_OK);
}

/* Nothing is delivered after close(), also not what came in one read with what made us close. */
static void test_nothing_after_close(void **state)
{
    (void)state;
    bench.act = close_in_message;
    websocket_bench_open(&bench);
    websocket_bench_put(&bench,
                        "\x81\x01"
                        "a\x81\x01"
                        "b\x88\x02\x03\xe8",
                        10);
    expect_close("\x03\xe8", 2);
    websocket_bench_hang_up(&bench, false);
    wait_closed();
    assert_journal(&bench, "open/1 text:a/1 close:1000::clean/3 ");
}

static void test_heard_while_closing(void **state)
{
    (void)state;
    bench.options.strict_browser = false;
    bench.options.hears_while_closing = true;
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_close(bench.websocket, 1000, NULL, 0), DX_OK);
    websocket_bench_put(&bench,
                        "\x81\x01"
                        "a\x88\x02\x03\xe8",
                        7);
    websocket_bench_hang_up(&bench, false);
    wait_closed();
    assert_journal(&bench, "open/1 text:a/2 close:1000::clean/3 ");
}

static void test_nothing_after_the_peers_close(void **state)
{
    (void)state;
    websocket_bench_open(&bench);
    websocket_bench_put(&bench,
                        "\x88\x02\x03\xe8\x81\x01"
                        "b",
                        7);
    expect_close("\x03\xe8", 2);
    websocket_bench_hang_up(&bench, false);
    wait_closed();
    assert_journal(&bench, "open/1 close:1000::clean/3 ");
}

/* ---- freeing at each moment ---- */

static char freed_at;

static void free_at(struct websocket_bench *self, char what)
{
    if (what != freed_at)
        return;
    dx_websocket_free(self->websocket);
    self->websocket = NULL;
}

static void check_freed(char what, const char *journal)
{
    freed_at = what;
    bench.act = free_at;
    websocket_bench_start(&bench, NULL);
    websocket_bench_accept(&bench, "",
                           "\x81\x01"
                           "a\x81\x01"
                           "b",
                           6);
    assert_true(websocket_bench_until_journal(&bench, what == 'o' ? "open" : "text:a"));
    if (what == 'e' || what == 'c')
        websocket_bench_hang_up(&bench, true);
    for (int i = 0; i < 100 && bench.websocket != NULL; i++)
        websocket_bench_turn(&bench, 20);
    assert_null(bench.websocket);
    websocket_bench_quiet(&bench);
    assert_journal(&bench, journal);
}

static void test_freed_in_open(void **state)
{
    (void)state;
    check_freed('o', "open/1 ");
    expect_close("", 0); /* without a code */
}

static void test_freed_in_message(void **state)
{
    (void)state;
    check_freed('m', "open/1 text:a/1 ");
}

static void test_freed_in_error(void **state)
{
    (void)state;
    check_freed('e', "open/1 text:a/1 text:b/1 error/3 ");
}

static void test_freed_in_close(void **state)
{
    (void)state;
    check_freed('c', "open/1 text:a/1 text:b/1 error/3 close:1006::unclean/3 ");
}

/* The request is about to go out, and then does not. */
static void end_in_request(struct dx_websocket *websocket, const char *head, size_t len, void *user)
{
    (void)user;
    if (freed_at == 'f') {
        dx_websocket_free(websocket);
        bench.websocket = NULL;
    } else if (freed_at == 'a') {
        dx_websocket_abort(websocket);
    } else {
        assert_int_equal(dx_websocket_close(websocket, 0, NULL, 0), DX_OK);
    }
    assert_memory_equal(head + len - 4, "\r\n\r\n", 4);
}

static void check_ended_in_request(char how, const char *journal)
{
    static struct dx_websocket_listener listener;

    listener = dx_websocket_listener_init();
    listener.on_request = end_in_request;
    freed_at = how;
    websocket_bench_start(&bench, NULL);
    assert_int_equal(dx_websocket_add_listener(bench.websocket, &listener, NULL), DX_OK);
    websocket_bench_quiet(&bench);
    assert_journal(&bench, journal);
    assert_false(websocket_bench_find_request(&bench));
}

static void test_ended_in_request(void **state)
{
    (void)state;
    check_ended_in_request('f', "");
    check_ended_in_request('c', "error/3 close:1006::unclean/3 ");
    dx_websocket_free(bench.websocket);
    bench.journal[0] = '\0';
    check_ended_in_request('a', "error/3 close:1006::unclean/3 ");
}

/* Freed at once, in each state, with the loop right behind it: tear_down frees the loop. */
static void test_freed_before_connecting(void **state)
{
    (void)state;
    websocket_bench_start(&bench, NULL);
    dx_websocket_free(bench.websocket);
    bench.websocket = NULL;
}

static void test_freed_while_connecting(void **state)
{
    (void)state;
    websocket_bench_start(&bench, NULL);
    assert_true(websocket_bench_wait_request(&bench));
    dx_websocket_free(bench.websocket);
    bench.websocket = NULL;
}

static void test_freed_while_open(void **state)
{
    char bytes[64];
    size_t len = 0;
    ssize_t got;

    (void)state;
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_TEXT, "last", 4), DX_OK);
    dx_websocket_free(bench.websocket);
    bench.websocket = NULL;
    dx_loop_free(bench.loop);
    /* What was sent, and the Close, are with the peer; then TCP ends in order. */
    while ((got = recv(bench.peer, bytes + len, sizeof(bytes) - len, 0)) != 0) {
        assert_true(got > 0 || errno == EAGAIN);
        len += got > 0 ? (size_t)got : 0;
    }
    assert_int_equal(len, 6 + 4 + 6);
    assert_int_equal((uint8_t)bytes[10], BENCH_CLOSE);
    assert_int_equal(dx_loop_new(&bench.loop), DX_OK);
}

static void test_freed_while_closing(void **state)
{
    (void)state;
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_close(bench.websocket, 0, NULL, 0), DX_OK);
    websocket_bench_quiet(&bench);
    dx_websocket_free(bench.websocket);
    bench.websocket = NULL;
    websocket_bench_quiet(&bench);
    assert_journal(&bench, "open/1 ");
}

static void test_closed_and_freed_while_connecting(void **state)
{
    (void)state;
    websocket_bench_start(&bench, NULL);
    assert_int_equal(dx_websocket_close(bench.websocket, 0, NULL, 0), DX_OK);
    dx_websocket_free(bench.websocket);
    bench.websocket = NULL;
    websocket_bench_quiet(&bench);
    assert_journal(&bench, "");
}

static int set_up(void **state)
{
    (void)state;
    websocket_bench_init(&bench);
    bench.options.strict_browser = true;
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
        ROW(test_name_without_address),
        ROW(test_nobody_listens),
        ROW(test_handshake_failures),
        ROW(test_close_while_connecting),
        ROW(test_abort_while_connecting),
        ROW(test_peer_closes),
        ROW(test_peer_closes_without_code),
        ROW(test_peer_closes_with_a_servers_code),
        ROW(test_we_close),
        ROW(test_we_close_without_code),
        ROW(test_we_close_peer_drops),
        ROW(test_we_close_peer_is_silent),
        ROW(test_tcp_ends),
        ROW(test_tcp_is_reset),
        ROW(test_breaches),
        ROW(test_full_strict),
        ROW(test_full_default),
        ROW(test_glued),
        ROW(test_nothing_after_close),
        ROW(test_heard_while_closing),
        ROW(test_nothing_after_the_peers_close),
        ROW(test_freed_in_open),
        ROW(test_freed_in_message),
        ROW(test_freed_in_error),
        ROW(test_freed_in_close),
        ROW(test_ended_in_request),
        ROW(test_freed_before_connecting),
        ROW(test_freed_while_connecting),
        ROW(test_freed_while_open),
        ROW(test_freed_while_closing),
        ROW(test_closed_and_freed_while_connecting),
    };

    return run_group(tests, NULL, NULL);
}
