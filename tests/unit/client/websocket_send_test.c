/*
 * websocket_send_test.c - send, the buffered amount, close and its arguments, listeners: the
 * checklist's rules under strict_browser.
 */
#include "support/client/websocket_bench.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct websocket_bench bench;

static uint64_t amount(void)
{
    return dx_websocket_buffered_amount(bench.websocket);
}

static enum dx_err send_text(const char *text)
{
    return dx_websocket_send(bench.websocket, DX_OP_TEXT, text, strlen(text));
}

static void wait_closed(void)
{
    assert_true(websocket_bench_until(&bench, websocket_bench_is_closed));
    websocket_bench_quiet(&bench);
    assert_int_equal(bench.close_count, 1);
}

static void expect_frame(uint8_t want, const char *payload, size_t payload_len)
{
    static uint8_t got[131072];
    uint8_t first;
    size_t len;

    assert_true(websocket_bench_take_frame(&bench, &first, got, &len));
    assert_int_equal(first, want);
    assert_int_equal(len, payload_len);
    assert_memory_equal(got, payload, len);
}

/* ---- send ---- */

static void test_send(void **state)
{
    char bytes[] = {0, 1, 2, 3};

    (void)state;
    websocket_bench_start(&bench, NULL);
    assert_int_equal(send_text("early"), DX_ERR_STATE);
    assert_int_equal(amount(), 0);
    websocket_bench_accept(&bench, "", NULL, 0);
    assert_true(websocket_bench_until_journal(&bench, "open"));
    assert_int_equal(send_text("\xc3\xbc"), DX_OK);
    assert_int_equal(send_text(""), DX_OK);
    assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_BINARY, bytes, 4), DX_OK);
    bytes[0] = 9; /* captured at the call */
    assert_int_equal(send_text("\xed\xa0\x80"), DX_ERR_UTF8);
    assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_PING, "x", 1), DX_ERR_USAGE);
    assert_int_equal(amount(), 6);
    expect_frame(BENCH_TEXT, "\xc3\xbc", 2);
    expect_frame(BENCH_TEXT, "", 0);
    expect_frame(BENCH_BINARY, "\0\1\2\3", 4);
    assert_int_equal(amount(), 0);
}

static void test_fragments(void **state)
{
    struct dx_websocket *websocket;

    (void)state;
    websocket_bench_start(&bench, NULL);
    websocket = bench.websocket;
    assert_int_equal(dx_websocket_send_fragment(websocket, DX_OP_TEXT, "a", 1, false),
                     DX_ERR_STATE);
    assert_int_equal(dx_websocket_ping(websocket, "", 0), DX_ERR_STATE);
    websocket_bench_accept(&bench, "", NULL, 0);
    assert_true(websocket_bench_until_journal(&bench, "open"));
    assert_int_equal(dx_websocket_send_fragment(websocket, DX_OP_TEXT, "a", 1, false), DX_OK);
    assert_int_equal(send_text("no"), DX_ERR_STATE);
    assert_int_equal(dx_websocket_ping(websocket, "p", 1), DX_OK);
    assert_int_equal(dx_websocket_ping(websocket, bench.journal, 126), DX_ERR_USAGE);
    assert_int_equal(dx_websocket_send_fragment(websocket, DX_OP_TEXT, "bc", 2, true), DX_OK);
    assert_int_equal(amount(), 3);
    assert_int_equal(send_text("yes"), DX_OK);
    expect_frame(0x01, "a", 1);
    expect_frame(BENCH_PING, "p", 1);
    expect_frame(0x80, "bc", 2);
    expect_frame(BENCH_TEXT, "yes", 3);
    websocket_bench_put_frame(&bench, BENCH_PONG, "p", 1);
    assert_true(websocket_bench_until_journal(&bench, "pong:p"));
    assert_int_equal(dx_websocket_close(websocket, 0, NULL, 0), DX_OK);
    assert_int_equal(dx_websocket_send_fragment(websocket, DX_OP_TEXT, "a", 1, true), DX_ERR_STATE);
    assert_int_equal(dx_websocket_ping(websocket, "", 0), DX_ERR_STATE);
}

/* ---- bufferedAmount ---- */

static char seen[256];

static void send_in_callbacks(struct websocket_bench *self, char what)
{
    size_t len = strlen(seen);

    if (what == 'o')
        assert_int_equal(dx_websocket_send(self->websocket, DX_OP_TEXT, "abc", 3), DX_OK);
    if (what == 'm')
        assert_int_equal(dx_websocket_send(self->websocket, DX_OP_TEXT, "de", 2), DX_OK);
    (void)snprintf(seen + len, sizeof(seen) - len, "%c%d ", what,
                   (int)dx_websocket_buffered_amount(self->websocket));
}

/* It grows in send and falls between callbacks, even though the system took everything at once. */
static void test_amount_in_callbacks(void **state)
{
    (void)state;
    seen[0] = '\0';
    bench.act = send_in_callbacks;
    websocket_bench_open(&bench);
    expect_frame(BENCH_TEXT, "abc", 3);
    websocket_bench_put_frame(&bench, BENCH_TEXT, "x", 1);
    expect_frame(BENCH_TEXT, "de", 2);
    assert_int_equal(amount(), 0);
    assert_string_equal(seen, "o3 m2 ");
}

static void test_amount_of_much(void **state)
{
    static uint8_t much[10000000];
    static uint8_t got[10000001];
    uint8_t first;
    size_t len;

    (void)state;
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_BINARY, much, sizeof(much)), DX_OK);
    assert_int_equal(amount(), sizeof(much));
    assert_int_equal(send_text("more"), DX_OK);
    assert_int_equal(amount(), sizeof(much) + 4);
    assert_true(websocket_bench_take_frame(&bench, &first, got, &len));
    assert_int_equal(len, sizeof(much));
    expect_frame(BENCH_TEXT, "more", 4);
    assert_int_equal(amount(), 0);
}

/* While CLOSING and CLOSED what is sent is dropped and counted; it never falls again. */
static void test_amount_after_close(void **state)
{
    (void)state;
    websocket_bench_open(&bench);
    assert_int_equal(send_text("abc"), DX_OK);
    assert_int_equal(dx_websocket_close(bench.websocket, 1000, NULL, 0), DX_OK);
    assert_int_equal(amount(), 3);
    assert_int_equal(send_text("defg"), DX_OK);
    assert_int_equal(amount(), 7);
    expect_frame(BENCH_TEXT, "abc", 3);
    expect_frame(BENCH_CLOSE, "\x03\xe8", 2);
    assert_int_equal(amount(), 4);
    websocket_bench_put_frame(&bench, BENCH_CLOSE, "\x03\xe8", 2);
    websocket_bench_hang_up(&bench, false);
    wait_closed();
    assert_int_equal(amount(), 4);
    assert_int_equal(send_text("hi"), DX_OK);
    assert_int_equal(amount(), 6);
    websocket_bench_quiet(&bench);
    assert_int_equal(amount(), 6);
    assert_int_equal(bench.in_len, 0);
}

/* What was not given to the network when the connection was lost stays. */
static void test_amount_after_loss(void **state)
{
    static uint8_t much[8000000];
    uint64_t before;

    (void)state;
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_BINARY, much, sizeof(much)), DX_OK);
    assert_int_equal(amount(), sizeof(much));
    assert_int_equal(dx_loop_dispatch(bench.loop), DX_OK);
    before = amount();
    assert_true(before > 0 && before < sizeof(much));
    dx_websocket_abort(bench.websocket);
    assert_int_equal(dx_loop_dispatch(bench.loop), DX_OK);
    assert_int_equal(bench.close_count, 1);
    assert_true(amount() > 0 && amount() <= before);
    before = amount();
    websocket_bench_quiet(&bench);
    assert_int_equal(amount(), before);
}

/* ---- close ---- */

static const struct close_row {
    const char *id;
    uint16_t code;
    size_t reason_len;
    const char *reason;
    enum dx_err want;
} close_rows[] = {
    {"500", 500, 0, NULL, DX_ERR_USAGE},
    {"999", 999, 0, NULL, DX_ERR_USAGE},
    {"1001", 1001, 0, NULL, DX_ERR_USAGE},
    {"1005", 1005, 0, NULL, DX_ERR_USAGE},
    {"1006", 1006, 0, NULL, DX_ERR_USAGE},
    {"1011", 1011, 0, NULL, DX_ERR_USAGE},
    {"1015", 1015, 0, NULL, DX_ERR_USAGE},
    {"2999", 2999, 0, NULL, DX_ERR_USAGE},
    {"5000", 5000, 0, NULL, DX_ERR_USAGE},
    {"65535", 65535, 0, NULL, DX_ERR_USAGE},
    {"124 bytes", 1000, 124, NULL, DX_ERR_TOO_BIG},
    {"not UTF-8", 1000, 1, "\xff", DX_ERR_UTF8},
    {"half a surrogate", 1000, 3, "\xed\xa0\x80", DX_ERR_UTF8},
    {"the code comes before the reason", 500, 124, NULL, DX_ERR_USAGE},
    {"the reason's length comes before its form", 1000, 124, "\xff", DX_ERR_TOO_BIG},
};

static void check_close_rows(const char *where)
{
    char reason[125];

    for (size_t i = 0; i < sizeof(close_rows) / sizeof(close_rows[0]); i++) {
        const struct close_row *row = &close_rows[i];
        enum dx_err err;

        memset(reason, 'r', sizeof(reason));
        if (row->reason != NULL)
            memcpy(reason, row->reason, strlen(row->reason));
        err = dx_websocket_close(bench.websocket, row->code, reason, row->reason_len);
        if (err != row->want)
            fail_msg("%s, %s: %s", row->id, where, dx_err_name(err));
    }
}

/* The arguments are judged in every state, before the state. */
static void test_close_arguments(void **state)
{
    (void)state;
    websocket_bench_start(&bench, NULL);
    check_close_rows("CONNECTING");
    assert_int_equal(dx_websocket_ready_state(bench.websocket), DX_READY_STATE_CONNECTING);
    websocket_bench_accept(&bench, "", NULL, 0);
    assert_true(websocket_bench_until_journal(&bench, "open"));
    check_close_rows("OPEN");
    assert_int_equal(dx_websocket_ready_state(bench.websocket), DX_READY_STATE_OPEN);
    assert_int_equal(dx_websocket_close(bench.websocket, 0, NULL, 0), DX_OK);
    check_close_rows("CLOSING");
    websocket_bench_put_frame(&bench, BENCH_CLOSE, "", 0);
    websocket_bench_hang_up(&bench, false);
    wait_closed();
    check_close_rows("CLOSED");
    assert_int_equal(dx_websocket_close(bench.websocket, 1000, NULL, 0), DX_OK);
    websocket_bench_quiet(&bench);
    assert_journal(&bench, "open/1 close:1005::clean/3 ");
    print_message("%zu rows in each of 4 states\n", sizeof(close_rows) / sizeof(close_rows[0]));
}

static void check_close_frame(uint16_t code, const char *reason, const char *body, size_t len)
{
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_close(bench.websocket, code, reason, strlen(reason)), DX_OK);
    /* A second one does nothing. */
    assert_int_equal(dx_websocket_close(bench.websocket, 4999, "late", 4), DX_OK);
    expect_frame(BENCH_CLOSE, body, len);
    websocket_bench_quiet(&bench);
    assert_int_equal(bench.in_len, 0);
    dx_websocket_free(bench.websocket);
    bench.websocket = NULL;
    websocket_bench_hang_up(&bench, false);
    websocket_bench_quiet(&bench);
    bench.journal[0] = '\0';
}

static void test_close_frames(void **state)
{
    char longest[126] = "\x13\x87";

    (void)state;
    memset(longest + 2, 'r', 123);
    check_close_frame(0, "", "", 0);
    check_close_frame(1000, "", "\x03\xe8", 2);
    check_close_frame(3000, "", "\x0b\xb8", 2);
    check_close_frame(4999, longest + 2, longest, 125);
    check_close_frame(1000, "\xc3\xbc", "\x03\xe8\xc3\xbc", 4);
    check_close_frame(0, "why", "\x03\xe8why", 5);
}

/* Close goes behind all messages that are queued. */
static void test_close_behind_messages(void **state)
{
    static uint8_t much[3000000];
    static uint8_t got[3000001];
    uint8_t first;
    size_t len;

    (void)state;
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_send(bench.websocket, DX_OP_BINARY, much, sizeof(much)), DX_OK);
    assert_int_equal(send_text("last"), DX_OK);
    assert_int_equal(dx_websocket_close(bench.websocket, 1000, NULL, 0), DX_OK);
    assert_int_equal(dx_websocket_ready_state(bench.websocket), DX_READY_STATE_CLOSING);
    assert_true(websocket_bench_take_frame(&bench, &first, got, &len));
    assert_int_equal(len, sizeof(much));
    expect_frame(BENCH_TEXT, "last", 4);
    expect_frame(BENCH_CLOSE, "\x03\xe8", 2);
}

/* ---- listeners ---- */

static struct dx_websocket_listener one, two, three;
static char told[128];
static char name_a[] = "a", name_1[] = "1", name_2[] = "2", name_3[] = "3", name_4[] = "4";

static void tell(const char *who)
{
    assert_true(strlen(told) + strlen(who) < sizeof(told));
    strcat(told, who);
}

static void on_one(struct dx_websocket *websocket, struct dx_message *message, void *user)
{
    (void)message;
    tell(user);
    dx_websocket_remove_listener(websocket, &two, name_2);
    assert_int_equal(dx_websocket_add_listener(websocket, &three, name_3), DX_OK);
}

static void on_two(struct dx_websocket *websocket, struct dx_message *message, void *user)
{
    (void)websocket;
    (void)message;
    tell(user);
}

static void on_closing(struct dx_websocket *websocket, struct dx_message *message, void *user)
{
    (void)message;
    tell(user);
    assert_int_equal(dx_websocket_close(websocket, 0, NULL, 0), DX_OK);
}

static void receive(void)
{
    size_t before = strlen(bench.journal);

    websocket_bench_put_frame(&bench, BENCH_TEXT, "x", 1);
    while (strlen(bench.journal) == before)
        websocket_bench_turn(&bench, 20);
}

static void test_listeners(void **state)
{
    (void)state;
    told[0] = '\0';
    one = two = three = dx_websocket_listener_init();
    one.on_message = on_one;
    two.on_message = on_two;
    three.on_message = on_two;
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_add_listener(bench.websocket, &two, name_a), DX_OK);
    assert_int_equal(dx_websocket_add_listener(bench.websocket, &one, name_1), DX_OK);
    assert_int_equal(dx_websocket_add_listener(bench.websocket, &two, name_2), DX_OK);
    assert_int_equal(dx_websocket_add_listener(bench.websocket, &two, name_2),
                     DX_OK); /* is there */
    assert_int_equal(dx_websocket_add_listener(bench.websocket, &two, name_4), DX_OK);
    /* In their order; removed in between: not told; added in between: not this one. */
    receive();
    assert_string_equal(told, "a14");
    told[0] = '\0';
    receive();
    assert_string_equal(told, "a143");
    dx_websocket_remove_listener(bench.websocket, &two, told);
    dx_websocket_remove_listener(bench.websocket, &one, name_1);
    dx_websocket_remove_listener(bench.websocket, &two, name_a);
    told[0] = '\0';
    receive();
    assert_string_equal(told, "43");
}

/* The event goes on behind a listener that closes; the next one does not come. */
static void test_listener_closes(void **state)
{
    (void)state;
    told[0] = '\0';
    one = two = dx_websocket_listener_init();
    one.on_message = on_closing;
    two.on_message = on_two;
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_add_listener(bench.websocket, &one, name_1), DX_OK);
    assert_int_equal(dx_websocket_add_listener(bench.websocket, &two, name_2), DX_OK);
    websocket_bench_put(&bench, "\x81\x01x\x81\x01y", 6);
    assert_true(websocket_bench_until_journal(&bench, "text:x"));
    websocket_bench_quiet(&bench);
    assert_string_equal(told, "12");
    assert_journal(&bench, "open/1 text:x/1 ");
}

static void test_too_many_listeners(void **state)
{
    static int users[100];

    (void)state;
    one = dx_websocket_listener_init();
    websocket_bench_start(&bench, NULL);
    for (int i = 0; i < 99; i++)
        assert_int_equal(dx_websocket_add_listener(bench.websocket, &one, &users[i]), DX_OK);
    assert_int_equal(dx_websocket_add_listener(bench.websocket, &one, &users[99]), DX_ERR_TOO_MANY);
    dx_websocket_remove_listener(bench.websocket, &one, &users[3]);
    assert_int_equal(dx_websocket_add_listener(bench.websocket, &one, &users[99]), DX_OK);
}

/* ---- messages that are kept ---- */

static struct dx_message *kept[2];

static void on_keep(struct dx_websocket *websocket, struct dx_message *message, void *user)
{
    (void)websocket;
    (void)user;
    kept[0] = dx_message_keep(message);
    kept[1] = dx_message_keep(message);
}

static void test_kept_message(void **state)
{
    size_t len;

    (void)state;
    one = dx_websocket_listener_init();
    one.on_message = on_keep;
    websocket_bench_open(&bench);
    assert_int_equal(dx_websocket_add_listener(bench.websocket, &one, NULL), DX_OK);
    receive();
    assert_ptr_equal(kept[0], kept[1]); /* copied once */
    dx_message_drop(kept[1]);
    dx_websocket_remove_listener(bench.websocket, &one, NULL);
    receive();
    assert_memory_equal(dx_message_data(kept[0], &len), "x", 1);
    assert_int_equal(len, 1);
    assert_int_equal(dx_message_opcode(kept[0]), DX_OP_TEXT);
    dx_message_drop(kept[0]);
    dx_message_drop(NULL);
}

/* ---- pause ---- */

/* Also before it is open. */
static void test_pause(void **state)
{
    (void)state;
    websocket_bench_start(&bench, NULL);
    dx_websocket_pause(bench.websocket);
    websocket_bench_accept(&bench, "", "\x81\x01x", 3);
    assert_true(websocket_bench_until_journal(&bench, "open"));
    websocket_bench_quiet(&bench);
    assert_journal(&bench, "open/1 ");
    dx_websocket_resume(bench.websocket);
    assert_true(websocket_bench_until_journal(&bench, "text:x"));
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
        ROW(test_send),
        ROW(test_fragments),
        ROW(test_amount_in_callbacks),
        ROW(test_amount_of_much),
        ROW(test_amount_after_close),
        ROW(test_amount_after_loss),
        ROW(test_close_arguments),
        ROW(test_close_frames),
        ROW(test_close_behind_messages),
        ROW(test_listeners),
        ROW(test_listener_closes),
        ROW(test_too_many_listeners),
        ROW(test_kept_message),
        ROW(test_pause),
    };

    return run_group(tests, NULL, NULL);
}
