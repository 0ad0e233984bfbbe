/*
 * ids.h - 64-bit ids of objects: a generation in the upper half, a place in a table in the lower
 * half.
 *
 * An id is never reused: it finds its object, or nothing once the object is removed. A place is
 * retired when its generations are used up, after 2^32 objects. No id is 0. The bits between place
 * and generation are 0; an owner of several tables numbers them there. Not thread-safe: for one
 * loop.
 */
#ifndef DX_BASE_IDS_H
#define DX_BASE_IDS_H

#include <duplex/error.h>

#define DX_IDS_PLACE_BITS 26 /* bits of an id that hold the place */
#define DX_IDS_CHUNKS 20     /* private to ids.c: each has twice the places of the one before */

/* Twelve bytes for each object. A table that grows is not copied. */
struct dx_ids {
    uintptr_t *chunks[DX_IDS_CHUNKS]; /* places, then their generations */
    uint32_t max_count;
    uint32_t count;       /* objects in the table */
    uint32_t place_count; /* places that have been used */
    uint32_t free;        /* first free place, or UINT32_MAX */
};

/** Makes an empty table for at most `max_count` objects at a time. Allocates nothing. */
void dx_ids_init(struct dx_ids *ids, uint32_t max_count);

/** Frees the table, not the objects. */
void dx_ids_release(struct dx_ids *ids);

/**
 * Gives an id to `object`, which is at an even address and not NULL. O(1).
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY.
 */
DX_MUST_CHECK enum dx_err dx_ids_add(struct dx_ids *ids, void *object, uint64_t *id);

/** Replaces the object of an id that is in the table. */
void dx_ids_set(struct dx_ids *ids, uint64_t id, void *object);

/** The object of that id. NULL: it was removed, or there was none. O(1). */
void *dx_ids_find(const struct dx_ids *ids, uint64_t id);

/** Removes the object of that id and returns it, or NULL as dx_ids_find. O(1). */
void *dx_ids_remove(struct dx_ids *ids, uint64_t id);

/**
 * Returns the first object from place `*place` on, and moves `*place` past it. NULL: there is none.
 * A walk that starts at 0 finds each object that is in the table all the time exactly once,
 * whatever is added and removed meanwhile.
 */
void *dx_ids_next(const struct dx_ids *ids, uint32_t *place);

#endif
