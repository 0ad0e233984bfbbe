/*
 * ids.h - 64-bit ids for objects: generation in the upper half, place in a table in the lower.
 *
 * An id once given never names another object: it finds its object, or after the object's end nothing, for ever. A place
 * whose generations are used up (after 2^32 objects) is not used again. No id is 0. Not thread-safe: one loop.
 */
#ifndef DX_BASE_IDS_H
#define DX_BASE_IDS_H

#include <duplex/error.h>

/* Private to ids.c: a place of the table. */
struct dx_id_entry {
    void *object;        /* NULL: free, or used up */
    uint32_t generation; /* of the object, or of the next one */
    uint32_t next_free;
};

struct dx_ids {
    struct dx_id_entry *entries;
    uint32_t room;
    uint32_t max_count;
    uint32_t count;      /* objects in the table */
    uint32_t used_count; /* entries that were ever used */
    uint32_t free;       /* first free entry, or UINT32_MAX */
};

/** Makes an empty table for at most `max_count` objects at a time. Allocates nothing. */
void dx_ids_init(struct dx_ids *ids, uint32_t max_count);

/** Frees the table, not the objects. */
void dx_ids_release(struct dx_ids *ids);

/**
 * Gives `object` (not NULL) an id. O(1), amortised.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY.
 */
DX_MUST_CHECK enum dx_err dx_ids_add(struct dx_ids *ids, void *object, uint64_t *id);

/** The object of that id; NULL when it was removed, or there never was one. O(1). */
void *dx_ids_find(const struct dx_ids *ids, uint64_t id);

/** Forgets the object of that id and returns it; NULL as dx_ids_find. O(1). */
void *dx_ids_remove(struct dx_ids *ids, uint64_t id);

#endif
