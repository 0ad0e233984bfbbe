/*
 * pool.c - the free list of a loop, and the limit of its buffers.
 */
#include "base/pool.h"

#include <stdlib.h>

void dx_pool_init(struct dx_pool *pool, size_t keep_count, size_t limit_len)
{
    *pool = (struct dx_pool){.keep_count = keep_count, .limit_len = limit_len};
}

void dx_pool_release(struct dx_pool *pool)
{
    while (pool->free) {
        struct dx_block *block = pool->free;

        pool->free = block->next;
        free(block);
    }
    pool->free_count = 0;
}

enum dx_err dx_pool_take(struct dx_pool *pool, struct dx_block **block)
{
    struct dx_block *taken = pool->free;
    enum dx_err err = dx_pool_charge(pool, DX_BLOCK_SIZE);

    if (err)
        return err;
    if (taken) {
        pool->free = taken->next;
        pool->free_count--;
    } else {
        taken = malloc(DX_BLOCK_SIZE);
        if (!taken) {
            dx_pool_uncharge(pool, DX_BLOCK_SIZE);
            return DX_ERR_NOMEM;
        }
    }
    taken->next = NULL;
    taken->shared = NULL;
    taken->start = 0;
    taken->end = 0;
    *block = taken;
    return DX_OK;
}

void dx_pool_give(struct dx_pool *pool, struct dx_block *block)
{
    dx_pool_uncharge(pool, DX_BLOCK_SIZE);
    if (pool->free_count >= pool->keep_count) {
        free(block);
        return;
    }
    /* The block that was given back last is taken first: it is still in the cache. */
    block->next = pool->free;
    pool->free = block;
    pool->free_count++;
}

/* Only one thread changes it, so a plain store is enough. */
static void set_used(struct dx_pool *pool, size_t used_len)
{
    atomic_store_explicit(&pool->used_len, used_len, memory_order_relaxed);
}

enum dx_err dx_pool_charge(struct dx_pool *pool, size_t len)
{
    size_t used_len = dx_pool_used(pool);

    if (used_len > pool->limit_len || len > pool->limit_len - used_len)
        return DX_ERR_TOO_MANY;
    set_used(pool, used_len + len);
    return DX_OK;
}

void dx_pool_uncharge(struct dx_pool *pool, size_t len)
{
    set_used(pool, dx_pool_used(pool) - len);
}
