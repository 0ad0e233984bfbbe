/*
 * output.c - the queue of blocks. It may contain an empty block, a reservation that was not
 * committed; peek skips it.
 */
#include "base/output.h"
#include "base/shared.h"

#include <stdlib.h>

/* A block that refers to a shared frame is its header alone, but is counted like other buffers. */
#define REFERENCE_LEN sizeof(struct dx_block)

static uint8_t *bytes_of(struct dx_block *block)
{
    /* The queue never writes through the pointer of a shared block. */
    return block->shared ? (uint8_t *)(uintptr_t)dx_shared_slice(block->shared).data : block->bytes;
}

static void push(struct dx_output *output, struct dx_block *block)
{
    if (output->last)
        output->last->next = block;
    else
        output->first = block;
    output->last = block;
}

static void drop_first(struct dx_output *output)
{
    struct dx_block *block = output->first;

    output->first = block->next;
    if (!output->first)
        output->last = NULL;
    if (!block->shared) {
        dx_pool_give(output->pool, block);
        return;
    }
    dx_shared_drop(block->shared);
    free(block);
    dx_pool_uncharge(output->pool, REFERENCE_LEN);
}

void dx_output_init(struct dx_output *output, struct dx_pool *pool)
{
    *output = (struct dx_output){.pool = pool};
}

void dx_output_clear(struct dx_output *output)
{
    while (output->first)
        drop_first(output);
    output->len = 0;
}

size_t dx_output_tail_room(const struct dx_output *output)
{
    const struct dx_block *last = output->last;

    return last && !last->shared ? DX_BLOCK_ROOM - last->end : 0;
}

enum dx_err dx_output_reserve(struct dx_output *output, size_t len, uint8_t **at)
{
    if (dx_output_tail_room(output) < len) {
        struct dx_block *block;
        enum dx_err err = dx_pool_take(output->pool, &block);

        if (err)
            return err;
        push(output, block);
    }
    *at = output->last->bytes + output->last->end;
    return DX_OK;
}

void dx_output_commit(struct dx_output *output, size_t len)
{
    if (len > 0) {
        output->last->end += (uint32_t)len;
        output->len += len;
    } else if (output->len == 0) {
        dx_output_clear(output);
    }
}

/* Takes as many blocks as `len` bytes fill, or none. */
static enum dx_err take_blocks(struct dx_pool *pool, size_t len, struct dx_block **chain)
{
    struct dx_block *taken = NULL;
    size_t got = 0;

    while (got < len) {
        struct dx_block *block;
        enum dx_err err = dx_pool_take(pool, &block);

        if (err) {
            while (taken) {
                block = taken;
                taken = block->next;
                dx_pool_give(pool, block);
            }
            return err;
        }
        block->next = taken;
        taken = block;
        got += DX_BLOCK_ROOM;
    }
    *chain = taken;
    return DX_OK;
}

enum dx_err dx_output_append(struct dx_output *output, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    size_t room = dx_output_tail_room(output);
    struct dx_block *chain = NULL;

    if (len == 0)
        return DX_OK;
    if (len > room) {
        enum dx_err err = take_blocks(output->pool, len - room, &chain);

        if (err)
            return err;
    }
    while (len > 0) {
        size_t part = len < room ? len : room;

        if (part > 0) {
            memcpy(output->last->bytes + output->last->end, bytes, part);
            dx_output_commit(output, part);
            bytes += part;
            len -= part;
        }
        if (chain) {
            struct dx_block *block = chain;

            chain = block->next;
            block->next = NULL;
            push(output, block);
        }
        room = DX_BLOCK_ROOM;
    }
    return DX_OK;
}

enum dx_err dx_output_append_shared(struct dx_output *output, struct dx_shared *shared)
{
    struct dx_block *block;
    size_t len = dx_shared_slice(shared).len;
    enum dx_err err;

    if (len == 0)
        return DX_OK;
    err = dx_pool_charge(output->pool, REFERENCE_LEN);
    if (err)
        return err;
    block = malloc(REFERENCE_LEN);
    if (!block) {
        dx_pool_uncharge(output->pool, REFERENCE_LEN);
        return DX_ERR_NOMEM;
    }
    *block = (struct dx_block){.shared = shared, .end = (uint32_t)len};
    dx_shared_keep(shared);
    push(output, block);
    output->len += len;
    return DX_OK;
}

size_t dx_output_peek(const struct dx_output *output, struct dx_slice *slices, size_t max_count)
{
    size_t count = 0;

    for (struct dx_block *block = output->first; block && count < max_count; block = block->next)
        if (block->start < block->end)
            slices[count++] =
                (struct dx_slice){bytes_of(block) + block->start, block->end - block->start};
    return count;
}

void dx_output_consume(struct dx_output *output, size_t len)
{
    output->len -= len;
    while (len > 0) {
        struct dx_block *block = output->first;
        size_t waiting = block->end - block->start;

        if (len < waiting) {
            block->start += (uint32_t)len;
            return;
        }
        len -= waiting;
        drop_first(output);
    }
    if (output->len == 0)
        dx_output_clear(output);
}

void dx_output_truncate(struct dx_output *output, size_t len)
{
    struct dx_block *last = output->first;
    struct dx_output rest;
    size_t kept = 0;

    if (len == 0) {
        dx_output_clear(output);
        return;
    }
    while (kept + (last->end - last->start) < len) {
        kept += last->end - last->start;
        last = last->next;
    }
    rest = (struct dx_output){output->pool, last->next, output->last, 0};
    if (rest.first)
        dx_output_clear(&rest);
    last->next = NULL;
    last->end = last->start + (uint32_t)(len - kept);
    output->last = last;
    output->len = len;
}
