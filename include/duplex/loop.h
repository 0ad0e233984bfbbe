/*
 * duplex/loop.h - the event loop that everything else runs on.
 *
 * An object belongs to the loop it was made on: call it on that loop's thread, where all its callbacks come. From other
 * threads only dx_loop_post and dx_loop_stop may be called. The loop installs no signal handler and starts no thread
 * until something needs one (name look-ups, files). Inside is libuv; no type of it appears here (see duplex/uv.h).
 */
#ifndef DUPLEX_LOOP_H
#define DUPLEX_LOOP_H

#include <duplex/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dx_loop;

/** Makes a loop. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_DESCRIPTORS, DX_ERR_SYSTEM. */
DX_API DX_MUST_CHECK enum dx_err dx_loop_new(struct dx_loop **loop);

/** Frees the loop; everything made on it must be gone. What waits for the turn's end is done, posts are dropped. NULL is fine. */
DX_API void dx_loop_free(struct dx_loop *loop);

/** Limits the bytes of all buffers on this loop (default 256 MiB); what does not fit fails with DX_ERR_TOO_MANY. */
DX_API void dx_loop_set_max_memory(struct dx_loop *loop, size_t max_len);

/**
 * Runs until dx_loop_stop, or until nothing is left that could happen. Returns DX_OK; DX_ERR_STATE when it runs already.
 */
DX_API DX_MUST_CHECK enum dx_err dx_loop_run(struct dx_loop *loop);

/** Makes dx_loop_run return after this turn, or at once when it is not running yet. Any thread. */
DX_API void dx_loop_stop(struct dx_loop *loop);

/**
 * Runs `call(data)` on the loop's thread, in the order posted. Any thread; returns at once.
 *
 * Returns DX_OK; DX_ERR_NOMEM; DX_ERR_QUEUE_FULL when 65,536 posts wait already.
 */
DX_API DX_MUST_CHECK enum dx_err dx_loop_post(struct dx_loop *loop, void (*call)(void *data),
                                              void *data);

/** Monotonic milliseconds, as of the beginning of this turn. */
DX_API uint64_t dx_loop_now_ms(const struct dx_loop *loop);

/** For embedding: a descriptor that is readable when dx_loop_dispatch has something to do, and how long to wait at most (-1: for ever). */
DX_API int dx_loop_fd(const struct dx_loop *loop);
DX_API int dx_loop_timeout_ms(const struct dx_loop *loop);

/** Does what is due without waiting. Returns DX_OK; DX_ERR_STATE inside a callback of this loop. */
DX_API DX_MUST_CHECK enum dx_err dx_loop_dispatch(struct dx_loop *loop);

/**
 * A timer: one call, `delay_ms` from now; set again to repeat. Free it at any time, also in its own callback; NULL is fine.
 *
 * Returns DX_OK, DX_ERR_NOMEM.
 */
struct dx_loop_timer;
DX_API DX_MUST_CHECK enum dx_err dx_loop_timer_new(struct dx_loop *loop, void (*on_due)(void *user),
                                                   void *user, struct dx_loop_timer **timer);
DX_API void dx_loop_timer_set(struct dx_loop_timer *timer, uint64_t delay_ms);
DX_API void dx_loop_timer_unset(struct dx_loop_timer *timer);
DX_API void dx_loop_timer_free(struct dx_loop_timer *timer);

/**
 * Watches a descriptor of yours (it stays yours) for input: `on_readable` comes as long as it is readable or hung up. Stop before
 * you close it; freeing NULL is fine.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_SYSTEM.
 */
struct dx_loop_watch;
DX_API DX_MUST_CHECK enum dx_err dx_loop_watch_new(struct dx_loop *loop, int fd,
                                                   void (*on_readable)(int fd, void *user),
                                                   void *user, struct dx_loop_watch **watch);
/** The same for output: `on_writable` comes as long as it can be written to, or nobody reads it any more. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_SYSTEM. */
DX_API DX_MUST_CHECK enum dx_err
dx_loop_watch_new_for_output(struct dx_loop *loop, int fd, void (*on_writable)(int fd, void *user),
                             void *user, struct dx_loop_watch **watch);
DX_API void dx_loop_watch_free(struct dx_loop_watch *watch);

#ifdef __cplusplus
}
#endif
#endif
