/*
 * ids.h - 64-bit ids for objects: generation in the upper half, place in a table in the lower.
 *
 * An id once given never names another object: it finds its object, or after the object's end
 * nothing, for ever. A place whose generations are used up (after 2^32 objects) is not used again.
 * No id is 0. The bits between place and generation are 0: an owner of several tables says there
 * which one it is. Not thread-safe: one loop.
 */
#ifndef DX_BASE_IDS_H
#define DX_BASE_IDS_H

#include <duplex/error.h>

#define DX_IDS_PLACE_BITS 26 /* of an id's lower half */
#define DX_IDS_CHUNKS 20     /* private to ids.c: each has twice the places of the one before */

/* Twelve bytes an object; a table that grows is not copied. */
struct dx_ids {
    uintptr_t *chunks[DX_IDS_CHUNKS]; /* places, followed by their generations */
    uint32_t max_count;
    uint32_t count;       /* objects in the table */
    uint32_t place_count; /* places that were ever used */
    uint32_t free;        /* first free place, or UINT32_MAX */
};

/** Makes an empty table for at most `max_count` objects at a time. Allocates nothing. */
void dx_ids_init(struct dx_ids *ids, uint32_t max_count);

/** Frees the table, not the objects. */
void dx_ids_release(struct dx_ids *ids);

/**
 * Gives `object` (at an even address, not NULL) an id. O(1).
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_MANY.
 */
DX_MUST_CHECK enum dx_err dx_ids_add(struct dx_ids *ids, void *object, uint64_t *id);

/** Gives an id that is in the table another object (as above). */
void dx_ids_set(struct dx_ids *ids, uint64_t id, void *object);

/** The object of that id; NULL when it was removed, or there never was one. O(1). */
void *dx_ids_find(const struct dx_ids *ids, uint64_t id);

/** Forgets the object of that id and returns it; NULL as dx_ids_find. O(1). */
void *dx_ids_remove(struct dx_ids *ids, uint64_t id);

/**
 * The first object from place `*place` on, and moves `*place` past it; NULL: there is none.
 * Begun with 0 it finds each object that is in the table from beginning to end of the walk, once,
 * whatever is added and removed on the way.
 */
void *dx_ids_next(const struct dx_ids *ids, uint32_t *place);

#endif
