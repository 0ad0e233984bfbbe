/*
 * callbacks_test.c - topics from inside a connection's callbacks, on its last way, and at their
 * limits.
 */
#include "support/connection/crowd.h"
#include "support/test.h"

#include <pthread.h>
#include <string.h>

/* ---- from inside callbacks ---- */

static struct crowd *acting;

static struct crowd *acted(struct bench *bench, char what)
{
    return what == 'm' && bench->connection ? acting : NULL;
}

static void publish_and_go(struct bench *bench, char what)
{
    struct crowd *crowd = acted(bench, what);

    if (!crowd)
        return;
    crowd_publish(crowd, "a", "last words");
    assert_true(dx_topics_unsubscribe(crowd->topics, bench->connection, "a", 1));
    assert_int_equal(dx_connection_send(bench->connection, DX_OP_TEXT, "own", 3), DX_OK);
    crowd_publish(crowd, "a", "without me");
}

static void close_and_publish(struct bench *bench, char what)
{
    struct crowd *crowd = acted(bench, what);

    if (!crowd)
        return;
    crowd_publish(crowd, "a", "before");
    assert_int_equal(dx_connection_close(bench->connection, 1000, NULL, 0), DX_OK);
    crowd_publish(crowd, "a", "behind");
    assert_int_equal(dx_topics_subscribe(crowd->topics, bench->connection, "b", 1), DX_ERR_CLOSED);
}

static void abort_and_publish(struct bench *bench, char what)
{
    struct crowd *crowd = acted(bench, what);

    if (!crowd)
        return;
    crowd_publish(crowd, "a", "of an aborted one");
    dx_connection_abort(bench->connection, DX_ERR_CLOSED, "enough");
    crowd_subscribe(crowd, 1, "a");
    assert_true(dx_topics_is_subscribed(crowd->topics, bench->connection, "a", 1));
    assert_int_equal(dx_topics_subscribe(crowd->topics, bench->connection, "b", 1), DX_ERR_CLOSED);
}

/* Until on_close has returned the pointer is good, but the subscriptions have gone. */
static void publish_in_on_close(struct bench *bench, char what)
{
    struct crowd *crowd = acting;

    if (what != 'x' || bench != &crowd->members[0])
        return;
    assert_false(dx_topics_is_subscribed(crowd->topics, bench->connection, "a", 1));
    assert_false(dx_topics_unsubscribe(crowd->topics, bench->connection, "a", 1));
    assert_int_equal(dx_topics_subscribe(crowd->topics, bench->connection, "a", 1), DX_ERR_CLOSED);
    crowd_publish(crowd, "a", "she has gone");
}

static void start_acting(struct crowd *crowd, void (*act)(struct bench *bench, char what))
{
    crowd_init(crowd);
    acting = crowd;
    crowd->members[0].act = act;
    crowd_open(crowd, 3);
    for (size_t i = 0; i < 3; i++)
        crowd_subscribe(crowd, i, "a");
    crowd_quiet(crowd);
}

static void test_unsubscribes_in_a_callback(void **state)
{
    struct crowd crowd;

    (void)state;
    start_acting(&crowd, publish_and_go);
    bench_put_frame(&crowd.members[0], 0x81, "go", 2);
    crowd_quiet(&crowd);
    crowd_assert_took(&crowd, 0, "last words;own;");
    crowd_assert_took(&crowd, 1, "last words;without me;");
    crowd_close(&crowd);
}

static void test_closes_in_a_callback(void **state)
{
    struct crowd crowd;

    (void)state;
    start_acting(&crowd, close_and_publish);
    bench_put_frame(&crowd.members[0], 0x81, "go", 2);
    crowd_quiet(&crowd);
    /* Published messages are handed on at the turn's end: the Close was first. */
    assert_int_equal(crowd.members[0].wire_len, 4);
    assert_memory_equal(crowd.members[0].wire, "\x88\x02\x03\xe8", 4);
    crowd_assert_took(&crowd, 1, "before;behind;");
    assert_int_equal(crowd_counts(&crowd).subscriptions, 3);
    bench_put_frame(&crowd.members[0], 0x88, "\x03\xe8", 2);
    assert_true(bench_until(&crowd.members[0], bench_is_closed));
    assert_int_equal(crowd_counts(&crowd).subscriptions, 2);
    crowd_publish(&crowd, "a", "to the others");
    crowd_quiet(&crowd);
    crowd_assert_took(&crowd, 2, "before;behind;to the others;");
    crowd_close(&crowd);
}

static void test_aborts_in_a_callback(void **state)
{
    struct crowd crowd;

    (void)state;
    start_acting(&crowd, abort_and_publish);
    bench_put_frame(&crowd.members[0], 0x81, "go", 2);
    crowd_quiet(&crowd);
    assert_null(crowd.members[0].connection);
    crowd_assert_took(&crowd, 1, "of an aborted one;");
    crowd_assert_took(&crowd, 2, "of an aborted one;");
    assert_int_equal(crowd_counts(&crowd).delivered, 2);
    assert_int_equal(crowd_counts(&crowd).subscriptions, 2);
    crowd_close(&crowd);
}

static void test_publishes_in_on_close(void **state)
{
    struct crowd crowd;

    (void)state;
    start_acting(&crowd, publish_in_on_close);
    /*
     * Messages wait for all when it ends, and its end is what hands them on where it was the only
     * one.
     */
    crowd_subscribe(&crowd, 0, "hers");
    crowd_publish(&crowd, "hers", "x");
    crowd_publish(&crowd, "a", "y");
    dx_connection_abort(crowd.members[0].connection, DX_ERR_CLOSED, "enough");
    crowd_quiet(&crowd);
    crowd_assert_took(&crowd, 1, "y;she has gone;");
    crowd_assert_took(&crowd, 2, "y;she has gone;");
    assert_int_equal(crowd_counts(&crowd).topics, 1);
    crowd_close(&crowd);
}

/* ---- limits ---- */

static void test_limits(void **state)
{
    struct crowd crowd;

    (void)state;
    crowd_init(&crowd);
    crowd.options.max_topics = 3;
    crowd.options.max_subscriptions = 2;
    crowd_open(&crowd, 3);
    crowd_subscribe(&crowd, 0, "a");
    crowd_subscribe(&crowd, 0, "b");
    assert_int_equal(dx_topics_subscribe(crowd.topics, crowd.members[0].connection, "c", 1),
                     DX_ERR_TOO_MANY);
    crowd_subscribe(&crowd, 0, "b"); /* is subscribed already */
    crowd_subscribe(&crowd, 1, "c");
    assert_int_equal(dx_topics_subscribe(crowd.topics, crowd.members[1].connection, "d", 1),
                     DX_ERR_TOO_MANY);
    crowd_subscribe(&crowd, 1, "a"); /* is a topic already */
    assert_true(crowd_unsubscribe(&crowd, 0, "b"));
    crowd_subscribe(&crowd, 2, "d");
    assert_int_equal(crowd_counts(&crowd).topics, 3);
    assert_int_equal(crowd_counts(&crowd).subscriptions, 4);
    crowd_close(&crowd);
}

static void test_backlog(void **state)
{
    static uint8_t bytes[1000];
    struct crowd crowd;
    int accepted = 0;

    (void)state;
    crowd_init(&crowd);
    crowd.options.max_backlog = 10000;
    crowd_open(&crowd, 1);
    crowd_subscribe(&crowd, 0, "a");
    for (int round = 0; round < 2; round++) {
        for (accepted = 0; accepted < 100; accepted++) {
            enum dx_err err =
                dx_topics_publish(crowd.topics, "a", 1, DX_OP_BINARY, bytes, sizeof(bytes), 0);

            if (err) {
                assert_int_equal(err, DX_ERR_QUEUE_FULL);
                break;
            }
        }
        assert_int_equal(accepted, 10);
        bench_clear_wire(&crowd.members[0]);
        crowd_quiet(&crowd);
        assert_int_equal(crowd.members[0].wire_len, 10 * 1004);
    }
    assert_int_equal(crowd_counts(&crowd).published, 20);
    crowd_close(&crowd);
}

/* Whatever its length, one goes when nothing waits. */
static void test_smallest_backlog(void **state)
{
    struct crowd crowd;

    (void)state;
    crowd_init(&crowd);
    crowd.options.max_backlog = 0;
    crowd_open(&crowd, 1);
    crowd_subscribe(&crowd, 0, "a");
    crowd_publish(&crowd, "a", "1");
    assert_int_equal(dx_topics_publish(crowd.topics, "a", 1, DX_OP_TEXT, "2", 1, 0),
                     DX_ERR_QUEUE_FULL);
    crowd_quiet(&crowd);
    crowd_publish(&crowd, "a", "3");
    crowd_quiet(&crowd);
    crowd_assert_took(&crowd, 0, "1;3;");
    crowd_close(&crowd);
}

static void post_nothing(void *data)
{
    (void)data;
}

static void *publish_refused(void *data)
{
    struct crowd *crowd = data;

    return dx_topics_publish(crowd->topics, "a", 1, DX_OP_TEXT, "x", 1, 0) == DX_ERR_QUEUE_FULL
               ? NULL
               : crowd;
}

static void *publish_much(void *data)
{
    struct crowd *crowd = data;
    enum dx_err err = DX_OK;

    for (int i = 0; i < 70000 && !err; i++)
        err = dx_topics_publish(crowd->topics, "a", 1, DX_OP_TEXT, "x", 1, 0);
    return err ? crowd : NULL;
}

/* One post brings all that waits: more messages than a loop takes posts. */
static void test_one_post(void **state)
{
    struct crowd crowd;
    pthread_t thread;
    void *wrong;

    (void)state;
    crowd_init(&crowd);
    crowd_open(&crowd, 1);
    crowd_subscribe(&crowd, 0, "a");
    assert_int_equal(pthread_create(&thread, NULL, publish_much, &crowd), 0);
    assert_int_equal(pthread_join(thread, &wrong), 0);
    assert_null(wrong);
    assert_true(bench_until_wire(&crowd.members[0], (size_t)70000 * 3));
    assert_int_equal(crowd_counts(&crowd).delivered, 70000);
    crowd_close(&crowd);
}

/* Another thread cannot reach a loop whose posts are full; nothing is queued then. */
static void test_full_loop(void **state)
{
    struct crowd crowd;
    pthread_t thread;
    void *wrong;

    (void)state;
    crowd_init(&crowd);
    crowd_open(&crowd, 1);
    crowd_subscribe(&crowd, 0, "a");
    while (dx_loop_post(crowd.loop, post_nothing, NULL) == DX_OK)
        ;
    assert_int_equal(pthread_create(&thread, NULL, publish_refused, &crowd), 0);
    assert_int_equal(pthread_join(thread, &wrong), 0);
    assert_null(wrong);
    crowd_publish(&crowd, "a", "own thread");
    crowd_quiet(&crowd);
    crowd_assert_took(&crowd, 0, "own thread;");
    crowd_publish_from_thread(&crowd, "a", "again");
    crowd_quiet(&crowd);
    crowd_assert_took(&crowd, 0, "again;");
    assert_int_equal(crowd_counts(&crowd).published, 2);
    crowd_close(&crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unsubscribes_in_a_callback),
        cmocka_unit_test(test_closes_in_a_callback),
        cmocka_unit_test(test_aborts_in_a_callback),
        cmocka_unit_test(test_publishes_in_on_close),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_backlog),
        cmocka_unit_test(test_smallest_backlog),
        cmocka_unit_test(test_one_post),
        cmocka_unit_test(test_full_loop),
    };

    return run_group(tests, NULL, NULL);
}
