/*
 * output.h - a queue of bytes on their way out: a list of pool blocks and shared frames.
 *
 * Empty, it owns nothing. It does not send: the owner peeks at slices, sends them, and consumes
 * what was taken.
 */
#ifndef DX_BASE_OUTPUT_H
#define DX_BASE_OUTPUT_H

#include "base/pool.h"
#include "base/slice.h"

/* For owners of a queue: from this length up, bytes go to the kernel from the caller's memory. */
#define DX_DIRECT_LEN 16384

/* For owners that send at the turn's end: a queue of this length is sent before. */
#define DX_FLUSH_LEN 131072

struct dx_shared; /* base/shared.h: an immutable, reference-counted run of bytes */

struct dx_output {
    struct dx_pool *pool;
    struct dx_block *first;
    struct dx_block *last;
    size_t len; /* bytes waiting */
};

void dx_output_init(struct dx_output *output, struct dx_pool *pool);

/**
 * Drops everything that waits and gives the blocks back. The output is empty and usable afterwards.
 */
void dx_output_clear(struct dx_output *output);

/**
 * Makes room for `len` (1 .. DX_BLOCK_ROOM) contiguous bytes at the tail and points `*at` to it.
 * Nothing is queued until dx_output_commit; any other call on the output forgets the reservation
 * (end one that came to nothing with a commit of 0, or its block stays until the next bytes are
 * consumed).
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY (the pool's limit).
 */
DX_MUST_CHECK enum dx_err dx_output_reserve(struct dx_output *output, size_t len, uint8_t **at);

/** How many contiguous bytes a reservation could get without a new block: 0 .. DX_BLOCK_ROOM. */
size_t dx_output_tail_room(const struct dx_output *output);

/** Queues the first `len` bytes of the last reservation; 0 gives it back. */
void dx_output_commit(struct dx_output *output, size_t len);

/**
 * Copies all of `data` to the tail, or nothing.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY.
 */
DX_MUST_CHECK enum dx_err dx_output_append(struct dx_output *output, const void *data, size_t len);

/**
 * Queues a reference to a shared frame (no copy); takes one reference of its own. The pool's limit
 * counts the few bytes that name it, not the frame.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY.
 */
DX_MUST_CHECK enum dx_err dx_output_append_shared(struct dx_output *output,
                                                  struct dx_shared *shared);

/**
 * Fills at most `max_count` slices with what waits, in order; returns how many. Valid until the
 * next change.
 */
size_t dx_output_peek(const struct dx_output *output, struct dx_slice *slices, size_t max_count);

/** Takes the first `len` bytes (at most output->len) off the queue. */
void dx_output_consume(struct dx_output *output, size_t len);

/**
 * Takes back what was queued last until only `len` (at most output->len) bytes wait: undoes a
 * half-queued frame.
 */
void dx_output_truncate(struct dx_output *output, size_t len);

#endif
