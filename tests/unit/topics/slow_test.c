/*
 * slow_test.c - subscribers that are behind, or in the middle of a message of their own: what
 * waits, in which order it goes on, and what each policy forgets.
 */
#include "support/connection/crowd.h"
#include "support/failing/allocator.h"
#include "support/test.h"
#include "topics/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define QUEUE_LEN 20000
#define MESSAGE_LEN 1000
#define FRAME_LEN (MESSAGE_LEN + 4)

/* Each message begins with its number. */
static void publish(struct crowd *crowd, unsigned number)
{
    char text[MESSAGE_LEN];

    memset(text, '.', sizeof(text));
    (void)snprintf(text, sizeof(text), "%06u", number);
    assert_int_equal(dx_topics_publish(crowd->topics, "a", 1, DX_OP_TEXT, text, sizeof(text), 0),
                     DX_OK);
}

/*
 * Two subscribers; the first one's peer does not read, and no more of its connection's bytes fit
 * into the kernel.
 */
static void open_jam(struct crowd *crowd, enum dx_slow_policy policy, size_t max_pending)
{
    static uint8_t bytes[QUEUE_LEN / 2 + 100];
    struct bench *slow;
    int len = 4096;

    crowd_init(crowd);
    crowd->options.slow_policy = policy;
    crowd->options.max_pending = max_pending;
    crowd->connection_options.max_queue = QUEUE_LEN;
    crowd_open(crowd, 2);
    slow = &crowd->members[0];
    (void)setsockopt(slow->peer, SOL_SOCKET, SO_RCVBUF, &len, sizeof(len));
    crowd_subscribe(crowd, 0, "a");
    crowd_subscribe(crowd, 1, "a");
    while (dx_connection_buffered_amount(slow->connection) <= QUEUE_LEN / 2) {
        assert_int_equal(dx_connection_send(slow->connection, DX_OP_BINARY, bytes, sizeof(bytes)),
                         DX_OK);
        assert_int_equal(dx_loop_dispatch(crowd->loop), DX_OK);
    }
}

/* One turn, and the second member's peer reads; the first one's does not. */
static void turn(struct crowd *crowd)
{
    bench_turn(&crowd->members[1], 0);
}

/*
 * Reads on until nothing comes any more; the numbers of published messages, first to last, and how
 * many.
 */
struct heard {
    unsigned first;
    unsigned last;
    unsigned count;
    bool in_order;
    bool has_close;
    uint16_t code;
    char reason[16];
};

static void hear_text(struct heard *heard, const uint8_t *payload)
{
    unsigned number = (unsigned)strtoul((const char *)payload, NULL, 10);

    heard->in_order = heard->in_order && (heard->count == 0 || number > heard->last);
    if (heard->count++ == 0)
        heard->first = number;
    heard->last = number;
}

static struct heard hear(struct bench *bench)
{
    struct heard heard = {.in_order = true};
    size_t before_len;

    do {
        before_len = bench->wire_len;
        bench_quiet(bench);
    } while (bench->wire_len > before_len);
    for (size_t at = 0; at < bench->wire_len;) {
        const uint8_t *frame = bench->wire + at;
        size_t header_len = frame[1] == 126 ? 4 : 2;
        size_t len = frame[1] == 126 ? (size_t)frame[2] << 8 | frame[3] : frame[1];

        assert_true(frame[1] <= 126);
        if (frame[0] == 0x81 && len == MESSAGE_LEN)
            hear_text(&heard, frame + header_len);
        if (frame[0] == 0x88) {
            heard.has_close = true;
            heard.code = (uint16_t)(frame[2] << 8 | frame[3]);
            memcpy(heard.reason, frame + 4, len - 2);
        }
        at += header_len + len;
        assert_true(at <= bench->wire_len);
    }
    bench_clear_wire(bench);
    return heard;
}

static void assert_heard(struct bench *bench, unsigned first, unsigned last)
{
    struct heard heard = hear(bench);

    assert_true(heard.in_order);
    assert_int_equal(heard.count, last - first + 1);
    assert_int_equal(heard.first, first);
    assert_int_equal(heard.last, last);
}

static void test_waits_and_goes_on(void **state)
{
    struct crowd crowd;

    (void)state;
    open_jam(&crowd, DX_SLOW_DROP_OLDEST, 1048576);
    for (unsigned i = 1; i <= 500; i++) {
        publish(&crowd, i);
        turn(&crowd);
    }
    assert_int_equal(crowd_counts(&crowd).delivered, 500);
    /* The connection has taken none of it: it stays far below what would abort it. */
    assert_true(dx_connection_buffered_amount(crowd.members[0].connection) <= QUEUE_LEN);
    assert_heard(&crowd.members[1], 1, 500);
    assert_heard(&crowd.members[0], 1, 500);
    assert_int_equal(crowd_counts(&crowd).delivered, 1000);
    assert_int_equal(crowd_counts(&crowd).dropped, 0);
    crowd_close(&crowd);
}

/* 20 messages make 20 x 1036 counted bytes; the limit is passed by the last that comes in. */
#define KEPT 20
#define MAX_PENDING ((FRAME_LEN + 32) * (KEPT - 1))

static void test_drops_oldest(void **state)
{
    struct crowd crowd;

    (void)state;
    open_jam(&crowd, DX_SLOW_DROP_OLDEST, MAX_PENDING);
    for (unsigned i = 1; i <= 50; i++)
        publish(&crowd, i);
    turn(&crowd);
    assert_int_equal(crowd_counts(&crowd).dropped, 30);
    assert_heard(&crowd.members[1], 1, 50);
    assert_heard(&crowd.members[0], 31, 50);
    assert_int_equal(crowd_counts(&crowd).delivered, 50 + KEPT);
    publish(&crowd, 51);
    assert_heard(&crowd.members[0], 51, 51);
    assert_int_equal(crowd_counts(&crowd).dropped, 30);
    crowd_close(&crowd);
}

static void test_drops_newest(void **state)
{
    struct crowd crowd;

    (void)state;
    open_jam(&crowd, DX_SLOW_DROP_NEWEST, MAX_PENDING);
    for (unsigned i = 1; i <= 50; i++)
        publish(&crowd, i);
    turn(&crowd);
    assert_int_equal(crowd_counts(&crowd).dropped, 30);
    assert_heard(&crowd.members[1], 1, 50);
    assert_heard(&crowd.members[0], 1, KEPT);
    assert_int_equal(crowd_counts(&crowd).delivered, 50 + KEPT);
    publish(&crowd, 51);
    assert_heard(&crowd.members[0], 51, 51);
    crowd_close(&crowd);
}

static void test_disconnects(void **state)
{
    struct crowd crowd;
    struct heard heard;

    (void)state;
    open_jam(&crowd, DX_SLOW_DISCONNECT, MAX_PENDING);
    for (unsigned i = 1; i <= KEPT; i++)
        publish(&crowd, i);
    turn(&crowd);
    assert_int_equal(crowd_counts(&crowd).disconnected, 0);
    for (unsigned i = KEPT + 1; i <= 50; i++)
        publish(&crowd, i);
    turn(&crowd);
    assert_int_equal(crowd_counts(&crowd).disconnected, 1);
    assert_int_equal(crowd_counts(&crowd).dropped, 0);
    assert_int_equal(crowd_counts(&crowd).delivered, 50);
    heard = hear(&crowd.members[0]);
    /* What its connection had taken, and then the Close; what waited beyond that is forgotten. */
    assert_int_equal(heard.count, 0);
    assert_true(heard.has_close);
    assert_int_equal(heard.code, 1008);
    assert_string_equal(heard.reason, "too slow");
    assert_heard(&crowd.members[1], 1, 50);
    bench_put_frame(&crowd.members[0], 0x88, "\x03\xf0", 2);
    assert_true(bench_until(&crowd.members[0], bench_is_closed));
    assert_int_equal(crowd_counts(&crowd).subscriptions, 1);
    assert_int_equal(crowd_counts(&crowd).disconnected, 1);
    crowd_close(&crowd);
}

/* One message more than fits may wait, of any length; 0 means that one. */
static void test_smallest_pending(void **state)
{
    struct crowd crowd;

    (void)state;
    open_jam(&crowd, DX_SLOW_DROP_OLDEST, 0);
    for (unsigned i = 1; i <= 9; i++)
        publish(&crowd, i);
    turn(&crowd);
    assert_int_equal(crowd_counts(&crowd).dropped, 8);
    assert_heard(&crowd.members[0], 9, 9);
    crowd_close(&crowd);
}

static void test_pending_survives_unsubscribing(void **state)
{
    struct crowd crowd;

    (void)state;
    open_jam(&crowd, DX_SLOW_DROP_OLDEST, 1048576);
    for (unsigned i = 1; i <= 5; i++)
        publish(&crowd, i);
    turn(&crowd);
    publish(&crowd, 6);
    assert_true(dx_topics_unsubscribe(crowd.topics, crowd.members[0].connection, "a", 1));
    publish(&crowd, 7);
    assert_int_equal(dx_topics_subscribe(crowd.topics, crowd.members[0].connection, "a", 1), DX_OK);
    publish(&crowd, 8);
    assert_true(dx_topics_unsubscribe(crowd.topics, crowd.members[0].connection, "a", 1));
    {
        struct heard heard = hear(&crowd.members[0]);

        assert_true(heard.in_order);
        assert_int_equal(heard.count, 7); /* not 7 */
        assert_int_equal(heard.last, 8);
    }
    assert_heard(&crowd.members[1], 1, 8);
    crowd_close(&crowd);
}

/*
 * What the connection sends of its own goes ahead of what waits; its Close, too, and nothing comes
 * behind that.
 */
static void test_own_goes_ahead(void **state)
{
    struct crowd crowd;
    struct bench *slow = &crowd.members[0];
    struct heard heard;

    (void)state;
    open_jam(&crowd, DX_SLOW_DROP_OLDEST, 1048576);
    publish(&crowd, 2);
    turn(&crowd);
    {
        char own[MESSAGE_LEN] = "000001";

        assert_int_equal(dx_connection_send(slow->connection, DX_OP_TEXT, own, sizeof(own)), DX_OK);
    }
    assert_heard(slow, 1, 2);

    crowd_close(&crowd);
    open_jam(&crowd, DX_SLOW_DROP_OLDEST, 0);
    publish(&crowd, 1);
    turn(&crowd);
    assert_int_equal(dx_connection_close(slow->connection, 1000, NULL, 0), DX_OK);
    for (unsigned i = 2; i <= 4; i++)
        publish(&crowd, i);
    turn(&crowd);
    heard = hear(slow);
    assert_true(heard.has_close);
    assert_int_equal(heard.count, 0);
    assert_int_equal(crowd_counts(&crowd).delivered, 4);
    assert_int_equal(crowd_counts(&crowd).dropped, 0); /* it was not too slow: it left */
    crowd_close(&crowd);
}

static void test_aborted_while_it_waits(void **state)
{
    struct crowd crowd;

    (void)state;
    open_jam(&crowd, DX_SLOW_DROP_OLDEST, 1048576);
    for (unsigned i = 1; i <= 5; i++)
        publish(&crowd, i);
    turn(&crowd);
    dx_connection_abort(crowd.members[0].connection, DX_ERR_CLOSED, "enough");
    publish(&crowd, 6);
    turn(&crowd);
    assert_int_equal(crowd_counts(&crowd).subscriptions, 1);
    assert_heard(&crowd.members[1], 1, 6);
    crowd_close(&crowd);
}

/* ---- not slow ---- */

/* Much in one turn is not slowness: it is offered to the kernel before it is judged. */
static void test_burst_is_not_slow(void **state)
{
    struct crowd crowd;

    (void)state;
    crowd_init(&crowd);
    crowd.options.slow_policy = DX_SLOW_DISCONNECT;
    crowd.options.max_pending = 0;
    crowd.connection_options.max_queue = 4000;
    crowd_open(&crowd, 1);
    crowd_subscribe(&crowd, 0, "a");
    for (unsigned i = 1; i <= 60; i++)
        publish(&crowd, i);
    assert_heard(&crowd.members[0], 1, 60);
    assert_int_equal(crowd_counts(&crowd).disconnected, 0);
    assert_int_equal(crowd_counts(&crowd).delivered, 60);
    crowd_close(&crowd);
}

/*
 * An application may send one message of any length while nothing is congested; that it waits is no
 * reason to cut the connection when something is published.
 */
static void test_behind_a_long_message(void **state)
{
    static uint8_t bytes[60000];
    struct crowd crowd;
    struct bench *slow;

    (void)state;
    crowd_init(&crowd);
    crowd.connection_options.max_queue = 2000;
    crowd_open(&crowd, 2);
    slow = &crowd.members[0];
    crowd_subscribe(&crowd, 0, "a");
    crowd_subscribe(&crowd, 1, "a");
    while (dx_connection_buffered_amount(slow->connection) == 0) {
        assert_int_equal(dx_connection_send(slow->connection, DX_OP_BINARY, bytes, 500), DX_OK);
        assert_int_equal(dx_loop_dispatch(crowd.loop), DX_OK);
    }
    assert_false(dx_connection_is_congested(slow->connection));
    assert_int_equal(dx_connection_send(slow->connection, DX_OP_BINARY, bytes, sizeof(bytes)),
                     DX_OK);
    publish(&crowd, 1);
    turn(&crowd);
    assert_true(dx_connection_buffered_amount(slow->connection) >= sizeof(bytes));
    assert_heard(&crowd.members[1], 1, 1);
    assert_heard(slow, 1, 1);

    /* Nor is it when so much is published that it is sent before the turn's end. */
    while (!dx_connection_is_congested(slow->connection)) {
        assert_int_equal(dx_connection_send(slow->connection, DX_OP_BINARY, bytes, sizeof(bytes)),
                         DX_OK);
        assert_int_equal(dx_loop_dispatch(crowd.loop), DX_OK);
    }
    assert_int_equal(dx_topics_subscribe(crowd.topics, slow->connection, "b", 1), DX_OK);
    for (unsigned i = 2; i <= 1026; i++) {
        crowd_publish(&crowd, "b", "");
        publish(&crowd, i);
    }
    turn(&crowd);
    assert_non_null(slow->connection);
    assert_heard(&crowd.members[1], 2, 1026);
    crowd_close(&crowd);
}

static void test_unlimited_queue(void **state)
{
    struct crowd crowd;

    (void)state;
    crowd_init(&crowd);
    crowd.options.max_pending = 0;
    crowd.connection_options.max_queue = 0;
    crowd_open(&crowd, 2);
    crowd_subscribe(&crowd, 0, "a");
    for (unsigned i = 1; i <= 2000; i++) {
        publish(&crowd, i);
        turn(&crowd);
    }
    assert_int_equal(crowd_counts(&crowd).delivered, 2000);
    assert_int_equal(crowd_counts(&crowd).dropped, 0);
    assert_heard(&crowd.members[0], 1, 2000);
    crowd_close(&crowd);
}

static void test_between_fragments(void **state)
{
    struct crowd crowd;
    struct bench *member = &crowd.members[0];

    (void)state;
    crowd_init(&crowd);
    crowd_open(&crowd, 2);
    crowd_subscribe(&crowd, 0, "a");
    crowd_subscribe(&crowd, 1, "a");
    assert_int_equal(dx_connection_send_fragment(member->connection, DX_OP_TEXT, "x", 1, false),
                     DX_OK);
    crowd_publish(&crowd, "a", "1");
    crowd_quiet(&crowd);
    assert_string_equal(crowd_take(&crowd, 1), "1;");
    assert_int_equal(dx_connection_send_fragment(member->connection, DX_OP_TEXT, "y", 1, false),
                     DX_OK);
    crowd_publish(&crowd, "a", "2");
    crowd_quiet(&crowd);
    assert_int_equal(crowd_counts(&crowd).delivered, 2);
    /* This one is handed on when the others may go, and have not gone yet. */
    crowd_publish(&crowd, "a", "3");
    assert_int_equal(dx_connection_send_fragment(member->connection, DX_OP_TEXT, "z", 1, true),
                     DX_OK);
    assert_int_equal(dx_connection_send(member->connection, DX_OP_TEXT, "own", 3), DX_OK);
    crowd_quiet(&crowd);
    assert_int_equal(member->wire_len, 3 * 3 + 5 + 3 * 3);
    assert_memory_equal(
        member->wire, "\x01\x01x\x00\x01y\x80\x01z\x81\x03own\x81\x01\x31\x81\x01\x32\x81\x01\x33",
        23);
    assert_int_equal(crowd_counts(&crowd).delivered, 6);
    crowd_close(&crowd);
}

/* The same with policies: an unfinished message of its own makes it a subscriber that is behind. */
static void test_between_fragments_too_long(void **state)
{
    struct crowd crowd;
    struct bench *member = &crowd.members[0];

    (void)state;
    crowd_init(&crowd);
    crowd.options.max_pending = 0;
    crowd.options.slow_policy = DX_SLOW_DROP_NEWEST;
    crowd_open(&crowd, 1);
    crowd_subscribe(&crowd, 0, "a");
    assert_int_equal(dx_connection_send_fragment(member->connection, DX_OP_TEXT, "x", 1, false),
                     DX_OK);
    for (unsigned i = 1; i <= 3; i++)
        publish(&crowd, i);
    crowd_quiet(&crowd);
    assert_int_equal(crowd_counts(&crowd).dropped, 2);
    assert_int_equal(dx_connection_send_fragment(member->connection, DX_OP_TEXT, "z", 1, true),
                     DX_OK);
    crowd_quiet(&crowd);
    assert_int_equal(crowd_counts(&crowd).delivered, 1);
    crowd_close(&crowd);
}

/* ---- without memory ---- */

static void run_without_memory(enum dx_slow_policy policy, uint64_t dropped, uint64_t disconnected)
{
    struct crowd crowd;

    open_jam(&crowd, policy, 1048576);
    publish(&crowd, 1);
    failing_allocator_start(1);
    assert_int_equal(dx_loop_dispatch(crowd.loop), DX_OK);
    assert_true(failing_allocator_stop());
    assert_int_equal(crowd_counts(&crowd).dropped, dropped);
    assert_int_equal(crowd_counts(&crowd).disconnected, disconnected);
    assert_int_equal(crowd_counts(&crowd).delivered, 1);
    crowd_close(&crowd);
}

/*
 * A message that cannot be kept for a subscriber is lost, and counted: or the subscriber is told by
 * its end.
 */
static void test_no_memory_to_wait(void **state)
{
    (void)state;
    run_without_memory(DX_SLOW_DROP_OLDEST, 1, 0);
    run_without_memory(DX_SLOW_DROP_NEWEST, 1, 0);
    run_without_memory(DX_SLOW_DISCONNECT, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_and_goes_on),
        cmocka_unit_test(test_drops_oldest),
        cmocka_unit_test(test_drops_newest),
        cmocka_unit_test(test_disconnects),
        cmocka_unit_test(test_smallest_pending),
        cmocka_unit_test(test_pending_survives_unsubscribing),
        cmocka_unit_test(test_own_goes_ahead),
        cmocka_unit_test(test_aborted_while_it_waits),
        cmocka_unit_test(test_burst_is_not_slow),
        cmocka_unit_test(test_behind_a_long_message),
        cmocka_unit_test(test_unlimited_queue),
        cmocka_unit_test(test_between_fragments),
        cmocka_unit_test(test_between_fragments_too_long),
        cmocka_unit_test(test_no_memory_to_wait),
    };

    return run_group(tests, NULL, NULL);
}
