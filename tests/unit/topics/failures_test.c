/*
 * failures_test.c - the life of a set of topics with each allocation and each system call of it
 * failing in turn.
 *
 * However it fails: a documented error; who is subscribed gets each message that was accepted, or
 * its loss is counted; each on_close once; nothing left.
 */
#include "support/connection/crowd.h"
#include "support/failing/allocator.h"
#include "support/failing/system.h"
#include "support/test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define MEMBERS 3
#define TOPICS 20

static uint64_t expected; /* deliveries of what was accepted */
static size_t balanced_count;

static void inject(bool is_on)
{
    failing_allocator_pause(!is_on);
    failing_system_pause(!is_on);
}

static void turns(struct crowd *crowd, int count)
{
    for (int i = 0; i < count; i++) {
        inject(true);
        (void)!dx_loop_dispatch(crowd->loop);
        inject(false);
        for (size_t k = 0; k < crowd->count; k++)
            bench_turn(&crowd->members[k], 0);
    }
}

static bool is_documented(enum dx_err err)
{
    return err == DX_OK || err == DX_ERR_NOMEM || err == DX_ERR_SYSTEM || err == DX_ERR_CLOSED ||
           err == DX_ERR_DESCRIPTORS;
}

static void subscribe(struct crowd *crowd, size_t member, const char *name)
{
    struct dx_connection *connection = crowd->members[member].connection;
    bool was, is;
    enum dx_err err;

    if (!connection)
        return;
    was = dx_topics_is_subscribed(crowd->topics, connection, name, strlen(name));
    inject(true);
    err = dx_topics_subscribe(crowd->topics, connection, name, strlen(name));
    inject(false);
    assert_true(is_documented(err));
    is = dx_topics_is_subscribed(crowd->topics, connection, name, strlen(name));
    assert_true(is == (was || err == DX_OK));
}

static void publish(struct crowd *crowd, const char *name, size_t len)
{
    static uint8_t bytes[4000];
    size_t count = dx_topics_subscriber_count(crowd->topics, name, strlen(name));
    enum dx_err err;

    inject(true);
    err = dx_topics_publish(crowd->topics, name, strlen(name), DX_OP_BINARY, bytes, len, 0);
    inject(false);
    assert_true(is_documented(err));
    if (err == DX_OK)
        expected += count;
}

static void *publish_some(void *data)
{
    publish(data, "topic 1", 100);
    publish(data, "topic 2", 4000);
    return NULL;
}

static void publish_from_thread(struct crowd *crowd)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, publish_some, crowd), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void unsubscribe(struct crowd *crowd, size_t member, const char *name)
{
    struct dx_connection *connection = crowd->members[member].connection;
    bool was;

    if (!connection)
        return;
    was = dx_topics_is_subscribed(crowd->topics, connection, name, strlen(name));
    inject(true);
    assert_true(dx_topics_unsubscribe(crowd->topics, connection, name, strlen(name)) == was);
    inject(false);
}

static void send_fragment(struct crowd *crowd, bool is_last)
{
    if (crowd->members[0].connection)
        assert_true(is_documented(dx_connection_send_fragment(crowd->members[0].connection,
                                                              DX_OP_TEXT, "x", 1, is_last)));
}

static void subscribe_all(struct crowd *crowd)
{
    char name[16];

    for (size_t i = 0; i < TOPICS; i++) {
        (void)snprintf(name, sizeof(name), "topic %zu", i);
        for (size_t member = 0; member < MEMBERS; member++)
            if (i < 3 || i % MEMBERS == member)
                subscribe(crowd, member, name);
    }
}

static bool live(struct crowd *crowd)
{
    enum dx_err err;

    inject(true);
    err = crowd_try_open(crowd, MEMBERS);
    inject(false);
    if (err) {
        assert_true(is_documented(err));
        return false;
    }
    subscribe_all(crowd);
    publish(crowd, "topic 1", 10);
    publish_from_thread(crowd);
    turns(crowd, 2);
    send_fragment(crowd, false); /* what is published to the first one waits */
    for (int i = 0; i < 20; i++)
        publish(crowd, "topic 1", (size_t)i * 200);
    publish_from_thread(crowd);
    subscribe_all(crowd);
    turns(crowd, 2);
    publish(crowd, "topic 2", 30);
    for (size_t member = 0; member < MEMBERS; member++)
        unsubscribe(crowd, member, "topic 2");
    send_fragment(crowd, true);
    turns(crowd, 4);
    return true;
}

static void check_balance(struct crowd *crowd)
{
    struct dx_topics_metrics counts = crowd_counts(crowd);

    for (size_t i = 0; i < MEMBERS; i++)
        if (!crowd->members[i].connection || dx_connection_is_closing(crowd->members[i].connection))
            return;
    assert_int_equal(counts.delivered + counts.dropped, expected);
    balanced_count++;
}

/* The last messages are on their way when all connections end. */
static void end(struct crowd *crowd)
{
    publish_from_thread(crowd);
    for (size_t i = 0; i < MEMBERS; i++)
        if (crowd->members[i].connection)
            dx_connection_abort(crowd->members[i].connection, DX_ERR_CLOSED, "over");
    turns(crowd, 1);
}

static bool run(size_t failing_allocation, size_t failing_call)
{
    static struct crowd crowd;
    long live_before = failing_allocator_live();
    bool has_failed;

    crowd_init(&crowd);
    expected = 0;
    failing_allocator_start(failing_allocation);
    failing_system_start(failing_call);
    inject(false);
    if (live(&crowd)) {
        check_balance(&crowd);
        end(&crowd);
    }
    has_failed = failing_allocator_stop();
    has_failed = failing_system_stop() || has_failed;
    crowd_close(&crowd);
    assert_int_equal(failing_allocator_live(), live_before);
    return has_failed;
}

static void test_each_allocation(void **state)
{
    size_t nth = 1;

    (void)state;
    while (run(nth, 0))
        nth++;
    assert_true(nth > 60);
    assert_true(balanced_count > nth / 2);
    print_message("injected %zu failures\n", nth - 1);
}

static void test_each_call(void **state)
{
    size_t sum = 0;

    (void)state;
    balanced_count = 0;
    for (unsigned kind = 0; kind < FAILING_KINDS; kind++) {
        size_t nth = 1;

        failing_system_choose(kind);
        while (run(0, nth))
            nth++;
        sum += nth - 1;
    }
    assert_true(sum > 30);
    print_message("injected %zu failures\n", sum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation),
        cmocka_unit_test(test_each_call),
    };

    return run_group(tests, NULL, NULL);
}
