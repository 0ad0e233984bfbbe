/*
 * loop.c - a loop on libuv, with five uv handles however many connections there are.
 *
 * A turn of uv is: timers, prepare, poll, check. Output is flushed in prepare and in check; check
 * alone would delay what a timer sent until the next event. Not here: watches (watch.c), posts
 * (post.c), randomness (random.c), public timers and watches (loop_timer.c), guests (loop_uv.c).
 */
#include "net/loop/loop_parts.h"
#include "net/loop/system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POOL_KEEP_COUNT 64 /* one MiB of blocks is kept after a burst */
#define DEFAULT_MAX_MEMORY ((size_t)256 * 1024 * 1024)

/* Callbacks of a flush (drain, close) may queue more: after so many rounds the next turn does. */
#define FLUSH_ROUNDS 4

static void list_init(struct dx_turn_task *head)
{
    head->next = head;
    head->previous = head;
}

static bool list_is_empty(const struct dx_turn_task *head)
{
    return head->next == head;
}

static void list_add(struct dx_turn_task *head, struct dx_turn_task *task)
{
    task->next = head;
    task->previous = head->previous;
    head->previous->next = task;
    head->previous = task;
}

static void list_remove(struct dx_turn_task *task)
{
    task->previous->next = task->next;
    task->next->previous = task->previous;
    task->next = NULL;
    task->previous = NULL;
}

/* Runs the tasks that are queued now; tasks queued meanwhile stay in the list. */
static void list_run(struct dx_turn_task *head)
{
    struct dx_turn_task batch;

    if (list_is_empty(head))
        return;
    batch.next = head->next;
    batch.previous = head->previous;
    batch.next->previous = &batch;
    batch.previous->next = &batch;
    list_init(head);
    while (!list_is_empty(&batch)) {
        struct dx_turn_task *task = batch.next;

        list_remove(task);
        task->run(task);
    }
}

static void flush(struct dx_loop *loop)
{
    for (int i = 0; i < FLUSH_ROUNDS && !list_is_empty(&loop->flush); i++)
        list_run(&loop->flush);
    while (!list_is_empty(&loop->frees))
        list_run(&loop->frees);
}

static void on_timer(uv_timer_t *timer)
{
    struct dx_loop *loop = timer->data;

    loop->armed_ms = UINT64_MAX;
    dx_wheel_advance(&loop->wheel, uv_now(loop->uv));
}

/* The absolute time of the next timer; UINT64_MAX when none is set. */
static uint64_t next_due_ms(const struct dx_loop *loop)
{
    uint64_t next = dx_wheel_next(&loop->wheel);

    return next == UINT64_MAX ? UINT64_MAX : loop->wheel.now_ms + next;
}

/* uv computes its poll timeout after prepare, so a timer armed here bounds this turn's poll. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct dx_loop *loop = prepare->data;
    uint64_t now_ms = uv_now(loop->uv);
    uint64_t due_ms;

    atomic_store_explicit(&loop->thread, pthread_self(), memory_order_relaxed);
    flush(loop);
    due_ms = list_is_empty(&loop->flush) ? next_due_ms(loop) : now_ms;
    if (due_ms == loop->armed_ms)
        return;
    loop->armed_ms = due_ms;
    if (due_ms == UINT64_MAX)
        uv_timer_stop(&loop->timer);
    else
        uv_timer_start(&loop->timer, on_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
    uv_unref((uv_handle_t *)&loop->timer);
}

static void on_check(uv_check_t *check)
{
    flush(check->data);
}

static void on_async(uv_async_t *async)
{
    struct dx_loop *loop = async->data;

    dx_posts_run(&loop->posts);
    if (atomic_load(&loop->is_stopped))
        uv_stop(loop->uv);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    dx_loop_poll_watches(poll->data);
}

/* Our handles do not keep uv_run running by themselves: dx_loop_hold does, by the poll handle. */
static int start_handles(struct dx_loop *loop)
{
    int rc = uv_poll_start(&loop->poll, UV_READABLE, on_poll);

    if (!rc)
        rc = uv_prepare_start(&loop->prepare, on_prepare);
    if (!rc)
        rc = uv_check_start(&loop->check, on_check);
    loop->poll.data = loop;
    loop->timer.data = loop;
    loop->prepare.data = loop;
    loop->check.data = loop;
    loop->async.data = loop;
    uv_unref((uv_handle_t *)&loop->poll);
    uv_unref((uv_handle_t *)&loop->timer);
    uv_unref((uv_handle_t *)&loop->prepare);
    uv_unref((uv_handle_t *)&loop->check);
    uv_unref((uv_handle_t *)&loop->async);
    return rc;
}

static void close_handle(uv_handle_t *handle, void *data)
{
    (void)data;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void close_own_uv(struct dx_loop *loop)
{
    uv_walk(&loop->own_uv, close_handle, NULL);
    uv_run(&loop->own_uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->own_uv);
}

/* Initialises every handle; after a failure handle_count says how many are initialised. */
static int init_handles(struct dx_loop *loop)
{
    int rc = uv_async_init(loop->uv, &loop->async, on_async);

    loop->handle_count += !rc;
    if (!rc)
        rc = uv_poll_init(loop->uv, &loop->poll, loop->epoll_fd);
    loop->handle_count += !rc;
    if (rc)
        return rc;
    /* These three cannot fail. */
    (void)uv_timer_init(loop->uv, &loop->timer);
    (void)uv_prepare_init(loop->uv, &loop->prepare);
    (void)uv_check_init(loop->uv, &loop->check);
    loop->handle_count += 3;
    return start_handles(loop);
}

static int init_own_uv(struct dx_loop *loop)
{
    int rc = uv_loop_init(&loop->own_uv);

    if (rc)
        return rc;
    rc = init_handles(loop);
    if (rc) {
        close_own_uv(loop);
        return rc;
    }
    /* uv registers descriptors when it polls: do it once now, so that dx_loop_fd works at once. */
    uv_ref((uv_handle_t *)&loop->poll);
    uv_run(&loop->own_uv, UV_RUN_NOWAIT);
    uv_unref((uv_handle_t *)&loop->poll);
    return 0;
}

/* On the caller's uv loop: the handles are part of our memory, which uv gives back one by one. */
static void on_closed(uv_handle_t *handle)
{
    struct dx_loop *loop = handle->data;

    if (--loop->handle_count == 0)
        free(loop);
}

static void leave_uv(struct dx_loop *loop)
{
    uv_handle_t *handles[] = {(uv_handle_t *)&loop->async, (uv_handle_t *)&loop->poll,
                              (uv_handle_t *)&loop->timer, (uv_handle_t *)&loop->prepare,
                              (uv_handle_t *)&loop->check};
    int count = loop->handle_count;

    if (count == 0)
        free(loop);
    for (int i = 0; i < count; i++) {
        handles[i]->data = loop;
        uv_close(handles[i], on_closed);
    }
}

/* Frees memory and descriptor. A guest's memory is freed when uv has closed the handles in it. */
static void drop(struct dx_loop *loop)
{
    int epoll_fd = loop->epoll_fd;

    if (dx_loop_is_guest(loop))
        leave_uv(loop);
    else
        free(loop);
    if (epoll_fd >= 0)
        close(epoll_fd);
}

/* Frees the loop on failure. */
static enum dx_err init(struct dx_loop *loop)
{
    enum dx_err err = dx_posts_init(&loop->posts);
    int rc;

    if (err) {
        drop(loop);
        return err;
    }
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0)
        rc = -errno;
    else
        rc = dx_loop_is_guest(loop) ? init_handles(loop) : init_own_uv(loop);
    if (!rc)
        return DX_OK;
    dx_posts_release(&loop->posts);
    drop(loop);
    return dx_err_of_errno(-rc);
}

enum dx_err dx_loop_make(uv_loop_t *uv, struct dx_loop **loop)
{
    struct dx_loop *made = malloc(sizeof(*made));
    enum dx_err err;

    if (!made)
        return DX_ERR_NOMEM;
    /* Not calloc: pages of the read buffer are to be touched only when they are used. */
    memset(made, 0, offsetof(struct dx_loop, events));
    made->uv = uv ? uv : &made->own_uv;
    made->epoll_fd = -1;
    made->event_index = 0;
    made->event_count = 0;
    made->armed_ms = UINT64_MAX;
    atomic_init(&made->is_stopped, false);
    atomic_init(&made->thread, pthread_self());
    list_init(&made->flush);
    list_init(&made->frees);
    dx_pool_init(&made->pool, POOL_KEEP_COUNT, DEFAULT_MAX_MEMORY);
    dx_large_store_init(&made->large, &made->pool);
    made->random.used = DX_RANDOM_KEPT;
    dx_wheel_init(&made->wheel, uv_hrtime() / 1000000);
    err = init(made);
    if (!err)
        *loop = made;
    return err;
}

enum dx_err dx_loop_new(struct dx_loop **loop)
{
    return dx_loop_make(NULL, loop);
}

void dx_loop_add_slot(struct dx_loop *loop, struct dx_loop_slot *slot)
{
    slot->next = loop->slots;
    loop->slots = slot;
}

struct dx_loop_slot *dx_loop_find_slot(const struct dx_loop *loop, const void *key)
{
    struct dx_loop_slot *slot = loop->slots;

    while (slot && slot->key != key)
        slot = slot->next;
    return slot;
}

static void end_slots(struct dx_loop *loop)
{
    while (loop->slots) {
        struct dx_loop_slot *slot = loop->slots;

        loop->slots = slot->next;
        slot->on_loop_free(slot);
        flush(loop);
    }
}

void dx_loop_free(struct dx_loop *loop)
{
    if (!loop)
        return;
    flush(loop);
    end_slots(loop);
    if (!dx_loop_is_guest(loop))
        close_own_uv(loop);
    dx_posts_release(&loop->posts);
    dx_large_store_release(&loop->large);
    dx_pool_release(&loop->pool);
    explicit_bzero(&loop->random, sizeof(loop->random));
    drop(loop);
}

void dx_loop_set_max_memory(struct dx_loop *loop, size_t max_len)
{
    loop->pool.limit_len = max_len;
}

bool dx_loop_is_here(const struct dx_loop *loop)
{
    return pthread_equal(atomic_load_explicit(&loop->thread, memory_order_relaxed), pthread_self());
}

static bool has_work(struct dx_loop *loop)
{
    return loop->hold_count > 0 || !list_is_empty(&loop->flush) || !list_is_empty(&loop->frees) ||
           dx_posts_are_waiting(&loop->posts);
}

/* The hold makes uv run the turn even if only posts or flushes are left, which hold nothing. */
static void turn(struct dx_loop *loop, uv_run_mode mode)
{
    dx_loop_hold(loop);
    uv_run(loop->uv, mode);
    dx_loop_let_go(loop);
}

enum dx_err dx_loop_run(struct dx_loop *loop)
{
    if (dx_loop_is_guest(loop) || loop->is_running)
        return DX_ERR_STATE;
    loop->is_running = true;
    atomic_store_explicit(&loop->thread, pthread_self(), memory_order_relaxed);
    uv_update_time(loop->uv);
    while (!atomic_load(&loop->is_stopped) && has_work(loop)) {
        if (loop->hold_count > 0)
            uv_run(loop->uv, UV_RUN_DEFAULT);
        else
            turn(loop, UV_RUN_NOWAIT);
    }
    atomic_store(&loop->is_stopped, false);
    loop->is_running = false;
    return DX_OK;
}

void dx_loop_stop(struct dx_loop *loop)
{
    if (dx_loop_is_guest(loop))
        return;
    atomic_store(&loop->is_stopped, true);
    uv_async_send(&loop->async);
}

enum dx_err dx_loop_dispatch(struct dx_loop *loop)
{
    if (dx_loop_is_guest(loop) || loop->is_running)
        return DX_ERR_STATE;
    loop->is_running = true;
    atomic_store_explicit(&loop->thread, pthread_self(), memory_order_relaxed);
    turn(loop, UV_RUN_NOWAIT);
    loop->is_running = false;
    return DX_OK;
}

uint64_t dx_loop_now_ms(const struct dx_loop *loop)
{
    return uv_now(loop->uv);
}

int dx_loop_fd(const struct dx_loop *loop)
{
    return dx_loop_is_guest(loop) ? -1 : uv_backend_fd(loop->uv);
}

int dx_loop_timeout_ms(const struct dx_loop *loop)
{
    uint64_t due_ms = next_due_ms(loop);
    uint64_t now_ms = uv_hrtime() / 1000000;

    if (!list_is_empty(&loop->flush) || !list_is_empty(&loop->frees) || due_ms <= now_ms)
        return 0;
    if (due_ms == UINT64_MAX)
        return -1;
    return due_ms - now_ms > INT32_MAX ? INT32_MAX : (int)(due_ms - now_ms);
}

void dx_loop_flush_later(struct dx_loop *loop, struct dx_turn_task *task)
{
    if (!dx_turn_task_is_queued(task))
        list_add(&loop->flush, task);
}

void dx_loop_flush_cancel(struct dx_loop *loop, struct dx_turn_task *task)
{
    (void)loop;
    if (dx_turn_task_is_queued(task))
        list_remove(task);
}

void dx_loop_free_later(struct dx_loop *loop, struct dx_turn_task *task)
{
    list_add(&loop->frees, task);
}

struct dx_pool *dx_loop_pool(struct dx_loop *loop)
{
    return &loop->pool;
}

struct dx_loop *dx_loop_of_pool(struct dx_pool *pool)
{
    return dx_container_of(pool, struct dx_loop, pool);
}

struct dx_wheel *dx_loop_wheel(struct dx_loop *loop)
{
    return &loop->wheel;
}

struct dx_large_store *dx_loop_large(struct dx_loop *loop)
{
    return &loop->large;
}

uint8_t *dx_loop_read_buffer(struct dx_loop *loop)
{
    return loop->read_buffer + DX_READ_ROOM;
}

void dx_loop_hold(struct dx_loop *loop)
{
    if (loop->hold_count++ == 0)
        uv_ref((uv_handle_t *)&loop->poll);
}

void dx_loop_let_go(struct dx_loop *loop)
{
    if (--loop->hold_count == 0)
        uv_unref((uv_handle_t *)&loop->poll);
}
