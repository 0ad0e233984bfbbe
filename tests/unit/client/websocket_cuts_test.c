/*
 * websocket_cuts_test.c - the outbox's guarantees: a conversation of twenty messages is cut at
 * every byte, in both directions, by an end and by a reset, under each guarantee; what the server
 * got before and after is counted.
 */
#include "support/client/websocket_bench.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_COUNT 20
#define EARLY_COUNT 3 /* sent before the connection is open */

static struct websocket_bench bench;
static int next_number; /* to be sent */
static int got[2][MESSAGE_COUNT * 2];
static size_t got_count[2]; /* by the first connection, by the second */
static int proven; /* the last one before a ping that the server has answered wholly; -1: none */
static bool has_end;

static struct sums {
    size_t cuts, lost, twice, most_lost, most_twice;
} sums;

static void send_next(struct websocket_bench *self)
{
    char text[8];
    int len = snprintf(text, sizeof(text), "%02d", next_number++);

    assert_int_equal(dx_websocket_send(self->websocket, DX_OP_TEXT, text, (size_t)len), DX_OK);
}

/* One more for each echo; all that are left, and "end", when it is open for the second time. */
static void act(struct websocket_bench *self, char what)
{
    if (what == 'm' && self->accepted_count == 1 && next_number < MESSAGE_COUNT)
        send_next(self);
    if (what != 'o' || self->accepted_count < 2)
        return;
    while (next_number < MESSAGE_COUNT)
        send_next(self);
    assert_int_equal(dx_websocket_send(self->websocket, DX_OP_TEXT, "end", 3), DX_OK);
}

static void take_message(const char *text)
{
    size_t connection = bench.accepted_count - 1;

    if (strcmp(text, "end") == 0) {
        has_end = true;
        return;
    }
    assert_true(connection < 2 && got_count[connection] < MESSAGE_COUNT * 2);
    got[connection][got_count[connection]++] = atoi(text);
}

static void serve(void)
{
    uint8_t payload[4096];
    uint8_t first;
    size_t len;

    if (bench.peer >= 0 && websocket_bench_find_request(&bench))
        websocket_bench_answer(&bench, "", NULL, 0);
    while (websocket_bench_find_frame(&bench, &first, payload, &len)) {
        if (first == BENCH_TEXT)
            take_message((const char *)payload);
        if (first == BENCH_PING && bench.peer >= 0) {
            websocket_bench_put_frame(&bench, BENCH_PONG, payload, len);
            /* Its last byte may have been the last one before the cut. */
            if (bench.accepted_count == 1 && (bench.peer >= 0 || bench.write_left == 0))
                proven = bench.peer >= 0 && got_count[0] > 0 ? got[0][got_count[0] - 1] : proven;
        } else if (first == BENCH_TEXT && bench.peer >= 0) {
            websocket_bench_put_frame(&bench, BENCH_TEXT, payload, len);
        }
    }
}

static void note_counts(size_t lost, size_t twice)
{
    sums.cuts++;
    sums.lost += lost;
    sums.twice += twice;
    sums.most_lost = lost > sums.most_lost ? lost : sums.most_lost;
    sums.most_twice = twice > sums.most_twice ? twice : sums.most_twice;
}

/* Each connection has its messages in order and without a gap, from the first to the last. */
static void check_order(const char *where)
{
    for (size_t connection = 0; connection < 2; connection++)
        for (size_t i = 1; i < got_count[connection]; i++)
            if (got[connection][i] != got[connection][i - 1] + 1)
                fail_msg("%s: %d behind %d", where, got[connection][i], got[connection][i - 1]);
    if (got_count[0] > 0 && got[0][0] != 0)
        fail_msg("%s: it begins with %d", where, got[0][0]);
    if (got_count[1] > 0 && got[1][got_count[1] - 1] != MESSAGE_COUNT - 1)
        fail_msg("%s: it ends with %d", where, got[1][got_count[1] - 1]);
}

/* `last` is what the first connection got at last, `again` what the second one got first. */
static void check_proven(int last, int again, const char *where)
{
    if (again > last + 1)
        fail_msg("%s: %d is lost", where, last + 1);
    if (!bench.cuts_by_reset && again <= proven)
        fail_msg("%s: %d was proven up to %d", where, again, proven);
}

static void check(enum dx_outbox_guarantee guarantee, const char *where)
{
    int last = got_count[0] > 0 ? got[0][got_count[0] - 1] : -1;
    int again = got_count[1] > 0 ? got[1][0] : MESSAGE_COUNT;

    check_order(where);
    if (guarantee == DX_OUTBOX_UNTIL_PONG)
        check_proven(last, again, where);
    else if (again <= last)
        fail_msg("%s: %d came twice", where, again);
    note_counts(again > last + 1 ? (size_t)(again - last - 1) : 0,
                again <= last ? (size_t)(last - again + 1) : 0);
}

/* False: the conversation was over before the cut. */
static bool converse(enum dx_outbox_guarantee guarantee, bool is_read, bool by_reset, size_t cut)
{
    char where[128];
    size_t turns = 0;
    bool is_cut;

    (void)snprintf(where, sizeof(where), "%s, cut %s %zu, %s",
                   guarantee == DX_OUTBOX_UNSENT ? "unsent" : "until pong",
                   is_read ? "reading" : "writing", cut, by_reset ? "reset" : "end");
    websocket_bench_init(&bench);
    bench.act = act;
    bench.cuts_by_reset = by_reset;
    *(is_read ? &bench.read_left : &bench.write_left) = cut;
    bench.options.reconnect = &bench.reconnect;
    bench.reconnect.first_delay_ms = 1;
    bench.reconnect.max_delay_ms = 1;
    bench.options.outbox = &bench.outbox;
    bench.outbox.guarantee = guarantee;
    next_number = 0;
    got_count[0] = got_count[1] = 0;
    proven = -1;
    has_end = false;
    websocket_bench_start(&bench, NULL);
    for (int i = 0; i < EARLY_COUNT; i++)
        send_next(&bench);
    while (!has_end && turns++ < 3000 && got_count[0] < MESSAGE_COUNT) {
        websocket_bench_turn(&bench, 5);
        serve();
    }
    is_cut = bench.accepted_count == 2;
    if (is_cut && !has_end)
        fail_msg("%s: it hangs: %s", where, bench.journal);
    if (is_cut)
        check(guarantee, where);
    websocket_bench_release(&bench);
    return is_cut;
}

static void cut_everywhere(enum dx_outbox_guarantee guarantee, bool is_read)
{
    size_t at[2];

    memset(&sums, 0, sizeof(sums));
    for (int by_reset = 0; by_reset < 2; by_reset++) {
        at[by_reset] = 1;
        while (converse(guarantee, is_read, by_reset, at[by_reset]))
            at[by_reset]++;
    }
    print_message("%s, %s: %zu cuts; lost %zu messages, at most %zu at once; twice %zu, at most "
                  "%zu; all in order\n",
                  guarantee == DX_OUTBOX_UNSENT ? "unsent" : "until pong",
                  is_read ? "from the client" : "to the client", sums.cuts, sums.lost,
                  sums.most_lost, sums.twice, sums.most_twice);
    assert_true(sums.cuts > 300);
    if (guarantee == DX_OUTBOX_UNSENT)
        assert_int_equal(sums.twice, 0);
    else
        assert_int_equal(sums.lost, 0);
}

static void test_unsent_from_client(void **state)
{
    (void)state;
    cut_everywhere(DX_OUTBOX_UNSENT, true);
}

static void test_unsent_to_client(void **state)
{
    (void)state;
    cut_everywhere(DX_OUTBOX_UNSENT, false);
}

static void test_until_pong_from_client(void **state)
{
    (void)state;
    cut_everywhere(DX_OUTBOX_UNTIL_PONG, true);
}

static void test_until_pong_to_client(void **state)
{
    (void)state;
    cut_everywhere(DX_OUTBOX_UNTIL_PONG, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unsent_from_client),
        cmocka_unit_test(test_unsent_to_client),
        cmocka_unit_test(test_until_pong_from_client),
        cmocka_unit_test(test_until_pong_to_client),
    };

    return run_group(tests, NULL, NULL);
}
