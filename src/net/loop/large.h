/*
 * large.h - buffers for messages longer than one read, kept for the next such message.
 *
 * A fresh page costs 1.4 microseconds, so a loop that echoes messages of a megabyte must not get
 * new pages from the kernel each time. Buffers in use count against the pool's limit; kept ones do
 * not, but have a bound of their own.
 */
#ifndef DX_NET_LARGE_H
#define DX_NET_LARGE_H

#include "base/pool.h"

#define DX_LARGE_KEPT_COUNT 4
#define DX_LARGE_KEPT_LEN (8 * 1024 * 1024) /* most bytes kept, in total */

struct dx_large {
    size_t len;  /* bytes in use; set by the buffer's owner */
    size_t room; /* size of bytes[] */
    uint8_t bytes[];
};

struct dx_large_store {
    struct dx_pool *pool;
    struct dx_large *kept[DX_LARGE_KEPT_COUNT];
    size_t kept_len;
};

/** Makes an empty store that charges `pool`, which must outlive it. */
void dx_large_store_init(struct dx_large_store *store, struct dx_pool *pool);

/** Frees the kept buffers. */
void dx_large_store_release(struct dx_large_store *store);

/**
 * Takes a buffer with room for at least `len` bytes; its length is 0. Give it back with
 * dx_large_give.
 *
 * Returns DX_OK, or:
 *   DX_ERR_NOMEM      out of memory
 *   DX_ERR_TOO_MANY   the pool's limit is reached
 */
DX_MUST_CHECK enum dx_err dx_large_take(struct dx_large_store *store, size_t len,
                                        struct dx_large **large);

/**
 * Makes room for at least `room` bytes and keeps the contents; the buffer may move. It grows to
 * exactly `room`: doubling is up to the caller.
 *
 * On failure `*large` is unchanged. Returns as dx_large_take.
 */
DX_MUST_CHECK enum dx_err dx_large_grow(struct dx_large_store *store, struct dx_large **large,
                                        size_t room);

/** Gives a buffer back, to be kept or freed. NULL is fine. */
void dx_large_give(struct dx_large_store *store, struct dx_large *large);

struct dx_loop;

/** The store of a loop. */
struct dx_large_store *dx_loop_large(struct dx_loop *loop);

#endif
