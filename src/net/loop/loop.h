/*
 * loop.h - the internal side of <duplex/loop.h>: what connections and listeners on a loop share.
 *
 * A loop uses five libuv handles: a poll for its own epoll set, a timer for the wheel, prepare and
 * check for flushing, an async for posts. A turn is: due timers, flush, callbacks of ready
 * descriptors, flush, deferred frees. Memory of a connection is freed only between turns.
 *
 * All functions are for the loop's thread unless they say otherwise.
 */
#ifndef DX_NET_LOOP_H
#define DX_NET_LOOP_H

#include <duplex/loop.h>

#include "base/pool.h"
#include "base/wheel.h"

#define DX_READ_SIZE 65536 /* most bytes that one connection reads in one turn */
#define DX_READ_ROOM 4096  /* bytes before the read buffer, for bytes kept from an earlier read */

/*
 * A call to make once at the end of this turn; embedded in its owner. {.run = f} is a task that is
 * not queued.
 */
struct dx_turn_task {
    struct dx_turn_task *next; /* NULL: not queued */
    struct dx_turn_task *previous;
    void (*run)(struct dx_turn_task *task);
};

static inline bool dx_turn_task_is_queued(const struct dx_turn_task *task)
{
    return task->next != NULL;
}

/** Queues a task for the next flush of this turn. It runs once, however often it is queued. */
void dx_loop_flush_later(struct dx_loop *loop, struct dx_turn_task *task);

/** Removes a task from the flush queue. Fine when it is not queued. */
void dx_loop_flush_cancel(struct dx_loop *loop, struct dx_turn_task *task);

/**
 * Runs the task when nothing in this turn can refer to its owner any more: for freeing the owner.
 * The task must not be queued for the flush.
 */
void dx_loop_free_later(struct dx_loop *loop, struct dx_turn_task *task);

/**
 * True on the loop's thread: the one that ran the loop last or, before the first run, made it. Any
 * thread.
 */
bool dx_loop_is_here(const struct dx_loop *loop);

/**
 * Cancels all posts with this `data` that have not run. The caller may free what `data` points to
 * afterwards.
 */
void dx_loop_post_cancel(struct dx_loop *loop, const void *data);

/** The pool of a loop. */
struct dx_pool *dx_loop_pool(struct dx_loop *loop);

/** The loop of a pool that dx_loop_pool returned. */
struct dx_loop *dx_loop_of_pool(struct dx_pool *pool);

/** The timers of a loop. */
struct dx_wheel *dx_loop_wheel(struct dx_loop *loop);

/**
 * The read buffer that all connections of the loop share: DX_READ_SIZE bytes, preceded by
 * DX_READ_ROOM usable bytes. Its contents are valid during one callback.
 */
uint8_t *dx_loop_read_buffer(struct dx_loop *loop);

/**
 * Fills `bytes` with `len` random bytes, fit for keys; the loop buffers them. Never blocks. False
 * when the system has none.
 */
bool dx_loop_fill_random(uint8_t *bytes, size_t len, void *loop);

/*
 * An object that a higher layer attaches to a loop, one for each key; embedded in its owner.
 */
struct dx_loop_slot {
    struct dx_loop_slot *next; /* the loop's */
    const void *key;

    /*
     * The loop is being freed and its last turn is over: ends what is left. Tasks queued here still
     * run; the owner may free itself at any time from now on.
     */
    void (*on_loop_free)(struct dx_loop_slot *slot);
};

/** Attaches a slot, whose key no other slot of the loop has. */
void dx_loop_add_slot(struct dx_loop *loop, struct dx_loop_slot *slot);

/** The slot with that key, or NULL. */
struct dx_loop_slot *dx_loop_find_slot(const struct dx_loop *loop, const void *key);

/** Keeps dx_loop_run running, until an equal number of dx_loop_let_go. */
void dx_loop_hold(struct dx_loop *loop);

/** Ends one dx_loop_hold. */
void dx_loop_let_go(struct dx_loop *loop);

#endif
