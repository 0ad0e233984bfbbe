/*
 * pool.h - blocks of one size, kept for the next use, under one limit.
 *
 * A loop owns one pool; every queue, message and carry buffer on that loop is made of its blocks,
 * so that the pool's limit is the limit of all buffers (--max-memory) and a busy loop never gives
 * a page back to the kernel a message (a fresh page costs 1.4 microseconds). Not thread-safe: one
 * loop.
 */
#ifndef DX_BASE_POOL_H
#define DX_BASE_POOL_H

#include <duplex/error.h>

#include <stdatomic.h>

#define DX_BLOCK_SIZE 16384 /* bytes of a block, its header included */

struct dx_block {
    struct dx_block *next;
    struct dx_shared
        *shared;     /* not NULL: this block only names a shared frame, its bytes are there */
    uint32_t start;  /* first unread byte of the bytes */
    uint32_t end;    /* one past the last written byte */
    uint8_t bytes[]; /* DX_BLOCK_ROOM of them, none when shared */
};

#define DX_BLOCK_ROOM (DX_BLOCK_SIZE - sizeof(struct dx_block))

struct dx_pool {
    struct dx_block *free;
    size_t free_count;
    size_t keep_count; /* free blocks above this go back to the allocator */
    /* bytes handed out: blocks and large buffers; other threads may read it */
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

/** Frees what is kept. Everything taken must have been given back. */
void dx_pool_release(struct dx_pool *pool);

/**
 * Hands out a block: next and shared NULL, start and end 0, bytes undefined.
 *
 * Returns DX_OK; DX_ERR_NOMEM; DX_ERR_TOO_MANY when the limit is reached.
 */
DX_MUST_CHECK enum dx_err dx_pool_take(struct dx_pool *pool, struct dx_block **block);

/** Gives a block back (never a shared one: dx_output does those). */
void dx_pool_give(struct dx_pool *pool, struct dx_block *block);

/**
 * Counts `len` bytes of a buffer that the caller allocates itself (a large message) against the
 * limit.
 *
 * Returns DX_OK, or DX_ERR_TOO_MANY and nothing is counted. Undo with dx_pool_uncharge.
 */
DX_MUST_CHECK enum dx_err dx_pool_charge(struct dx_pool *pool, size_t len);
void dx_pool_uncharge(struct dx_pool *pool, size_t len);

#endif
