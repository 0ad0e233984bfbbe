/*
 * watch.h - readiness of one descriptor, level-triggered.
 *
 * A stopped watch gets no more callbacks, not even for events that the running turn has already
 * fetched: its memory may be freed at once. All functions are for the loop's thread.
 */
#ifndef DX_NET_WATCH_H
#define DX_NET_WATCH_H

#include "net/loop/loop.h"

/*
 * Bits. HANG_UP (the peer closed its direction) and ERROR are always reported while a watch is
 * started.
 */
#define DX_WATCH_READ 1u
#define DX_WATCH_WRITE 2u
#define DX_WATCH_HANG_UP 4u
#define DX_WATCH_ERROR 8u

/*
 * Only in `wanted`: do not report again that the peer closed its direction (that readiness never
 * ends). A connection that is gone as a whole (reset, or both directions closed) is still reported:
 * stop the watch then.
 */
#define DX_WATCH_QUIET 16u

struct dx_watch {
    void (*on_ready)(struct dx_watch *watch, unsigned events);
    int fd;
    unsigned wanted; /* DX_WATCH_READ | DX_WATCH_WRITE | DX_WATCH_QUIET */
};

/**
 * Starts to watch `fd`, which stays the caller's.
 *
 * watch      the caller's memory; must not move while the watch is started
 * wanted     DX_WATCH_READ | DX_WATCH_WRITE | DX_WATCH_QUIET, or 0
 * on_ready   called in each turn in which the descriptor is ready
 *
 * Returns DX_OK, DX_ERR_NOMEM, or DX_ERR_SYSTEM (epoll refuses the descriptor).
 */
DX_MUST_CHECK enum dx_err dx_watch_start(struct dx_loop *loop, struct dx_watch *watch, int fd,
                                         unsigned wanted,
                                         void (*on_ready)(struct dx_watch *watch, unsigned events));

/**
 * Changes `wanted`; makes no system call when it is the same. On failure it is unchanged.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_SYSTEM.
 */
DX_MUST_CHECK enum dx_err dx_watch_set(struct dx_loop *loop, struct dx_watch *watch,
                                       unsigned wanted);

/** Stops a watch. Call it before closing the descriptor. Fine when not started (all zero). */
void dx_watch_stop(struct dx_loop *loop, struct dx_watch *watch);

/**
 * Sets how much memory around a watch its owner uses: `before` bytes ahead of it and `behind` bytes
 * from its start. The loop prefetches them before the callback. Only performance depends on it.
 */
void dx_loop_expect_around_watch(struct dx_loop *loop, size_t before, size_t behind);

static inline bool dx_watch_is_started(const struct dx_watch *watch)
{
    return watch->on_ready != NULL;
}

#endif
