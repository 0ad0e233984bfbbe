/*
 * loop_timer.c - the public timers and watches of <duplex/loop.h>, on top of the internal ones.
 */
#include "net/loop/loop_parts.h"
#include "net/loop/watch.h"

#include <stdlib.h>

struct dx_loop_timer {
    struct dx_timer timer;
    struct dx_loop *loop;
    void (*on_due)(void *user);
    void *user;
};

struct dx_loop_watch {
    struct dx_watch watch;
    struct dx_loop *loop;
    void (*on_ready)(int fd, void *user);
    void *user;
};

static void on_due(struct dx_timer *timer)
{
    struct dx_loop_timer *owner = dx_container_of(timer, struct dx_loop_timer, timer);

    /* Before the callback, which may free the timer. */
    dx_loop_let_go(owner->loop);
    owner->on_due(owner->user);
}

enum dx_err dx_loop_timer_new(struct dx_loop *loop, void (*on_timer_due)(void *user), void *user,
                              struct dx_loop_timer **timer)
{
    struct dx_loop_timer *made = malloc(sizeof(*made));

    if (!made)
        return DX_ERR_NOMEM;
    dx_timer_init(&made->timer, on_due);
    made->loop = loop;
    made->on_due = on_timer_due;
    made->user = user;
    *timer = made;
    return DX_OK;
}

void dx_loop_timer_set(struct dx_loop_timer *timer, uint64_t delay_ms)
{
    struct dx_loop *loop = timer->loop;
    uint64_t now_ms;

    /* uv's time is stale between runs, and we cannot know whether the caller's uv loop runs. */
    if (!loop->is_running)
        uv_update_time(loop->uv);
    now_ms = uv_now(loop->uv);
    if (!dx_timer_is_set(&timer->timer))
        dx_loop_hold(loop);
    dx_wheel_set(&loop->wheel, &timer->timer,
                 delay_ms > UINT64_MAX / 2 ? UINT64_MAX / 2 : now_ms + delay_ms);
}

void dx_loop_timer_unset(struct dx_loop_timer *timer)
{
    if (!dx_timer_is_set(&timer->timer))
        return;
    dx_wheel_unset(&timer->loop->wheel, &timer->timer);
    dx_loop_let_go(timer->loop);
}

void dx_loop_timer_free(struct dx_loop_timer *timer)
{
    if (!timer)
        return;
    dx_loop_timer_unset(timer);
    free(timer);
}

static void on_ready(struct dx_watch *watch, unsigned events)
{
    struct dx_loop_watch *owner = dx_container_of(watch, struct dx_loop_watch, watch);

    (void)events;
    owner->on_ready(watch->fd, owner->user);
}

static enum dx_err start_watch(struct dx_loop *loop, int fd, unsigned wanted,
                               void (*call)(int fd, void *user), void *user,
                               struct dx_loop_watch **watch)
{
    struct dx_loop_watch *made = malloc(sizeof(*made));
    enum dx_err err;

    if (!made)
        return DX_ERR_NOMEM;
    *made = (struct dx_loop_watch){.loop = loop, .on_ready = call, .user = user};
    err = dx_watch_start(loop, &made->watch, fd, wanted, on_ready);
    if (err) {
        free(made);
        return err;
    }
    dx_loop_hold(loop);
    *watch = made;
    return DX_OK;
}

enum dx_err dx_loop_watch_new(struct dx_loop *loop, int fd, void (*on_readable)(int fd, void *user),
                              void *user, struct dx_loop_watch **watch)
{
    return start_watch(loop, fd, DX_WATCH_READ, on_readable, user, watch);
}

enum dx_err dx_loop_watch_new_for_output(struct dx_loop *loop, int fd,
                                         void (*on_writable)(int fd, void *user), void *user,
                                         struct dx_loop_watch **watch)
{
    return start_watch(loop, fd, DX_WATCH_WRITE, on_writable, user, watch);
}

void dx_loop_watch_free(struct dx_loop_watch *watch)
{
    if (!watch)
        return;
    dx_watch_stop(watch->loop, &watch->watch);
    dx_loop_let_go(watch->loop);
    free(watch);
}
