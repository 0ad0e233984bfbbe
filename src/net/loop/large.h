/*
 * large.h - buffers for messages longer than one read, kept for the next such message.
 *
 * A fresh page costs 1.4 microseconds, so a loop that echoes messages of a megabyte must not get them from the kernel
 * each time. What is handed out counts against the pool's limit; what is kept does not, and is bounded.
 */
#ifndef DX_NET_LARGE_H
#define DX_NET_LARGE_H

#include "base/pool.h"

#define DX_LARGE_KEPT_COUNT 4
#define DX_LARGE_KEPT_LEN (8 * 1024 * 1024) /* bytes kept in all */

struct dx_large {
    size_t len;  /* bytes in use, the owner's */
    size_t room; /* of bytes[] */
    uint8_t bytes[];
};

struct dx_large_store {
    struct dx_pool *pool;
    struct dx_large *kept[DX_LARGE_KEPT_COUNT];
    size_t kept_len;
};

void dx_large_store_init(struct dx_large_store *store, struct dx_pool *pool);

/** Frees what is kept. */
void dx_large_store_release(struct dx_large_store *store);

/**
 * Hands out a buffer with room for at least `len` bytes, empty.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY (the pool's limit).
 */
DX_MUST_CHECK enum dx_err dx_large_take(struct dx_large_store *store, size_t len,
                                        struct dx_large **large);

/**
 * Makes room for at least `room` bytes, keeping what is in it. Growing by doubling is the caller's.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY: then `*large` is as before.
 */
DX_MUST_CHECK enum dx_err dx_large_grow(struct dx_large_store *store, struct dx_large **large,
                                        size_t room);

/** Gives a buffer back. NULL is fine. */
void dx_large_give(struct dx_large_store *store, struct dx_large *large);

struct dx_loop;

/** The loop's store. */
struct dx_large_store *dx_loop_large(struct dx_loop *loop);

#endif
