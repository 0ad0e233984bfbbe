/*
 * loop.h - the inside of <duplex/loop.h>: what connections and listeners of the same loop share.
 *
 * One libuv loop, one epoll set in one uv_poll, one timer (the wheel's next), prepare and check (flush), one async (posts).
 * A turn: due timers, flush, readable descriptors and their callbacks, flush, deferred frees. Nothing is freed inside a turn.
 */
#ifndef DX_NET_LOOP_H
#define DX_NET_LOOP_H

#include <duplex/loop.h>

#include "base/pool.h"
#include "base/wheel.h"

#define DX_READ_SIZE 65536 /* what one connection may read in one turn */
#define DX_READ_ROOM 4096  /* room before the read buffer, for bytes kept from an earlier read */

/* Something to be done once at the end of this turn; embedded in its owner. {.run = f} is a task that is not queued. */
struct dx_turn_task {
    struct dx_turn_task *next; /* NULL: not queued */
    struct dx_turn_task *previous;
    void (*run)(struct dx_turn_task *task);
};

static inline bool dx_turn_task_is_queued(const struct dx_turn_task *task)
{
    return task->next != NULL;
}

/** Runs the task in this turn's flush (uv's prepare and check), once however often it is queued. */
void dx_loop_flush_later(struct dx_loop *loop, struct dx_turn_task *task);

/** Takes the task back; fine when it is not queued. */
void dx_loop_flush_cancel(struct dx_loop *loop, struct dx_turn_task *task);

/**
 * Runs the task when nothing of this turn can hold a pointer to its owner any more: for freeing. The task must not be
 * queued for the flush.
 */
void dx_loop_free_later(struct dx_loop *loop, struct dx_turn_task *task);

/** Whether the calling thread is the loop's: the one that ran it last, or, before that, has made it. Any thread. */
bool dx_loop_is_here(const struct dx_loop *loop);

/** Takes back whatever was posted with this data and has not run. On the loop's thread; what `data` points to may go then. */
void dx_loop_post_cancel(struct dx_loop *loop, const void *data);

struct dx_pool *dx_loop_pool(struct dx_loop *loop);

/** The loop whose pool that is. */
struct dx_loop *dx_loop_of_pool(struct dx_pool *pool);

struct dx_wheel *dx_loop_wheel(struct dx_loop *loop);

/** The loop's one read buffer: DX_READ_SIZE bytes with DX_READ_ROOM bytes before them, free to use during one callback. */
uint8_t *dx_loop_read_buffer(struct dx_loop *loop);

/** Fills `len` bytes with strong randomness (the loop buffers it). False when the system has none. */
bool dx_loop_fill_random(uint8_t *bytes, size_t len, void *loop);

/*
 * What a higher room keeps with a loop: one object for each key, embedded in its owner.
 */
struct dx_loop_slot {
    struct dx_loop_slot *next; /* the loop's */
    const void *key;
    /* The loop is being freed and its last turn is over: ends what is left. What that queues for the turn's end is still done, and the owner
     * may be freed at any moment from now on. */
    void (*on_loop_free)(struct dx_loop_slot *slot);
};

void dx_loop_add_slot(struct dx_loop *loop, struct dx_loop_slot *slot);
/** The slot with that key, or NULL. */
struct dx_loop_slot *dx_loop_find_slot(const struct dx_loop *loop, const void *key);

/** Keeps dx_loop_run running (a listener, a connection …), and lets it end. */
void dx_loop_hold(struct dx_loop *loop);
void dx_loop_let_go(struct dx_loop *loop);

#endif
