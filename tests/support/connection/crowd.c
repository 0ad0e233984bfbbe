/*
 * crowd.c - see crowd.h.
 */
#include "support/connection/crowd.h"
#include "support/test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void crowd_init(struct crowd *crowd)
{
    memset(crowd, 0, sizeof(*crowd));
    crowd->options = dx_topics_options_init();
    crowd->connection_options = dx_connection_options_init();
    for (size_t i = 0; i < CROWD_MAX; i++)
        bench_init(&crowd->members[i]);
}

enum dx_err crowd_try_open(struct crowd *crowd, size_t count)
{
    enum dx_err err = dx_loop_new(&crowd->loop);

    if (!err)
        err = dx_topics_new(&crowd->options, &crowd->topics);
    for (size_t i = 0; i < count && !err; i++) {
        struct bench *member = &crowd->members[i];

        member->loop = crowd->loop;
        member->id = i + 1;
        member->options = crowd->connection_options;
        crowd->count++;
        err = bench_try_open(member);
    }
    return err;
}

void crowd_open(struct crowd *crowd, size_t count)
{
    assert_int_equal(crowd_try_open(crowd, count), DX_OK);
}

void crowd_close(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++) {
        struct bench *member = &crowd->members[i];

        if (member->connection)
            dx_connection_abort(member->connection, DX_ERR_CLOSED, "the test is over");
    }
    if (crowd->loop)
        assert_int_equal(dx_loop_run(crowd->loop), DX_OK);
    if (crowd->topics) {
        struct dx_topics_metrics counts = crowd_counts(crowd);

        assert_int_equal(counts.topics, 0);
        assert_int_equal(counts.subscriptions, 0);
    }
    dx_topics_free(crowd->topics);
    if (crowd->loop)
        assert_int_equal(dx_loop_pool(crowd->loop)->used_len, 0);
    dx_loop_free(crowd->loop);
    for (size_t i = 0; i < crowd->count; i++) {
        assert_null(crowd->members[i].connection);
        crowd->members[i].loop = NULL;
        bench_release(&crowd->members[i]);
    }
}

void crowd_quiet(struct crowd *crowd)
{
    for (int round = 0; round < 8; round++)
        for (size_t i = 0; i < crowd->count; i++)
            bench_turn(&crowd->members[i], i == 0 ? 1 : 0);
}

void crowd_subscribe(struct crowd *crowd, size_t member, const char *name)
{
    assert_int_equal(
        dx_topics_subscribe(crowd->topics, crowd->members[member].connection, name, strlen(name)),
        DX_OK);
}

bool crowd_unsubscribe(struct crowd *crowd, size_t member, const char *name)
{
    return dx_topics_unsubscribe(crowd->topics, crowd->members[member].connection, name,
                                 strlen(name));
}

void crowd_publish(struct crowd *crowd, const char *name, const char *text)
{
    assert_int_equal(
        dx_topics_publish(crowd->topics, name, strlen(name), DX_OP_TEXT, text, strlen(text), 0),
        DX_OK);
}

struct publication {
    struct crowd *crowd;
    const char *name;
    const char *text;
    enum dx_err err;
};

static void *run_publication(void *data)
{
    struct publication *it = data;

    it->err = dx_topics_publish(it->crowd->topics, it->name, strlen(it->name), DX_OP_TEXT, it->text,
                                strlen(it->text), 0);
    return NULL;
}

void crowd_publish_from_thread(struct crowd *crowd, const char *name, const char *text)
{
    struct publication it = {crowd, name, text, DX_OK};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, run_publication, &it), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(it.err, DX_OK);
}

const char *crowd_take(struct crowd *crowd, size_t member)
{
    static char text[4096];
    struct bench *bench = &crowd->members[member];
    size_t len = 0;
    size_t at = 0;

    while (at + 2 <= bench->wire_len && bench->wire[at] == 0x81 && bench->wire[at + 1] < 126 &&
           len + 128 < sizeof(text)) {
        size_t payload_len = bench->wire[at + 1];

        assert_true(at + 2 + payload_len <= bench->wire_len);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s;", (int)payload_len,
                                (const char *)bench->wire + at + 2);
        at += 2 + payload_len;
    }
    assert_int_equal(at, bench->wire_len);
    text[len] = '\0';
    bench_clear_wire(bench);
    return text;
}

void crowd_assert_took(struct crowd *crowd, size_t member, const char *expected)
{
    assert_string_equal(crowd_take(crowd, member), expected);
}

struct dx_topics_metrics crowd_counts(struct crowd *crowd)
{
    struct dx_topics_metrics counts = dx_topics_metrics_init();

    dx_topics_metrics(crowd->topics, &counts);
    return counts;
}
