/*
 * pool.h - blocks of one size, kept for reuse, with one limit.
 *
 * Each loop has a pool. All queues, messages and kept bytes of the loop are in its blocks, so that
 * the limit of the pool is the limit of all buffers (--max-memory), and a busy loop does not give
 * pages back to the kernel with each message: a fresh page costs 1.4 microseconds. Not thread-safe:
 * for one loop.
 */
#ifndef DX_BASE_POOL_H
#define DX_BASE_POOL_H

#include <duplex/error.h>

#include <stdatomic.h>

#define DX_BLOCK_SIZE 16384 /* bytes of a block, with its header */

struct dx_block {
    struct dx_block *next;
    struct dx_shared
        *shared; /* not NULL: the block refers to this shared frame and has no bytes of its own */
    uint32_t start;  /* the first byte that was not consumed */
    uint32_t end;    /* one past the last byte that was written */
    uint8_t bytes[]; /* DX_BLOCK_ROOM bytes; none if shared */
};

#define DX_BLOCK_ROOM (DX_BLOCK_SIZE - sizeof(struct dx_block))

struct dx_pool {
    struct dx_block *free;
    size_t free_count;
    size_t keep_count; /* more free blocks than this go back to the allocator */
    /* bytes handed out, in blocks and large buffers; any thread may read it */
    atomic_size_t used_len;
    size_t limit_len;
};

/** The bytes that are handed out now. Any thread. */
static inline size_t dx_pool_used(const struct dx_pool *pool)
{
    return atomic_load_explicit(&pool->used_len, memory_order_relaxed);
}

/**
 * Makes an empty pool that hands out at most `limit_len` bytes and keeps at most `keep_count`
 * blocks.
 */
void dx_pool_init(struct dx_pool *pool, size_t keep_count, size_t limit_len);

/** Frees the kept blocks. All others must have been given back. */
void dx_pool_release(struct dx_pool *pool);

/**
 * Hands out a block: next and shared are NULL, start and end 0, its bytes undefined.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY (the limit is reached).
 */
DX_MUST_CHECK enum dx_err dx_pool_take(struct dx_pool *pool, struct dx_block **block);

/** Gives a block back. Shared ones are freed by dx_output. */
void dx_pool_give(struct dx_pool *pool, struct dx_block *block);

/**
 * Counts `len` bytes of a buffer that the caller allocates, such as a large message, against the
 * limit. Undone by dx_pool_uncharge.
 *
 * Returns DX_OK, or DX_ERR_TOO_MANY: nothing is counted.
 */
DX_MUST_CHECK enum dx_err dx_pool_charge(struct dx_pool *pool, size_t len);
void dx_pool_uncharge(struct dx_pool *pool, size_t len);

#endif
