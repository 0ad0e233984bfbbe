/*
 * shared.c - the atomic reference count of shared bytes.
 */
#include "base/shared.h"

#include <stdatomic.h>
#include <stdlib.h>

struct dx_shared {
    atomic_size_t reference_count;
    size_t len;
    uint8_t bytes[];
};

enum dx_err dx_shared_new(size_t len, struct dx_shared **shared, uint8_t **bytes)
{
    struct dx_shared *made;

    if (len > UINT32_MAX)
        return DX_ERR_TOO_BIG;
    made = malloc(sizeof(*made) + len);
    if (!made)
        return DX_ERR_NOMEM;
    atomic_init(&made->reference_count, 1);
    made->len = len;
    *shared = made;
    *bytes = made->bytes;
    return DX_OK;
}

void dx_shared_keep(struct dx_shared *shared)
{
    atomic_fetch_add_explicit(&shared->reference_count, 1, memory_order_relaxed);
}

void dx_shared_drop(struct dx_shared *shared)
{
    if (!shared)
        return;
    /*
     * Release: our reads happen before the free. Acquire: the free happens after the reads of
     * others.
     */
    if (atomic_fetch_sub_explicit(&shared->reference_count, 1, memory_order_acq_rel) == 1)
        free(shared);
}

struct dx_slice dx_shared_slice(const struct dx_shared *shared)
{
    return (struct dx_slice){shared->bytes, shared->len};
}
