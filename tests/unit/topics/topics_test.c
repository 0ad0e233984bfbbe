/*
 * topics_test.c - subscribe, publish, unsubscribe on one loop: who gets what, in which order, in
 * how many writes, and the limits.
 */
#include "support/connection/crowd.h"
#include "support/failing/allocator.h"
#include "support/failing/system.h"
#include "support/test.h"
#include "topics/topics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_subscribed(struct crowd *crowd, size_t member, const char *name)
{
    return dx_topics_is_subscribed(crowd->topics, crowd->members[member].connection, name,
                                   strlen(name));
}

static void test_subscribers_get_it(void **state)
{
    struct crowd crowd;
    struct dx_topics_metrics counts = dx_topics_metrics_init();

    (void)state;
    crowd_init(&crowd);
    crowd_open(&crowd, 4);
    crowd_subscribe(&crowd, 0, "a");
    crowd_subscribe(&crowd, 1, "a");
    crowd_subscribe(&crowd, 1, "a"); /* again is fine, and no second copy */
    crowd_subscribe(&crowd, 1, "b");
    crowd_subscribe(&crowd, 2, "b");
    assert_int_equal(dx_topics_subscriber_count(crowd.topics, "a", 1), 2);
    assert_int_equal(dx_topics_subscriber_count(crowd.topics, "c", 1), 0);
    crowd_publish(&crowd, "a", "1");
    crowd_publish(&crowd, "b", "2");
    crowd_publish(&crowd, "a", "3");
    crowd_publish(&crowd, "c", "nobody");
    crowd_quiet(&crowd);
    crowd_assert_took(&crowd, 0, "1;3;");
    crowd_assert_took(&crowd, 1, "1;2;3;");
    crowd_assert_took(&crowd, 2, "2;");
    crowd_assert_took(&crowd, 3, "");
    counts = crowd_counts(&crowd);
    assert_int_equal(counts.topics, 2);
    assert_int_equal(counts.subscriptions, 4);
    assert_int_equal(counts.published, 4);
    assert_int_equal(counts.delivered, 6);
    assert_int_equal(counts.dropped + counts.disconnected, 0);
    crowd_close(&crowd);
}

static void test_kinds_and_lengths(void **state)
{
    static uint8_t large[70000];
    struct crowd crowd;
    struct bench *member = &crowd.members[0];

    (void)state;
    crowd_init(&crowd);
    crowd_open(&crowd, 1);
    crowd_subscribe(&crowd, 0, "a");
    memset(large, 'x', sizeof(large));
    assert_int_equal(dx_topics_publish(crowd.topics, "a", 1, DX_OP_BINARY, large, sizeof(large), 0),
                     DX_OK);
    assert_int_equal(dx_topics_publish(crowd.topics, "a", 1, DX_OP_TEXT, large, 200, 0), DX_OK);
    assert_int_equal(dx_topics_publish(crowd.topics, "a", 1, DX_OP_TEXT, NULL, 0, 0), DX_OK);
    assert_true(bench_until_wire(member, 10 + 70000 + 4 + 200 + 2));
    assert_memory_equal(member->wire, "\x82\x7f\0\0\0\0\0\x01\x11\x70", 10);
    assert_memory_equal(member->wire + 10, large, sizeof(large));
    assert_memory_equal(member->wire + 70010, "\x81\x7e\0\xc8", 4);
    assert_memory_equal(member->wire + 70214, "\x81\0", 2);
    crowd_close(&crowd);
}

static void test_usage(void **state)
{
    char name[DX_TOPIC_NAME_MAX + 1] = {'n', '\0', 'm'};
    struct dx_topics_options wrong = dx_topics_options_init();
    struct dx_topics *none = NULL;
    struct crowd crowd;

    (void)state;
    wrong.slow_policy = (enum dx_slow_policy)3;
    assert_int_equal(dx_topics_new(&wrong, &none), DX_ERR_USAGE);
    wrong = dx_topics_options_init();
    wrong.size = 0;
    assert_int_equal(dx_topics_new(&wrong, &none), DX_ERR_USAGE);
    wrong.size =
        sizeof(wrong) + 1; /* of a later version: it may mean what this one does not know */
    assert_int_equal(dx_topics_new(&wrong, &none), DX_ERR_USAGE);
    assert_null(none);
    dx_topics_free(NULL);
    assert_int_equal(dx_topics_new(NULL, &none), DX_OK); /* the defaults */
    dx_topics_free(none);

    crowd_init(&crowd);
    crowd.members[1].role = DX_ROLE_CLIENT;
    crowd_open(&crowd, 2);
    assert_int_equal(dx_topics_subscribe(crowd.topics, crowd.members[0].connection, name, 0),
                     DX_ERR_USAGE);
    assert_int_equal(
        dx_topics_subscribe(crowd.topics, crowd.members[0].connection, name, sizeof(name)),
        DX_ERR_USAGE);
    assert_int_equal(dx_topics_subscribe(crowd.topics, crowd.members[1].connection, name, 1),
                     DX_ERR_USAGE);
    assert_int_equal(
        dx_topics_subscribe(crowd.topics, crowd.members[0].connection, name, sizeof(name) - 1),
        DX_OK);
    assert_int_equal(dx_topics_subscribe(crowd.topics, crowd.members[0].connection, name, 3),
                     DX_OK);
    assert_true(dx_topics_is_subscribed(crowd.topics, crowd.members[0].connection, name, 3));
    assert_false(dx_topics_is_subscribed(crowd.topics, crowd.members[0].connection, name, 1));
    assert_false(dx_topics_is_subscribed(crowd.topics, crowd.members[0].connection, name, 0));
    assert_false(dx_topics_is_subscribed(crowd.topics, crowd.members[1].connection, name, 3));
    assert_false(dx_topics_unsubscribe(crowd.topics, crowd.members[0].connection, name, 1));
    assert_false(
        dx_topics_unsubscribe(crowd.topics, crowd.members[0].connection, name, sizeof(name)));
    assert_false(dx_topics_unsubscribe(crowd.topics, crowd.members[1].connection, name, 3));
    assert_int_equal(dx_topics_publish(crowd.topics, name, 0, DX_OP_TEXT, "x", 1, 0), DX_ERR_USAGE);
    assert_int_equal(dx_topics_publish(crowd.topics, name, sizeof(name), DX_OP_TEXT, "x", 1, 0),
                     DX_ERR_USAGE);
    assert_int_equal(dx_topics_publish(crowd.topics, name, 3, DX_OP_PING, "x", 1, 0), DX_ERR_USAGE);
    assert_int_equal(dx_topics_publish(crowd.topics, name, 3, DX_OP_CONTINUATION, "x", 1, 0),
                     DX_ERR_USAGE);
    assert_int_equal(dx_topics_publish(crowd.topics, name, 3, DX_OP_TEXT, name, UINT32_MAX, 0),
                     DX_ERR_TOO_BIG);
    assert_int_equal(dx_topics_subscriber_count(crowd.topics, name, 0), 0);
    assert_int_equal(dx_topics_subscriber_count(crowd.topics, name, sizeof(name)), 0);
    assert_int_equal(crowd_counts(&crowd).published, 0);
    crowd_close(&crowd);
}

static void test_except(void **state)
{
    struct crowd crowd;

    (void)state;
    crowd_init(&crowd);
    crowd_open(&crowd, 3);
    for (size_t i = 0; i < 3; i++)
        crowd_subscribe(&crowd, i, "a");
    assert_int_equal(dx_topics_publish(crowd.topics, "a", 1, DX_OP_TEXT, "not 2", 5, 2), DX_OK);
    assert_int_equal(dx_topics_publish(crowd.topics, "a", 1, DX_OP_TEXT, "all", 3, 99), DX_OK);
    crowd_quiet(&crowd);
    crowd_assert_took(&crowd, 0, "not 2;all;");
    crowd_assert_took(&crowd, 1, "all;");
    crowd_assert_took(&crowd, 2, "not 2;all;");
    assert_int_equal(crowd_counts(&crowd).delivered, 5);
    crowd_close(&crowd);
}

/*
 * A subscriber gets what is published from its coming to its going, however late that is handed on.
 */
static void test_coming_and_going(void **state)
{
    struct crowd crowd;

    (void)state;
    crowd_init(&crowd);
    crowd_open(&crowd, 3);
    crowd_subscribe(&crowd, 0, "a");
    crowd_publish(&crowd, "a", "1");
    crowd_subscribe(&crowd, 1, "a");
    crowd_publish_from_thread(&crowd, "a", "2");
    crowd_subscribe(&crowd, 2, "a");
    crowd_publish(&crowd, "a", "3");
    assert_true(crowd_unsubscribe(&crowd, 0, "a"));
    assert_false(crowd_unsubscribe(&crowd, 0, "a"));
    crowd_publish_from_thread(&crowd, "a", "4");
    assert_true(crowd_unsubscribe(&crowd, 1, "a"));
    assert_true(crowd_unsubscribe(&crowd, 2, "a"));
    crowd_publish(&crowd, "a", "5");
    assert_int_equal(crowd_counts(&crowd).topics, 0);
    crowd_quiet(&crowd);
    crowd_assert_took(&crowd, 0, "1;2;3;");
    crowd_assert_took(&crowd, 1, "2;3;4;");
    crowd_assert_took(&crowd, 2, "3;4;");
    crowd_subscribe(&crowd, 0, "a");
    crowd_publish_from_thread(&crowd, "a", "6");
    crowd_quiet(&crowd);
    crowd_assert_took(&crowd, 0, "6;");
    crowd_close(&crowd);
}

/* The last of a loop goes while a post to it is on its way; the next loop may have its address. */
static void test_loop_that_ends(void **state)
{
    struct crowd crowd;

    (void)state;
    crowd_init(&crowd);
    crowd_open(&crowd, 1);
    for (int round = 0; round < 3; round++) {
        struct bench *member = &crowd.members[0];

        crowd_subscribe(&crowd, 0, "a");
        crowd_publish_from_thread(&crowd, "a", "late");
        crowd_publish(&crowd, "a", "late, too");
        dx_connection_abort(member->connection, DX_ERR_CLOSED, "gone");
        crowd_publish_from_thread(&crowd, "a", "later");
        bench_release(member); /* the loop's end is the dead connection's */
        assert_int_equal(crowd_counts(&crowd).subscriptions, 0);
        assert_int_equal(crowd_counts(&crowd).delivered, round);

        bench_init(member);
        member->id = 1;
        bench_open(member);
        crowd.loop = member->loop;
        crowd_subscribe(&crowd, 0, "b");
        crowd_publish_from_thread(&crowd, "b", "on the new one");
        crowd_quiet(&crowd);
        crowd_assert_took(&crowd, 0, "on the new one;");
    }
    crowd_close(&crowd);
}

static void test_loop_freed_with_posts(void **state)
{
    struct crowd crowd;

    (void)state;
    crowd_init(&crowd);
    crowd_open(&crowd, 2);
    crowd_subscribe(&crowd, 0, "a");
    crowd_publish_from_thread(&crowd, "a", "1");
    dx_connection_abort(crowd.members[0].connection, DX_ERR_CLOSED, "gone");
    dx_connection_abort(crowd.members[1].connection, DX_ERR_CLOSED, "gone");
    /* Its end is flushed by the loop's, which no turn comes before. */
    dx_loop_free(crowd.loop);
    assert_int_equal(crowd_counts(&crowd).subscriptions, 0);
    crowd.loop = NULL;
    crowd_close(&crowd);
}

/* How many subscribers of the loop its list has room for; 0: there is no such topic. */
static uint32_t room_of(struct crowd *crowd, const char *name)
{
    struct dx_topic_names *names = &crowd->topics->names;
    size_t len = strlen(name);
    const struct dx_topic *topic =
        dx_topic_names_find(names, dx_topic_names_hash(names, name, len), name, len);

    return topic ? topic->presences->room : 0;
}

/* Who leaves the middle of a list is replaced by its last one, which can leave, too. */
static void test_leaving_in_any_order(void **state)
{
    struct crowd crowd;

    (void)state;
    crowd_init(&crowd);
    crowd_open(&crowd, CROWD_MAX);
    crowd_subscribe(&crowd, 0, "all the time");
    for (size_t stride = 1; stride < CROWD_MAX; stride += 2) {
        for (size_t i = 0; i < CROWD_MAX; i++)
            crowd_subscribe(&crowd, i, "a");
        for (size_t i = 0; i < CROWD_MAX; i++) {
            assert_true(crowd_unsubscribe(&crowd, i * stride % CROWD_MAX, "a"));
            crowd_publish(&crowd, "a", "x");
            crowd_quiet(&crowd);
            for (size_t k = 0; k < CROWD_MAX; k++)
                crowd_assert_took(&crowd, k * stride % CROWD_MAX, k > i ? "x;" : "");
            assert_true(room_of(&crowd, "a") <= 4 * (CROWD_MAX - 1 - i));
        }
    }
    crowd_close(&crowd);
}

/* ---- in how many writes, and with how many allocations ---- */

static void test_one_write_a_turn(void **state)
{
    struct crowd crowd;

    (void)state;
    crowd_init(&crowd);
    crowd_open(&crowd, 5);
    for (size_t i = 0; i < 5; i++) {
        crowd_subscribe(&crowd, i, "a");
        crowd_subscribe(&crowd, i, "b");
    }
    crowd_quiet(&crowd);
    for (int from_thread = 0; from_thread < 2; from_thread++) {
        void (*publish)(struct crowd * crowd, const char *name, const char *text) =
            from_thread ? crowd_publish_from_thread : crowd_publish;

        failing_system_start(0);
        for (int i = 0; i < 8; i++)
            publish(&crowd, i % 2 ? "a" : "b", "message");
        /* With what the connection sends of its own in that turn. */
        if (!from_thread)
            assert_int_equal(dx_connection_send(crowd.members[0].connection, DX_OP_TEXT, "own", 3),
                             DX_OK);
        assert_int_equal(failing_system_count(CALL_SENDMSG) + failing_system_count(CALL_SEND), 0);
        crowd_quiet(&crowd);
        assert_int_equal(failing_system_count(CALL_SENDMSG) + failing_system_count(CALL_SEND), 5);
        assert_false(failing_system_stop());
        crowd_take(&crowd, 0);
        for (size_t i = 1; i < 5; i++)
            crowd_assert_took(&crowd, i,
                              "message;message;message;message;message;message;message;message;");
    }
    crowd_close(&crowd);
}

/*
 * More than a thousand hand-overs do not wait for the turn's end: from there on each run of
 * messages is a write. Before, a write takes as many as it has slices. */
static void test_much_leaves_at_once(void **state)
{
    enum { GATHERED = 1024 / CROWD_MAX, MORE = 10 };
    struct crowd crowd;

    (void)state;
    crowd_init(&crowd);
    crowd_open(&crowd, CROWD_MAX);
    for (size_t i = 0; i < CROWD_MAX; i++) {
        crowd_subscribe(&crowd, i, "a");
        crowd_subscribe(&crowd, i, "b");
    }
    crowd_quiet(&crowd);
    for (int more = 0; more <= MORE; more += MORE) {
        char expected[(GATHERED + MORE) * 2 + 1] = "";

        failing_system_start(0);
        for (int i = 0; i < GATHERED + more; i++) {
            crowd_publish(&crowd, i % 2 ? "a" : "b", i % 2 ? "a" : "b");
            strcat(expected, i % 2 ? "a;" : "b;");
        }
        crowd_quiet(&crowd);
        assert_int_equal(failing_system_count(CALL_SENDMSG) + failing_system_count(CALL_SEND),
                         CROWD_MAX * (GATHERED / DX_STREAM_SLICES + more));
        assert_false(failing_system_stop());
        for (size_t i = 0; i < CROWD_MAX; i++)
            crowd_assert_took(&crowd, i, expected);
    }
    crowd_close(&crowd);
}

/* Published on the loop's own thread: it leaves in this very turn. */
static void test_leaves_in_this_turn(void **state)
{
    struct crowd crowd;

    (void)state;
    crowd_init(&crowd);
    crowd_open(&crowd, 1);
    crowd_subscribe(&crowd, 0, "a");
    crowd_quiet(&crowd);
    crowd_publish(&crowd, "a", "now");
    assert_int_equal(dx_loop_timeout_ms(crowd.loop), 0);
    bench_turn(&crowd.members[0], 0);
    crowd_assert_took(&crowd, 0, "now;");
    crowd_close(&crowd);
}

static long allocated_by_publishing(struct crowd *crowd, size_t len)
{
    static uint8_t bytes[5000];
    long live;

    failing_allocator_start(0);
    live = failing_allocator_live();
    assert_int_equal(dx_topics_publish(crowd->topics, "a", 1, DX_OP_BINARY, bytes, len, 0), DX_OK);
    live = failing_allocator_live() - live;
    assert_false(failing_allocator_stop());
    return live;
}

/* However many subscribers: one frame, which each refers to. */
static void test_encoded_once(void **state)
{
    struct crowd crowd;
    struct dx_connection_metrics counts = dx_connection_metrics_init();

    (void)state;
    crowd_init(&crowd);
    crowd_open(&crowd, CROWD_MAX);
    for (size_t i = 0; i < CROWD_MAX; i++)
        crowd_subscribe(&crowd, i, "a");
    (void)allocated_by_publishing(&crowd, 10); /* the queue's own array */
    assert_int_equal(allocated_by_publishing(&crowd, 5000), 1);
    crowd_quiet(&crowd);
    for (size_t i = 0; i < CROWD_MAX; i++) {
        assert_int_equal(crowd.members[i].wire_len, 12 + 5004);
        dx_connection_metrics(crowd.members[i].connection, &counts);
        assert_int_equal(counts.messages_out, 2);
        assert_int_equal(counts.bytes_out, 5010);
    }
    /* For nobody: none at all. */
    for (size_t i = 0; i < CROWD_MAX; i++)
        assert_true(crowd_unsubscribe(&crowd, i, "a"));
    failing_allocator_start(1);
    crowd_publish(&crowd, "a", "to nobody");
    assert_false(failing_allocator_stop());
    crowd_close(&crowd);
}

/* ---- many ---- */

static void test_many_topics(void **state)
{
    enum { COUNT = 3000 };
    struct crowd crowd;
    char name[16];

    (void)state;
    crowd_init(&crowd);
    crowd.options.max_subscriptions = COUNT;
    crowd_open(&crowd, 3);
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(name, sizeof(name), "topic %d", i);
        for (size_t member = 0; member < 3; member++)
            if ((size_t)i % 3 != member)
                crowd_subscribe(&crowd, member, name);
    }
    assert_int_equal(crowd_counts(&crowd).topics, COUNT);
    assert_true(crowd.topics->names.bucket_count >= COUNT);
    for (int i = 0; i < COUNT; i += 2) {
        (void)snprintf(name, sizeof(name), "topic %d", i);
        for (size_t member = 0; member < 3; member++) {
            assert_true(is_subscribed(&crowd, member, name) == ((size_t)i % 3 != member));
            assert_true(crowd_unsubscribe(&crowd, member, name) == ((size_t)i % 3 != member));
        }
    }
    assert_int_equal(crowd_counts(&crowd).topics, COUNT / 2);
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(name, sizeof(name), "topic %d", i);
        for (size_t member = 0; member < 3; member++)
            assert_true(is_subscribed(&crowd, member, name) ==
                        (i % 2 == 1 && (size_t)i % 3 != member));
        crowd_publish(&crowd, name, name);
    }
    crowd_quiet(&crowd);
    assert_int_equal(crowd_counts(&crowd).delivered, COUNT);
    crowd_close(&crowd);
}

/* Two sets know nothing of each other. */
static void test_several_sets(void **state)
{
    struct dx_topics_options options = dx_topics_options_init();
    struct dx_topics *other;
    struct crowd crowd;

    (void)state;
    crowd_init(&crowd);
    crowd_open(&crowd, 1);
    assert_int_equal(dx_topics_new(&options, &other), DX_OK);
    crowd_subscribe(&crowd, 0, "a");
    assert_int_equal(dx_topics_subscribe(other, crowd.members[0].connection, "a", 1), DX_OK);
    assert_true(crowd_unsubscribe(&crowd, 0, "a"));
    assert_true(dx_topics_is_subscribed(other, crowd.members[0].connection, "a", 1));
    crowd_publish(&crowd, "a", "this");
    assert_int_equal(dx_topics_publish(other, "a", 1, DX_OP_TEXT, "other", 5, 0), DX_OK);
    crowd_quiet(&crowd);
    crowd_assert_took(&crowd, 0, "other;");
    crowd_close(&crowd);
    dx_topics_free(other);
}

/* Jean-Philippe Aumasson's reference values of SipHash-1-3 for the key 00 01 … 0f. */
static void test_hash(void **state)
{
    struct dx_topic_names names = {.key = {0x0706050403020100, 0x0f0e0d0c0b0a0908}};

    (void)state;
    assert_true(dx_topic_names_hash(&names, "", 0) == 0xabac0158050fc4dc);
}

static void test_no_randomness(void **state)
{
    struct dx_topics_options options = dx_topics_options_init();
    struct dx_topics *topics = NULL;

    (void)state;
    failing_system_start(0);
    failing_system_fail_all(CALL_GETRANDOM, ENOSYS);
    assert_int_equal(dx_topics_new(&options, &topics), DX_ERR_SYSTEM);
    assert_true(failing_system_stop());
    assert_null(topics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subscribers_get_it),
        cmocka_unit_test(test_kinds_and_lengths),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_except),
        cmocka_unit_test(test_coming_and_going),
        cmocka_unit_test(test_loop_that_ends),
        cmocka_unit_test(test_loop_freed_with_posts),
        cmocka_unit_test(test_leaving_in_any_order),
        cmocka_unit_test(test_one_write_a_turn),
        cmocka_unit_test(test_much_leaves_at_once),
        cmocka_unit_test(test_leaves_in_this_turn),
        cmocka_unit_test(test_encoded_once),
        cmocka_unit_test(test_many_topics),
        cmocka_unit_test(test_several_sets),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_no_randomness),
    };

    return run_group(tests, NULL, NULL);
}
