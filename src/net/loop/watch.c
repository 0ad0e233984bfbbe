/*
 * watch.c - the epoll set of a loop. It is nested in libuv's, which polls it through one handle.
 */
#include "net/loop/watch.h"
#include "net/loop/loop_parts.h"
#include "net/loop/system.h"

#include <errno.h>

#define CACHE_LINE 64

static uint32_t events_for(unsigned wanted)
{
    uint32_t events = wanted & DX_WATCH_QUIET ? 0 : (uint32_t)EPOLLRDHUP;

    if (wanted & DX_WATCH_READ)
        events |= EPOLLIN;
    if (wanted & DX_WATCH_WRITE)
        events |= EPOLLOUT;
    return events;
}

static unsigned ready_of(uint32_t events)
{
    unsigned ready = 0;

    if (events & EPOLLIN)
        ready |= DX_WATCH_READ;
    if (events & EPOLLOUT)
        ready |= DX_WATCH_WRITE;
    if (events & (EPOLLRDHUP | EPOLLHUP))
        ready |= DX_WATCH_HANG_UP;
    if (events & EPOLLERR)
        ready |= DX_WATCH_ERROR;
    return ready;
}

static enum dx_err control(struct dx_loop *loop, int operation, struct dx_watch *watch, int fd,
                           unsigned wanted)
{
    struct epoll_event event = {.events = events_for(wanted), .data.ptr = watch};

    if (epoll_ctl(loop->epoll_fd, operation, fd, &event) == 0)
        return DX_OK;
    return errno == ENOMEM ? DX_ERR_NOMEM : DX_ERR_SYSTEM;
}

enum dx_err dx_watch_start(struct dx_loop *loop, struct dx_watch *watch, int fd, unsigned wanted,
                           void (*on_ready)(struct dx_watch *watch, unsigned events))
{
    enum dx_err err = control(loop, EPOLL_CTL_ADD, watch, fd, wanted);

    if (err)
        return err;
    *watch = (struct dx_watch){on_ready, fd, wanted};
    return DX_OK;
}

enum dx_err dx_watch_set(struct dx_loop *loop, struct dx_watch *watch, unsigned wanted)
{
    enum dx_err err;

    if (wanted == watch->wanted)
        return DX_OK;
    err = control(loop, EPOLL_CTL_MOD, watch, watch->fd, wanted);
    if (err)
        return err;
    watch->wanted = wanted;
    return DX_OK;
}

void dx_watch_stop(struct dx_loop *loop, struct dx_watch *watch)
{
    if (!dx_watch_is_started(watch))
        return;
    /* Cannot fail for a descriptor that is in the set and open. */
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->on_ready = NULL;
    for (int i = loop->event_index; i < loop->event_count; i++)
        if (loop->events[i].data.ptr == watch)
            loop->events[i].data.ptr = NULL;
}

void dx_loop_expect_around_watch(struct dx_loop *loop, size_t before, size_t behind)
{
    loop->before_watch = before;
    loop->behind_watch = behind;
}

/*
 * With thousands of connections none is in the CPU's cache when its event comes: fetch its memory
 * while the event before it is handled. A prefetch of an invalid address does no harm.
 */
static void fetch_surroundings(const struct dx_loop *loop, const struct dx_watch *watch)
{
    uintptr_t at = ((uintptr_t)watch - loop->before_watch) & ~(uintptr_t)(CACHE_LINE - 1);
    uintptr_t end = (uintptr_t)watch + loop->behind_watch;

    for (; at < end; at += CACHE_LINE)
        __builtin_prefetch((const void *)at, 1);
}

void dx_loop_poll_watches(struct dx_loop *loop)
{
    int count = epoll_wait(loop->epoll_fd, loop->events, DX_EVENTS_PER_TURN, 0);

    loop->event_index = 0;
    loop->event_count = count > 0 ? count : 0;
    while (loop->event_index < loop->event_count) {
        const struct epoll_event *event = &loop->events[loop->event_index++];
        struct dx_watch *watch = event->data.ptr;

        if (loop->event_index < loop->event_count)
            fetch_surroundings(loop, loop->events[loop->event_index].data.ptr);
        if (watch)
            watch->on_ready(watch, ready_of(event->events));
    }
    loop->event_count = 0;
    loop->event_index = 0;
}
