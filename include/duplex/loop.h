/*
 * duplex/loop.h - the event loop that everything else runs on.
 *
 * An object belongs to the loop it was made on: call it on that loop's thread, where all its
 * callbacks come. From other threads only dx_loop_post and dx_loop_stop may be called. The loop
 * installs no signal handler, and starts a thread only when something needs one (name look-ups,
 * files). It uses libuv; no type of libuv appears here (see duplex/uv.h).
 *
 *     err = dx_loop_new(&loop);
 *     … make servers, websockets, timers on it …
 *     err = dx_loop_run(loop);
 *     … free them …
 *     dx_loop_free(loop);
 */
#ifndef DUPLEX_LOOP_H
#define DUPLEX_LOOP_H

#include <duplex/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dx_loop;

/*
 * Life
 */

/**
 * Makes a loop.
 *
 * Returns DX_OK, or:
 *   DX_ERR_NOMEM         out of memory
 *   DX_ERR_DESCRIPTORS   no descriptor is free
 *   DX_ERR_SYSTEM        the system refused
 */
DX_API DX_MUST_CHECK enum dx_err dx_loop_new(struct dx_loop **loop);

/**
 * Frees a loop. Everything that was made on it must be freed before. What is due at the end of the
 * turn is done; posts are dropped. NULL is fine.
 */
DX_API void dx_loop_free(struct dx_loop *loop);

/**
 * Limits all buffers on this loop to `max_len` bytes; default 256 MiB. What does not fit fails with
 * DX_ERR_TOO_MANY.
 */
DX_API void dx_loop_set_max_memory(struct dx_loop *loop, size_t max_len);

/*
 * Running it
 */

/**
 * Runs until dx_loop_stop, or until nothing is left that could happen.
 *
 * Returns DX_OK, or:
 *   DX_ERR_STATE   it runs already, or it belongs to a uv loop (duplex/uv.h)
 */
DX_API DX_MUST_CHECK enum dx_err dx_loop_run(struct dx_loop *loop);

/** Makes dx_loop_run return after this turn; if it does not run yet, at once. Any thread. */
DX_API void dx_loop_stop(struct dx_loop *loop);

/**
 * Calls `call(data)` on the loop's thread. Calls are made in the order in which they were posted.
 * Any thread; returns at once.
 *
 * Returns DX_OK, or:
 *   DX_ERR_QUEUE_FULL   65,536 posts are waiting already
 *   DX_ERR_NOMEM        out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_loop_post(struct dx_loop *loop, void (*call)(void *data),
                                              void *data);

/** Monotonic milliseconds, as of the start of this turn. */
DX_API uint64_t dx_loop_now_ms(const struct dx_loop *loop);

/*
 * Embedding it
 *
 * In a loop of your own, wait for dx_loop_fd and at most dx_loop_timeout_ms, then call
 * dx_loop_dispatch:
 *
 *     struct pollfd ready = {.fd = dx_loop_fd(loop), .events = POLLIN};
 *
 *     poll(&ready, 1, dx_loop_timeout_ms(loop));
 *     err = dx_loop_dispatch(loop);
 */

/** A descriptor that is readable when dx_loop_dispatch has something to do; -1 on a uv loop. */
DX_API int dx_loop_fd(const struct dx_loop *loop);

/** How long to wait for it, in milliseconds; -1: no limit. */
DX_API int dx_loop_timeout_ms(const struct dx_loop *loop);

/**
 * Does what is due, without waiting.
 *
 * Returns DX_OK, or:
 *   DX_ERR_STATE   called inside a callback of this loop, or it belongs to a uv loop
 */
DX_API DX_MUST_CHECK enum dx_err dx_loop_dispatch(struct dx_loop *loop);

/*
 * Timers
 */

struct dx_loop_timer;

/**
 * Makes a timer, which is not set yet.
 *
 * on_due, user   called once for each dx_loop_timer_set
 *
 * Returns DX_OK, or:
 *   DX_ERR_NOMEM   out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_loop_timer_new(struct dx_loop *loop, void (*on_due)(void *user),
                                                   void *user, struct dx_loop_timer **timer);

/** Sets a timer to `delay_ms` from now, in place of an earlier time. Set it again to repeat. */
DX_API void dx_loop_timer_set(struct dx_loop_timer *timer, uint64_t delay_ms);

/** Stops a timer that is set. */
DX_API void dx_loop_timer_unset(struct dx_loop_timer *timer);

/** Frees a timer, also in its own callback. NULL is fine. */
DX_API void dx_loop_timer_free(struct dx_loop_timer *timer);

/*
 * Descriptors
 *
 * A watch borrows a descriptor. Free the watch before you close the descriptor.
 */

struct dx_loop_watch;

/**
 * Watches a descriptor for input.
 *
 * on_readable, user   called as long as the descriptor is readable or hung up
 *
 * Returns DX_OK, or:
 *   DX_ERR_SYSTEM   the descriptor cannot be watched (a regular file, for example)
 *   DX_ERR_NOMEM    out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_loop_watch_new(struct dx_loop *loop, int fd,
                                                   void (*on_readable)(int fd, void *user),
                                                   void *user, struct dx_loop_watch **watch);

/**
 * Watches a descriptor for output.
 *
 * on_writable, user   called as long as the descriptor can be written to, or has no reader any more
 *
 * Returns as dx_loop_watch_new.
 */
DX_API DX_MUST_CHECK enum dx_err
dx_loop_watch_new_for_output(struct dx_loop *loop, int fd, void (*on_writable)(int fd, void *user),
                             void *user, struct dx_loop_watch **watch);

/** Stops watching, also in its own callback. NULL is fine. */
DX_API void dx_loop_watch_free(struct dx_loop_watch *watch);

#ifdef __cplusplus
}
#endif
#endif
