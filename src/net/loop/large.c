/*
 * large.c - see large.h. The kept buffers are few, so a linear search finds one that fits.
 */
#include "net/loop/large.h"

#include <stdlib.h>

static size_t cost_of(size_t room)
{
    return sizeof(struct dx_large) + room;
}

void dx_large_store_init(struct dx_large_store *store, struct dx_pool *pool)
{
    *store = (struct dx_large_store){.pool = pool};
}

void dx_large_store_release(struct dx_large_store *store)
{
    for (size_t i = 0; i < DX_LARGE_KEPT_COUNT; i++) {
        free(store->kept[i]);
        store->kept[i] = NULL;
    }
    store->kept_len = 0;
}

/* The index of the smallest kept buffer with enough room, or -1. */
static int find_kept(const struct dx_large_store *store, size_t len)
{
    int best = -1;

    for (int i = 0; i < DX_LARGE_KEPT_COUNT; i++) {
        const struct dx_large *large = store->kept[i];

        if (large && large->room >= len && (best < 0 || large->room < store->kept[best]->room))
            best = i;
    }
    return best;
}

enum dx_err dx_large_take(struct dx_large_store *store, size_t len, struct dx_large **large)
{
    int index = find_kept(store, len);
    size_t room = index >= 0 ? store->kept[index]->room : len;
    struct dx_large *taken;
    enum dx_err err = dx_pool_charge(store->pool, cost_of(room));

    /* A kept buffer much larger than `len` may exceed the limit where a new one does not. */
    if (err && room > len) {
        index = -1;
        room = len;
        err = dx_pool_charge(store->pool, cost_of(room));
    }
    if (err)
        return err;
    if (index >= 0) {
        taken = store->kept[index];
        store->kept[index] = NULL;
        store->kept_len -= room;
    } else {
        taken = malloc(cost_of(room));
        if (!taken) {
            dx_pool_uncharge(store->pool, cost_of(room));
            return DX_ERR_NOMEM;
        }
        taken->room = room;
    }
    taken->len = 0;
    *large = taken;
    return DX_OK;
}

enum dx_err dx_large_grow(struct dx_large_store *store, struct dx_large **large, size_t room)
{
    size_t more = room - (*large)->room;
    struct dx_large *grown;
    enum dx_err err;

    if (room <= (*large)->room)
        return DX_OK;
    err = dx_pool_charge(store->pool, more);
    if (err)
        return err;
    grown = realloc(*large, cost_of(room));
    if (!grown) {
        dx_pool_uncharge(store->pool, more);
        return DX_ERR_NOMEM;
    }
    grown->room = room;
    *large = grown;
    return DX_OK;
}

void dx_large_give(struct dx_large_store *store, struct dx_large *large)
{
    if (!large)
        return;
    dx_pool_uncharge(store->pool, cost_of(large->room));
    if (large->room <= DX_LARGE_KEPT_LEN - store->kept_len) {
        for (size_t i = 0; i < DX_LARGE_KEPT_COUNT; i++) {
            if (store->kept[i])
                continue;
            store->kept[i] = large;
            store->kept_len += large->room;
            return;
        }
    }
    free(large);
}
