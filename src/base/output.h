/*
 * output.h - a queue of bytes to be sent: a list of pool blocks and shared frames.
 *
 * An empty queue owns nothing. The owner peeks at slices, sends them, and consumes what was sent.
 */
#ifndef DX_BASE_OUTPUT_H
#define DX_BASE_OUTPUT_H

#include "base/pool.h"
#include "base/slice.h"

/* For owners: bytes of this length or more go to the kernel from the caller's memory. */
#define DX_DIRECT_LEN 16384

/* For owners that send at the end of a turn: a queue of this length is sent earlier. */
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
 * Drops everything that is queued and gives the blocks back. The output is empty and usable then.
 */
void dx_output_clear(struct dx_output *output);

/**
 * Makes room for `len` (1 .. DX_BLOCK_ROOM) contiguous bytes at the tail and points `*at` to it.
 * Nothing is queued until dx_output_commit. Any other call on the output ends the reservation; to
 * cancel it, commit 0 bytes, or its block stays until bytes are consumed.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY (the limit of the pool).
 */
DX_MUST_CHECK enum dx_err dx_output_reserve(struct dx_output *output, size_t len, uint8_t **at);

/** How many bytes can be reserved without a new block: 0 .. DX_BLOCK_ROOM. */
size_t dx_output_tail_room(const struct dx_output *output);

/** Queues the first `len` bytes of the last reservation; 0 cancels it. */
void dx_output_commit(struct dx_output *output, size_t len);

/**
 * Queues a copy of all of `data`, or nothing.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY.
 */
DX_MUST_CHECK enum dx_err dx_output_append(struct dx_output *output, const void *data, size_t len);

/**
 * Queues a reference to a shared frame, without a copy, and takes a reference of its own. Only the
 * few bytes of the block count against the limit of the pool, not the frame.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY.
 */
DX_MUST_CHECK enum dx_err dx_output_append_shared(struct dx_output *output,
                                                  struct dx_shared *shared);

/**
 * Fills at most `max_count` slices with the queued bytes, in order. Returns how many. They are
 * valid until the next change.
 */
size_t dx_output_peek(const struct dx_output *output, struct dx_slice *slices, size_t max_count);

/** Removes the first `len` bytes (at most output->len) from the queue. */
void dx_output_consume(struct dx_output *output, size_t len);

/**
 * Removes bytes from the tail until only `len` (at most output->len) are left: undoes a frame that
 * is queued in part.
 */
void dx_output_truncate(struct dx_output *output, size_t len);

#endif
