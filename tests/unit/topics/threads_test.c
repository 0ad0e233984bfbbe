/*
 * threads_test.c - four loops, four publishing threads: the order is the same for every subscriber,
 * on whichever loop it is, and who comes and goes meanwhile gets a stretch of it without a gap. For
 * the thread sanitizer as much as for what it asserts.
 */
#include <duplex/topics.h>

#include "connection/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/test.h"

#define LOOPS 4
#define PUBLISHERS 4
#define MEMBERS 3 /* of each loop: two stay, one comes and goes */
#define TOPICS 2
#define MESSAGES 1500 /* of each publisher to each topic */
#define PAYLOAD_LEN 8 /* topic, publisher, 4 digits of the number, two to fill */
#define FRAME_LEN (2 + PAYLOAD_LEN)
#define OTHERS 900 /* topics of which nothing is heard */
#define WIRE_LEN ((size_t)TOPICS * PUBLISHERS * MESSAGES * FRAME_LEN)

struct member {
    struct side *side;
    struct dx_connection *connection;
    int peer;
    uint8_t *wire;
    size_t wire_len;
    int close_count;
};

/* A loop with its thread and its connections. */
struct side {
    struct dx_loop *loop;
    pthread_t thread;
    struct member members[MEMBERS];
    struct dx_loop_timer *timer;
    bool is_in;
    unsigned stretches;
    unsigned other_count;
};

static const char *const names[TOPICS] = {"first", "second"};
static struct dx_topics *topics;
static struct side sides[LOOPS];
static struct dx_connection_kind kind;
static atomic_uint ready;
static atomic_uint publishing;
static atomic_ullong refused;

static void on_close(struct dx_connection *connection, const struct dx_close_info *info, void *user)
{
    struct member *member = user;

    (void)connection;
    (void)info;
    member->close_count++;
    member->connection = NULL;
}

static const struct dx_connection_handlers handlers = {.size = sizeof(handlers),
                                                       .on_close = on_close};

static void open_member(struct side *side, struct member *member)
{
    struct dx_connection_start start = {.kind = &kind, .handlers = &handlers, .user = member};
    struct dx_stream stream;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    member->side = side;
    member->peer = fds[1];
    member->wire = malloc(WIRE_LEN);
    assert_non_null(member->wire);
    assert_int_equal(dx_stream_init(&stream, side->loop, fds[0], NULL), DX_OK);
    assert_int_equal(dx_connection_new(side->loop, &stream, &start, &member->connection), DX_OK);
}

static void read_peer(struct member *member)
{
    for (;;) {
        uint8_t rest[1];
        size_t room = WIRE_LEN - member->wire_len;
        ssize_t got = read(member->peer, room ? member->wire + member->wire_len : rest,
                           room ? room : sizeof(rest));

        if (got <= 0)
            return;
        if (room == 0)
            abort(); /* more than was published */
        member->wire_len += (size_t)got;
    }
}

/* The third member's: a stretch in, a stretch out. */
static void on_due(void *user)
{
    struct side *side = user;
    struct member *member = &side->members[MEMBERS - 1];

    for (int i = 0; i < TOPICS; i++) {
        if (side->is_in) {
            if (!dx_topics_unsubscribe(topics, member->connection, names[i], strlen(names[i])))
                abort();
        } else if (dx_topics_subscribe(topics, member->connection, names[i], strlen(names[i]))) {
            abort();
        }
    }
    /* More and more topics, while others look for theirs. */
    for (int i = 0; i < 40 && side->other_count < OTHERS; i++) {
        char name[32];
        int len = snprintf(name, sizeof(name), "%p %u", (void *)side, side->other_count++);

        if (dx_topics_subscribe(topics, member->connection, name, (size_t)len))
            abort();
    }
    side->stretches += side->is_in;
    side->is_in = !side->is_in;
    dx_loop_timer_set(side->timer, 1);
}

static bool has_all(const struct side *side)
{
    for (int i = 0; i < MEMBERS - 1; i++)
        if (side->members[i].wire_len < WIRE_LEN)
            return false;
    return atomic_load(&publishing) == 0;
}

static void turn(struct side *side)
{
    struct pollfd fd = {.fd = dx_loop_fd(side->loop), .events = POLLIN};
    int timeout_ms = dx_loop_timeout_ms(side->loop);

    (void)poll(&fd, 1, timeout_ms < 0 || timeout_ms > 10 ? 10 : timeout_ms);
    if (dx_loop_dispatch(side->loop))
        abort();
    for (int i = 0; i < MEMBERS; i++)
        read_peer(&side->members[i]);
}

static void *run_side(void *data)
{
    struct side *side = data;

    for (int i = 0; i < MEMBERS - 1; i++)
        for (int k = 0; k < TOPICS; k++)
            if (dx_topics_subscribe(topics, side->members[i].connection, names[k],
                                    strlen(names[k])))
                abort();
    atomic_fetch_add(&ready, 1);
    dx_loop_timer_set(side->timer, 1);
    while (!has_all(side))
        turn(side);
    for (int i = 0; i < 4; i++)
        turn(side);
    dx_loop_timer_free(side->timer);
    for (int i = 0; i < MEMBERS; i++)
        dx_connection_abort(side->members[i].connection, DX_ERR_CLOSED, "over");
    if (dx_loop_run(side->loop))
        abort();
    return NULL;
}

static void *run_publisher(void *data)
{
    size_t number = (size_t)(uintptr_t)data;
    char text[32];

    while (atomic_load(&ready) < LOOPS)
        sched_yield();
    for (int i = 0; i < MESSAGES; i++) {
        for (int k = 0; k < TOPICS; k++) {
            (void)snprintf(text, sizeof(text), "%d%zu%04d..", k, number, i);
            for (;;) {
                enum dx_err err = dx_topics_publish(topics, names[k], strlen(names[k]), DX_OP_TEXT,
                                                    text, PAYLOAD_LEN, 0);

                if (!err)
                    break;
                if (err != DX_ERR_QUEUE_FULL)
                    abort();
                atomic_fetch_add(&refused, 1);
                sched_yield();
            }
        }
    }
    atomic_fetch_sub(&publishing, 1);
    return NULL;
}

/* Each publisher's messages in its order, none doubled, none lost. */
static void check_order(const uint8_t *wire)
{
    int next[TOPICS][PUBLISHERS] = {{0}};

    for (size_t at = 0; at < WIRE_LEN; at += FRAME_LEN) {
        const char *text = (const char *)wire + at + 2;
        char digits[5] = {text[2], text[3], text[4], text[5], 0};

        assert_int_equal(wire[at], 0x81);
        assert_int_equal(wire[at + 1], PAYLOAD_LEN);
        assert_int_equal(atoi(digits), next[text[0] - '0'][text[1] - '0']++);
    }
}

static bool is_of(const uint8_t *frame, int topic)
{
    return frame[2] == '0' + topic;
}

/* The next message of the topic that another got. */
static size_t next_of(const uint8_t *all, size_t at, int topic)
{
    while (at < WIRE_LEN && !is_of(all + at, topic))
        at += FRAME_LEN;
    assert_true(at < WIRE_LEN);
    return at;
}

/*
 * A part of what the others got: between two of a topic's messages nothing is missing unless it was
 * out meanwhile.
 */
static void check_stretches(const struct side *side, const uint8_t *all, int topic)
{
    const struct member *member = &side->members[MEMBERS - 1];
    size_t gaps = 0;
    size_t from = 0;

    assert_int_equal(member->wire_len % FRAME_LEN, 0);
    for (size_t at = 0; at < member->wire_len; at += FRAME_LEN) {
        if (!is_of(member->wire + at, topic))
            continue;
        from = next_of(all, from, topic);
        gaps += memcmp(member->wire + at, all + from, FRAME_LEN) != 0;
        while (memcmp(member->wire + at, all + from, FRAME_LEN) != 0)
            from = next_of(all, from + FRAME_LEN, topic);
        from += FRAME_LEN;
    }
    assert_true(gaps <= side->stretches + 1);
}

static void set_up(struct side *side)
{
    *side = (struct side){.loop = NULL};
    assert_int_equal(dx_loop_new(&side->loop), DX_OK);
    assert_int_equal(dx_loop_timer_new(side->loop, on_due, side, &side->timer), DX_OK);
    for (int i = 0; i < MEMBERS; i++)
        open_member(side, &side->members[i]);
}

static void tear_down(struct side *side)
{
    dx_loop_free(side->loop);
    for (int i = 0; i < MEMBERS; i++) {
        assert_int_equal(side->members[i].close_count, 1);
        assert_int_equal(close(side->members[i].peer), 0);
        free(side->members[i].wire);
    }
}

static void run(size_t max_backlog)
{
    struct dx_topics_options options = dx_topics_options_init();
    struct dx_connection_options connection_options = dx_connection_options_init();
    struct dx_topics_metrics counts = dx_topics_metrics_init();
    pthread_t publishers[PUBLISHERS];

    options.max_backlog = max_backlog;
    options.max_pending = SIZE_MAX;
    dx_connection_kind_init(&kind, DX_ROLE_SERVER, &connection_options);
    assert_int_equal(dx_topics_new(&options, &topics), DX_OK);
    atomic_store(&ready, 0);
    atomic_store(&publishing, PUBLISHERS);
    atomic_store(&refused, 0);
    for (int i = 0; i < LOOPS; i++)
        set_up(&sides[i]);
    for (int i = 0; i < LOOPS; i++)
        assert_int_equal(pthread_create(&sides[i].thread, NULL, run_side, &sides[i]), 0);
    for (size_t i = 0; i < PUBLISHERS; i++)
        assert_int_equal(pthread_create(&publishers[i], NULL, run_publisher, (void *)(uintptr_t)i),
                         0);
    for (int i = 0; i < PUBLISHERS; i++)
        assert_int_equal(pthread_join(publishers[i], NULL), 0);
    for (int i = 0; i < LOOPS; i++)
        assert_int_equal(pthread_join(sides[i].thread, NULL), 0);

    check_order(sides[0].members[0].wire);
    for (int i = 0; i < LOOPS; i++) {
        for (int k = 0; k < MEMBERS - 1; k++)
            assert_memory_equal(sides[i].members[k].wire, sides[0].members[0].wire, WIRE_LEN);
        for (int k = 0; k < TOPICS; k++)
            check_stretches(&sides[i], sides[0].members[0].wire, k);
    }
    dx_topics_metrics(topics, &counts);
    assert_int_equal(counts.topics + counts.subscriptions + counts.dropped + counts.disconnected,
                     0);
    assert_int_equal(counts.published, TOPICS * PUBLISHERS * MESSAGES);
    print_message("%llu published, %llu delivered, %llu refused, %u stretches\n",
                  (unsigned long long)counts.published, (unsigned long long)counts.delivered,
                  atomic_load(&refused), sides[0].stretches);
    dx_topics_free(topics);
    for (int i = 0; i < LOOPS; i++)
        tear_down(&sides[i]);
}

static void test_same_order_everywhere(void **state)
{
    (void)state;
    run(67108864);
}

/* What is refused is refused on all loops: it would come a second time elsewhere. */
static void test_refused_everywhere(void **state)
{
    (void)state;
    run(2000);
    assert_true(atomic_load(&refused) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_order_everywhere),
        cmocka_unit_test(test_refused_everywhere),
    };

    return run_group(tests, NULL, NULL);
}
