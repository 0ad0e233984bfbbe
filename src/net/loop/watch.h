/*
 * watch.h - readiness of one descriptor. Level-triggered.
 *
 * A watch that was stopped gets nothing more, not even what the running turn has already learnt: its memory may go then.
 */
#ifndef DX_NET_WATCH_H
#define DX_NET_WATCH_H

#include "net/loop/loop.h"

/* Bits; HANG_UP (peer closed its side) and ERROR are always reported while a watch is started. */
#define DX_WATCH_READ 1u
#define DX_WATCH_WRITE 2u
#define DX_WATCH_HANG_UP 4u
#define DX_WATCH_ERROR 8u

/* Only to be wanted: do not tell again that the peer closed its side (that readiness would never end). A descriptor that
 * is gone as a whole (reset, both sides closed) is told all the same: stop the watch then. */
#define DX_WATCH_QUIET 16u

struct dx_watch {
    void (*on_ready)(struct dx_watch *watch, unsigned events);
    int fd;
    unsigned wanted; /* DX_WATCH_READ | DX_WATCH_WRITE | DX_WATCH_QUIET */
};

/** Starts watching `fd` for `wanted` (may be 0). Returns DX_OK, DX_ERR_NOMEM, DX_ERR_SYSTEM. */
DX_MUST_CHECK enum dx_err dx_watch_start(struct dx_loop *loop, struct dx_watch *watch, int fd,
                                         unsigned wanted,
                                         void (*on_ready)(struct dx_watch *watch, unsigned events));

/** Changes what is wanted; no system call when nothing changes. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_SYSTEM. */
DX_MUST_CHECK enum dx_err dx_watch_set(struct dx_loop *loop, struct dx_watch *watch,
                                       unsigned wanted);

/** Stops; before the descriptor is closed. Fine when not started (a watch that is all zero). */
void dx_watch_stop(struct dx_loop *loop, struct dx_watch *watch);

/** Says how many bytes before and from its beginning on most watches' owners have: they are fetched ahead. */
void dx_loop_expect_around_watch(struct dx_loop *loop, size_t before, size_t behind);

static inline bool dx_watch_is_started(const struct dx_watch *watch)
{
    return watch->on_ready != NULL;
}

#endif
