/*
 * loop_test.c - turns, flush order, posts from threads, timers, watches, embedding, randomness.
 */
#include "net/loop/loop_parts.h"
#include "net/loop/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/test.h"

struct state {
    struct dx_loop *loop;
    int calls;
    struct dx_turn_task task;
    struct dx_loop_timer *timer;
    struct dx_loop_watch *watch;
    char order[64];
};

static void note(struct state *state, char letter)
{
    size_t len = strlen(state->order);

    if (len + 1 < sizeof(state->order)) {
        state->order[len] = letter;
        state->order[len + 1] = '\0';
    }
}

static struct dx_loop *new_loop(void)
{
    struct dx_loop *loop = NULL;

    assert_int_equal(dx_loop_new(&loop), DX_OK);
    return loop;
}

static int fd_count(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF;
    return count;
}

static void count_handle(uv_handle_t *handle, void *data)
{
    (void)handle;
    ++*(int *)data;
}

static void test_few_handles(void **unused)
{
    struct dx_loop *loop = new_loop();
    struct dx_loop_watch *watches[50];
    int handles = 0;
    int fds[2];

    (void)unused;
    assert_int_equal(pipe(fds), 0);
    for (int i = 0; i < 50; i++) {
        int fd = dup(fds[0]);

        assert_int_equal(dx_loop_watch_new(loop, fd, NULL, NULL, &watches[i]), DX_OK);
    }
    uv_walk(loop->uv, count_handle, &handles);
    assert_int_equal(handles, 5);
    for (int i = 0; i < 50; i++) {
        int fd = watches[i] ? ((struct dx_watch *)watches[i])->fd : -1;

        dx_loop_watch_free(watches[i]);
        close(fd);
    }
    close(fds[0]);
    close(fds[1]);
    dx_loop_free(loop);
}

static void test_run_ends_when_nothing_is_left(void **unused)
{
    struct dx_loop *loop = new_loop();

    (void)unused;
    assert_int_equal(dx_loop_run(loop), DX_OK);
    assert_int_equal(dx_loop_timeout_ms(loop), -1);
    dx_loop_free(loop);
}

static void on_post(void *data)
{
    struct state *state = data;

    state->calls++;
}

static void on_post_stop(void *data)
{
    struct state *state = data;

    state->calls++;
    dx_loop_stop(state->loop);
}

static void test_posts_run_without_a_holder(void **unused)
{
    struct state state = {.loop = new_loop()};

    (void)unused;
    assert_int_equal(dx_loop_post(state.loop, on_post, &state), DX_OK);
    assert_int_equal(dx_loop_post(state.loop, on_post, &state), DX_OK);
    assert_int_equal(dx_loop_run(state.loop), DX_OK);
    assert_int_equal(state.calls, 2);
    dx_loop_free(state.loop);
}

static void test_posts_are_bounded(void **unused)
{
    struct state state = {.loop = new_loop()};

    (void)unused;
    for (int i = 0; i < 65536; i++)
        assert_int_equal(dx_loop_post(state.loop, on_post, &state), DX_OK);
    assert_int_equal(dx_loop_post(state.loop, on_post, &state), DX_ERR_QUEUE_FULL);
    assert_int_equal(dx_loop_run(state.loop), DX_OK);
    assert_int_equal(state.calls, 65536);
    assert_int_equal(dx_loop_post(state.loop, on_post, &state), DX_OK);
    assert_int_equal(dx_loop_run(state.loop), DX_OK);
    assert_int_equal(state.calls, 65537);
    dx_loop_free(state.loop);
}

struct takes_back {
    struct state state;
    struct state other;
};

static void on_post_take_back(void *data)
{
    struct takes_back *both = data;

    dx_loop_post_cancel(both->state.loop, &both->state);
}

/* What was posted before and what is being run already; others' posts stay. */
static void test_posts_are_taken_back(void **unused)
{
    struct takes_back both = {.state = {.loop = new_loop()}};
    struct dx_loop *loop = both.state.loop;

    (void)unused;
    assert_int_equal(dx_loop_post(loop, on_post, &both.state), DX_OK);
    assert_int_equal(dx_loop_post(loop, on_post, &both.other), DX_OK);
    dx_loop_post_cancel(loop, &both.state);
    assert_int_equal(dx_loop_run(loop), DX_OK);
    assert_int_equal(both.state.calls, 0);
    assert_int_equal(both.other.calls, 1);

    both.other = (struct state){.loop = loop};
    assert_int_equal(dx_loop_post(loop, on_post, &both.other), DX_OK);
    assert_int_equal(dx_loop_post(loop, on_post_take_back, &both), DX_OK);
    /* &both is &both.state, too: the caller itself has run by then. */
    assert_int_equal(dx_loop_post(loop, on_post, &both.state), DX_OK);
    assert_int_equal(dx_loop_post(loop, on_post, &both.other), DX_OK);
    assert_int_equal(dx_loop_run(loop), DX_OK);
    assert_int_equal(both.state.calls, 0);
    assert_int_equal(both.other.calls, 2);
    dx_loop_free(loop);
}

static void *post_many(void *data)
{
    struct state *state = data;

    for (int i = 0; i < 1000; i++)
        while (dx_loop_post(state->loop, on_post, state) != DX_OK)
            sched_yield();
    return NULL;
}

static void test_posts_from_threads(void **unused)
{
    struct state state = {.loop = new_loop()};
    pthread_t threads[4];

    (void)unused;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, &state), 0);
    dx_loop_hold(state.loop);
    while (state.calls < 4000) {
        struct pollfd ready = {.fd = dx_loop_fd(state.loop), .events = POLLIN};

        poll(&ready, 1, dx_loop_timeout_ms(state.loop));
        assert_int_equal(dx_loop_dispatch(state.loop), DX_OK);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(state.calls, 4000);
    dx_loop_let_go(state.loop);
    dx_loop_free(state.loop);
}

static void *post_stop(void *data)
{
    struct state *state = data;

    assert_int_equal(dx_loop_post(state->loop, on_post_stop, state), DX_OK);
    return NULL;
}

static void test_stop_from_a_thread(void **unused)
{
    struct state state = {.loop = new_loop()};
    pthread_t thread;

    (void)unused;
    dx_loop_hold(state.loop);
    assert_int_equal(pthread_create(&thread, NULL, post_stop, &state), 0);
    assert_int_equal(dx_loop_run(state.loop), DX_OK);
    assert_int_equal(state.calls, 1);
    pthread_join(thread, NULL);
    /* Stopped before it runs: returns at once, and then runs again. */
    dx_loop_stop(state.loop);
    assert_int_equal(dx_loop_run(state.loop), DX_OK);
    dx_loop_let_go(state.loop);
    assert_int_equal(dx_loop_run(state.loop), DX_OK);
    dx_loop_free(state.loop);
}

static void on_task(struct dx_turn_task *task)
{
    struct state *state = (struct state *)((char *)task - offsetof(struct state, task));

    note(state, 'f');
}

static void on_timer(void *user)
{
    struct state *state = user;

    state->calls++;
    note(state, 't');
    dx_loop_flush_later(state->loop, &state->task);
    dx_loop_flush_later(state->loop, &state->task);
    if (state->calls < 3)
        dx_loop_timer_set(state->timer, 1);
}

static void on_timer_free(void *user)
{
    struct state *state = user;

    state->calls++;
    dx_loop_timer_free(state->timer);
}

static void test_timers(void **unused)
{
    struct state state = {.loop = new_loop(), .task = {.run = on_task}};
    uint64_t begin = uv_hrtime();

    (void)unused;
    assert_int_equal(dx_loop_timer_new(state.loop, on_timer, &state, &state.timer), DX_OK);
    dx_loop_timer_set(state.timer, 20);
    assert_true(dx_loop_timeout_ms(state.loop) <= 20);
    assert_int_equal(dx_loop_run(state.loop), DX_OK);
    /* What a timer queues leaves in the same turn, once. */
    assert_string_equal(state.order, "tftftf");
    assert_true(uv_hrtime() - begin >= 18000000);
    dx_loop_timer_set(state.timer, 100000);
    dx_loop_timer_unset(state.timer);
    dx_loop_timer_unset(state.timer);
    assert_int_equal(dx_loop_run(state.loop), DX_OK);
    dx_loop_timer_set(state.timer, 100000);
    dx_loop_timer_free(state.timer);
    dx_loop_timer_free(NULL);
    assert_int_equal(dx_loop_timer_new(state.loop, on_timer_free, &state, &state.timer), DX_OK);
    dx_loop_timer_set(state.timer, 0);
    assert_int_equal(dx_loop_run(state.loop), DX_OK);
    assert_int_equal(state.calls, 4);
    dx_loop_free(state.loop);
}

static void on_task_again(struct dx_turn_task *task)
{
    struct state *state = (struct state *)((char *)task - offsetof(struct state, task));

    if (++state->calls < 20)
        dx_loop_flush_later(state->loop, task);
}

static void test_a_task_that_queues_itself_goes_on_in_the_next_turn(void **unused)
{
    struct state state = {.loop = new_loop(), .task = {.run = on_task_again}};

    (void)unused;
    dx_loop_flush_later(state.loop, &state.task);
    dx_loop_flush_cancel(state.loop, &state.task);
    dx_loop_flush_cancel(state.loop, &state.task);
    assert_int_equal(dx_loop_run(state.loop), DX_OK);
    assert_int_equal(state.calls, 0);
    dx_loop_flush_later(state.loop, &state.task);
    assert_int_equal(dx_loop_timeout_ms(state.loop), 0);
    assert_int_equal(dx_loop_dispatch(state.loop), DX_OK);
    assert_true(state.calls < 20);
    assert_int_equal(dx_loop_run(state.loop), DX_OK);
    assert_int_equal(state.calls, 20);
    dx_loop_free(state.loop);
}

static void on_readable(int fd, void *user)
{
    struct state *state = user;
    char byte;

    assert_int_equal(dx_loop_dispatch(state->loop), DX_ERR_STATE);
    assert_int_equal(dx_loop_run(state->loop), DX_ERR_STATE);
    note(state, read(fd, &byte, 1) == 1 ? byte : 'e');
    if (state->order[strlen(state->order) - 1] == 'e')
        dx_loop_watch_free(state->watch);
}

static void test_watch_until_end_of_file(void **unused)
{
    struct state state = {.loop = new_loop()};
    int fds[2];

    (void)unused;
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    assert_int_equal(write(fds[1], "ab", 2), 2);
    close(fds[1]);
    assert_int_equal(dx_loop_watch_new(state.loop, fds[0], on_readable, &state, &state.watch),
                     DX_OK);
    assert_int_equal(dx_loop_run(state.loop), DX_OK);
    assert_string_equal(state.order, "abe");
    close(fds[0]);
    assert_int_equal(dx_loop_watch_new(state.loop, 9999, on_readable, &state, &state.watch),
                     DX_ERR_SYSTEM);
    dx_loop_watch_free(NULL);
    dx_loop_free(state.loop);
}

struct pair {
    struct dx_watch watch;
    struct pair *other;
    struct dx_loop *loop;
    int calls;
};

static void on_pair_ready(struct dx_watch *watch, unsigned events)
{
    struct pair *pair = (struct pair *)watch;

    assert_true(events & DX_WATCH_READ);
    pair->calls++;
    dx_watch_stop(pair->loop, &pair->other->watch);
    dx_watch_stop(pair->loop, &pair->watch);
    dx_loop_let_go(pair->loop);
}

static void test_stopped_in_the_batch_gets_nothing(void **unused)
{
    struct dx_loop *loop = new_loop();
    struct pair one = {.loop = loop};
    struct pair two = {.loop = loop, .other = &one};
    int fds[2];

    (void)unused;
    one.other = &two;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    int copy = dup(fds[0]);

    assert_int_equal(dx_watch_start(loop, &one.watch, fds[0], DX_WATCH_READ, on_pair_ready), 0);
    assert_int_equal(dx_watch_start(loop, &two.watch, copy, DX_WATCH_READ, on_pair_ready), 0);
    dx_loop_hold(loop);
    assert_int_equal(dx_loop_run(loop), DX_OK);
    assert_int_equal(one.calls + two.calls, 1);
    close(copy);
    close(fds[0]);
    close(fds[1]);
    dx_loop_free(loop);
}

static void on_hang_up(struct dx_watch *watch, unsigned events)
{
    struct pair *pair = (struct pair *)watch;

    pair->calls++;
    assert_int_equal(events, DX_WATCH_HANG_UP);
    assert_int_equal(dx_watch_set(pair->loop, watch, DX_WATCH_QUIET), DX_OK);
}

static void test_quiet_after_the_peer_closed_its_side(void **unused)
{
    struct dx_loop *loop = new_loop();
    struct pair pair = {.loop = loop};
    int fds[2];

    (void)unused;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(dx_watch_start(loop, &pair.watch, fds[0], 0, on_hang_up), DX_OK);
    assert_int_equal(dx_loop_dispatch(loop), DX_OK);
    assert_int_equal(pair.calls, 0);
    assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(dx_loop_dispatch(loop), DX_OK);
    assert_int_equal(pair.calls, 1);
    dx_watch_stop(loop, &pair.watch);
    dx_watch_stop(loop, &pair.watch);
    close(fds[0]);
    close(fds[1]);
    dx_loop_free(loop);
}

static void test_randomness_differs(void **unused)
{
    struct dx_loop *loop = new_loop();
    uint8_t keys[1000][4];
    uint8_t large[2000];
    static const uint8_t zero[16];
    int same = 0;

    (void)unused;
    for (int i = 0; i < 1000; i++)
        assert_true(dx_loop_fill_random(keys[i], 4, loop));
    for (int i = 1; i < 1000; i++)
        same += memcmp(keys[i], keys[i - 1], 4) == 0;
    /* Two equal neighbours in a thousand: once in four million runs. */
    assert_true(same < 2);
    memset(large, 0, sizeof(large));
    assert_true(dx_loop_fill_random(large, sizeof(large), loop));
    assert_memory_not_equal(large + sizeof(large) - 16, zero, 16);
    dx_loop_free(loop);
}

static void test_large_buffers_are_kept_within_bounds(void **unused)
{
    struct dx_loop *loop = new_loop();
    struct dx_large_store *store = dx_loop_large(loop);
    struct dx_large *large[6];

    (void)unused;
    for (int i = 0; i < 6; i++)
        assert_int_equal(dx_large_take(store, 1 << 20, &large[i]), DX_OK);
    assert_int_equal(dx_loop_pool(loop)->used_len, 6 * ((1 << 20) + sizeof(struct dx_large)));
    large[0]->bytes[100] = 42;
    large[0]->len = 101;
    assert_int_equal(dx_large_grow(store, &large[0], 3 << 20), DX_OK);
    assert_int_equal(large[0]->bytes[100], 42);
    assert_int_equal(dx_large_grow(store, &large[0], 10), DX_OK);
    assert_int_equal(large[0]->room, 3 << 20);
    dx_loop_set_max_memory(loop, dx_loop_pool(loop)->used_len);
    assert_int_equal(dx_large_grow(store, &large[0], 4 << 20), DX_ERR_TOO_MANY);
    for (int i = 0; i < 6; i++)
        dx_large_give(store, large[i]);
    dx_large_give(store, NULL);
    assert_int_equal(dx_loop_pool(loop)->used_len, 0);
    assert_true(store->kept_len <= DX_LARGE_KEPT_LEN);
    /* The kept one is larger than the limit allows, a new small one is not. */
    dx_loop_set_max_memory(loop, 1000);
    assert_int_equal(dx_large_take(store, 100, &large[0]), DX_OK);
    assert_int_equal(large[0]->room, 100);
    assert_int_equal(dx_large_take(store, 1000, &large[1]), DX_ERR_TOO_MANY);
    dx_large_give(store, large[0]);
    dx_loop_free(loop);
}

static void test_no_descriptor_is_left(void **unused)
{
    int before = fd_count();

    (void)unused;
    for (int i = 0; i < 10; i++)
        dx_loop_free(new_loop());
    dx_loop_free(NULL);
    assert_int_equal(fd_count(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_handles),
        cmocka_unit_test(test_run_ends_when_nothing_is_left),
        cmocka_unit_test(test_posts_run_without_a_holder),
        cmocka_unit_test(test_posts_are_bounded),
        cmocka_unit_test(test_posts_are_taken_back),
        cmocka_unit_test(test_posts_from_threads),
        cmocka_unit_test(test_stop_from_a_thread),
        cmocka_unit_test(test_timers),
        cmocka_unit_test(test_a_task_that_queues_itself_goes_on_in_the_next_turn),
        cmocka_unit_test(test_watch_until_end_of_file),
        cmocka_unit_test(test_stopped_in_the_batch_gets_nothing),
        cmocka_unit_test(test_quiet_after_the_peer_closed_its_side),
        cmocka_unit_test(test_randomness_differs),
        cmocka_unit_test(test_large_buffers_are_kept_within_bounds),
        cmocka_unit_test(test_no_descriptor_is_left),
    };

    return run_group(tests, NULL, NULL);
}
