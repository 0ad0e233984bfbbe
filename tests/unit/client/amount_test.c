/*
 * amount_test.c - the buffered amount: what it says at each byte that leaves the queue.
 */
#include "client/websocket/amount.h"

#include "support/test.h"

static struct dx_amount amount;

/* Sends in a turn of its own; returns what waits afterwards. */
static uint64_t put(uint64_t waiting, size_t len, size_t header_len)
{
    dx_amount_begin(&amount, waiting);
    assert_true(dx_amount_add(&amount, len, header_len));
    dx_amount_end_turn(&amount);
    return waiting + header_len + len;
}

static uint64_t see(uint64_t waiting)
{
    dx_amount_update(&amount, waiting);
    return dx_amount_len(&amount);
}

static int set_up(void **state)
{
    (void)state;
    amount = (struct dx_amount){.is_held = false};
    dx_amount_begin_queue(&amount);
    return 0;
}

/* A message is all payload once it has begun to leave. */
static void test_one_message(void **state)
{
    uint64_t waiting = put(0, 10000000, 14);

    (void)state;
    assert_int_equal(see(waiting), 10000000);
    for (uint64_t left = 10000000; left > 0; left -= 1000)
        assert_int_equal(see(left), left);
    assert_int_equal(see(0), 0);
}

static void test_equal_messages(void **state)
{
    const uint64_t wire = 106, payload = 100;
    uint64_t waiting = 0;

    (void)state;
    for (int i = 0; i < 1000; i++)
        waiting = put(waiting, payload, wire - payload);
    for (; waiting > 0; waiting--) {
        uint64_t rest = waiting % wire;

        assert_int_equal(see(waiting),
                         waiting / wire * payload + (rest < payload ? rest : payload));
    }
    assert_int_equal(see(0), 0);
}

/* Each look is at most the one before, and none says that all has left while something waits. */
static void falls(uint64_t waiting, uint64_t payload)
{
    uint64_t before = see(waiting);

    assert_int_equal(before, payload);
    while (waiting > 0) {
        uint64_t now = see(--waiting);

        assert_true(now <= before && now <= waiting);
        assert_true(now > 0 || waiting == 0);
        before = now;
    }
}

static void test_different_messages(void **state)
{
    uint64_t waiting = 0, payload = 0;

    (void)state;
    for (size_t i = 0; i < 300; i++) {
        size_t len = 1 + i * i % 1000;

        waiting = put(waiting, len, len < 126 ? 6 : 8);
        payload += len;
    }
    falls(waiting, payload);
}

/* A queue that never gets empty: the counts grow beyond 32 bits, and the share stays right. */
static void test_long_life(void **state)
{
    uint64_t waiting = 0;

    (void)state;
    for (int i = 0; i < 1000000; i++)
        waiting = put(waiting > 1000008 ? 1000008 : waiting, 1000000, 8);
    assert_true(amount.wire_len > UINT32_MAX);
    assert_int_equal(see(1000008), 1000000);
    assert_int_equal(see(500000), 500000);
    assert_int_equal(see(0), 0);
}

static void test_turns(void **state)
{
    (void)state;
    dx_amount_begin(&amount, 0);
    assert_true(dx_amount_add(&amount, 100, 6));
    dx_amount_begin(&amount, 0); /* it has left meanwhile */
    assert_false(dx_amount_add(&amount, 50, 6));
    assert_int_equal(see(0), 150);
    dx_amount_end_turn(&amount);
    assert_int_equal(see(0), 0);
}

static void test_sum(void **state)
{
    uint64_t waiting = put(0, 100, 6);

    (void)state;
    dx_amount_set_kept(&amount, 1000);
    dx_amount_add_dropped(&amount, 10000);
    assert_int_equal(see(waiting), 11100);
    dx_amount_end_queue(&amount, false);
    assert_int_equal(dx_amount_len(&amount), 11100);
    dx_amount_end_queue(&amount, true);
    assert_int_equal(dx_amount_len(&amount), 11000);
    dx_amount_begin_queue(&amount);
    assert_int_equal(dx_amount_len(&amount), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_one_message, set_up),
        cmocka_unit_test_setup(test_equal_messages, set_up),
        cmocka_unit_test_setup(test_different_messages, set_up),
        cmocka_unit_test_setup(test_long_life, set_up),
        cmocka_unit_test_setup(test_turns, set_up),
        cmocka_unit_test_setup(test_sum, set_up),
    };

    return run_group(tests, NULL, NULL);
}
