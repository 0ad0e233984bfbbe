/*
 * loop_uv_test.c - loops on a uv loop of somebody else: beside its own handles, several at once,
 * gone without a trace.
 */
#include "net/loop/loop_parts.h"
#include "support/failing/allocator.h"
#include "support/failing/system.h"
#include "support/test.h"

#include <duplex/uv.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool fails_async;
static bool fails_poll;
static bool fails_start;

int __real_uv_async_init(uv_loop_t *uv, uv_async_t *async, uv_async_cb call);
int __wrap_uv_async_init(uv_loop_t *uv, uv_async_t *async, uv_async_cb call);
int __wrap_uv_async_init(uv_loop_t *uv, uv_async_t *async, uv_async_cb call)
{
    return fails_async ? UV_EMFILE : __real_uv_async_init(uv, async, call);
}

int __real_uv_poll_init(uv_loop_t *uv, uv_poll_t *poll, int fd);
int __wrap_uv_poll_init(uv_loop_t *uv, uv_poll_t *poll, int fd);
int __wrap_uv_poll_init(uv_loop_t *uv, uv_poll_t *poll, int fd)
{
    return fails_poll ? UV_ENOMEM : __real_uv_poll_init(uv, poll, fd);
}

int __real_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb call);
int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb call);
int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb call)
{
    return fails_start ? UV_EBADF : __real_uv_poll_start(poll, events, call);
}

static int fd_count(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF;
    return count;
}

static struct dx_loop *new_on(uv_loop_t *uv)
{
    struct dx_loop *loop = NULL;

    assert_int_equal(dx_loop_new_on_uv(uv, &loop), DX_OK);
    assert_ptr_equal(dx_loop_uv(loop), uv);
    return loop;
}

/* What is freed is gone with the next turn, and the uv loop can be closed. */
static void end(uv_loop_t *uv)
{
    (void)uv_run(uv, UV_RUN_NOWAIT);
    assert_int_equal(uv_loop_close(uv), 0);
}

static void count_handle(uv_handle_t *handle, void *data)
{
    (void)handle;
    ++*(int *)data;
}

static void test_five_handles_and_none_afterwards(void **unused)
{
    struct dx_loop *loop;
    uv_loop_t uv;
    int before;
    int count = 0;

    (void)unused;
    /* libuv keeps two descriptors for the process with its first loop. */
    assert_int_equal(uv_loop_init(&uv), 0);
    end(&uv);
    before = fd_count();
    assert_int_equal(uv_loop_init(&uv), 0);
    uv.data = &count;
    loop = new_on(&uv);
    uv_walk(&uv, count_handle, &count);
    assert_int_equal(count, 5);
    /* Nothing is open: uv_run returns. */
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    dx_loop_free(loop);
    assert_int_equal(uv_loop_close(&uv), UV_EBUSY);
    assert_ptr_equal(uv.data, &count);
    end(&uv);
    assert_int_equal(fd_count(), before);
}

static void close_timer(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
}

static void test_what_is_not_for_such_a_loop(void **unused)
{
    struct dx_loop *loop;
    uv_timer_t timer;
    uv_loop_t uv;

    (void)unused;
    assert_int_equal(uv_loop_init(&uv), 0);
    loop = new_on(&uv);
    assert_int_equal(dx_loop_run(loop), DX_ERR_STATE);
    assert_int_equal(dx_loop_dispatch(loop), DX_ERR_STATE);
    assert_int_equal(dx_loop_fd(loop), -1);
    /* It stops nothing: a timer that is not ours still comes. */
    dx_loop_stop(loop);
    assert_int_equal(uv_timer_init(&uv, &timer), 0);
    assert_int_equal(uv_timer_start(&timer, close_timer, 20, 0), 0);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    dx_loop_free(loop);
    end(&uv);
    assert_int_equal(dx_loop_new(&loop), DX_OK);
    assert_ptr_equal(dx_loop_uv(loop), &loop->own_uv);
    assert_true(dx_loop_fd(loop) >= 0);
    dx_loop_free(loop);
}

struct guest {
    struct dx_loop *loop;
    struct dx_loop_timer *timer;
    struct dx_loop_watch *watch;
    int fds[2];
    int timer_count;
    int byte_count;
    int post_count;
};

static void on_due(void *user)
{
    struct guest *guest = user;

    if (++guest->timer_count < 5)
        dx_loop_timer_set(guest->timer, 2);
    else
        assert_int_equal(write(guest->fds[1], "x", 1), 1);
}

static void on_readable(int fd, void *user)
{
    struct guest *guest = user;
    char byte;

    assert_int_equal(read(fd, &byte, 1), 1);
    guest->byte_count++;
    dx_loop_watch_free(guest->watch);
    guest->watch = NULL;
}

static void on_post(void *data)
{
    ((struct guest *)data)->post_count++;
}

static void *post_many(void *data)
{
    struct guest *guests = data;

    for (int i = 0; i < 1000; i++)
        for (int k = 0; k < 3; k++)
            while (dx_loop_post(guests[k].loop, on_post, &guests[k]) != DX_OK)
                sched_yield();
    return NULL;
}

static int tick_count;

/* A timer of the uv loop's own, repeating; ends when everything of the guests has come. */
static void on_tick(uv_timer_t *timer)
{
    const struct guest *guests = timer->data;
    bool is_done = true;

    tick_count++;
    for (int i = 0; i < 3; i++)
        is_done &= guests[i].post_count == 1000 && guests[i].byte_count == 1;
    if (is_done)
        uv_close((uv_handle_t *)timer, NULL);
}

static void test_three_loops_beside_a_timer_of_its_own(void **unused)
{
    struct guest guests[3] = {{.loop = NULL}};
    pthread_t thread;
    uv_timer_t ticks;
    uv_loop_t uv;

    (void)unused;
    tick_count = 0;
    assert_int_equal(uv_loop_init(&uv), 0);
    for (int i = 0; i < 3; i++) {
        struct guest *guest = &guests[i];

        guest->loop = new_on(&uv);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, guest->fds), 0);
        assert_int_equal(dx_loop_timer_new(guest->loop, on_due, guest, &guest->timer), DX_OK);
        assert_int_equal(
            dx_loop_watch_new(guest->loop, guest->fds[0], on_readable, guest, &guest->watch),
            DX_OK);
        dx_loop_timer_set(guest->timer, 2);
    }
    assert_int_equal(uv_timer_init(&uv, &ticks), 0);
    ticks.data = guests;
    assert_int_equal(uv_timer_start(&ticks, on_tick, 1, 3), 0);
    assert_int_equal(pthread_create(&thread, NULL, post_many, guests), 0);
    /* It returns by itself: nothing of the guests is open any more. */
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    pthread_join(thread, NULL);
    assert_true(tick_count > 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(guests[i].timer_count, 5);
        dx_loop_timer_free(guests[i].timer);
        dx_loop_free(guests[i].loop);
        close(guests[i].fds[0]);
        close(guests[i].fds[1]);
    }
    end(&uv);
}

/* One goes while another still works on the same uv loop. */
static void test_one_goes_and_another_stays(void **unused)
{
    struct guest guest = {.fds = {-1, -1}};
    struct dx_loop *first;
    uv_loop_t uv;

    (void)unused;
    assert_int_equal(uv_loop_init(&uv), 0);
    first = new_on(&uv);
    guest.loop = new_on(&uv);
    dx_loop_free(first);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, guest.fds), 0);
    assert_int_equal(dx_loop_timer_new(guest.loop, on_due, &guest, &guest.timer), DX_OK);
    dx_loop_timer_set(guest.timer, 1);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(guest.timer_count, 5);
    dx_loop_timer_free(guest.timer);
    dx_loop_free(guest.loop);
    close(guest.fds[0]);
    close(guest.fds[1]);
    end(&uv);
}

static void try_one(enum dx_err wanted)
{
    struct dx_loop *loop = NULL;
    uv_loop_t uv;
    int before;

    assert_int_equal(uv_loop_init(&uv), 0);
    before = fd_count();
    assert_int_equal(dx_loop_new_on_uv(&uv, &loop), wanted);
    assert_null(loop);
    assert_int_equal(fd_count(), before);
    end(&uv);
}

static void test_each_failure_leaves_the_uv_loop_as_it_was(void **unused)
{
    (void)unused;
    failing_allocator_start(1);
    try_one(DX_ERR_NOMEM);
    assert_true(failing_allocator_stop());
    failing_allocator_start(0);
    fails_async = true;
    try_one(DX_ERR_DESCRIPTORS);
    fails_async = false;
    fails_poll = true;
    try_one(DX_ERR_NOMEM);
    fails_poll = false;
    fails_start = true;
    try_one(DX_ERR_SYSTEM);
    fails_start = false;
    failing_system_start(0);
    failing_system_fail_all(CALL_EPOLL_CREATE1, EMFILE);
    try_one(DX_ERR_DESCRIPTORS);
    failing_system_stop();
    assert_int_equal(failing_allocator_live(), 0);
    failing_allocator_stop();
    print_message("injected 5 failures\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_five_handles_and_none_afterwards),
        cmocka_unit_test(test_what_is_not_for_such_a_loop),
        cmocka_unit_test(test_three_loops_beside_a_timer_of_its_own),
        cmocka_unit_test(test_one_goes_and_another_stays),
        cmocka_unit_test(test_each_failure_leaves_the_uv_loop_as_it_was),
    };

    return run_group(tests, NULL, NULL);
}
