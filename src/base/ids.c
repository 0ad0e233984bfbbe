/*
 * ids.c - a table of places with a free list in it. The place that was freed last is used first.
 *
 * A place holds its object, or the number of the next free place, marked by the lowest bit.
 */
#include "base/ids.h"

#include <stdlib.h>

#define NONE UINT32_MAX
#define FIRST_ROOM 64

/* The position of a place. */
struct spot {
    uintptr_t *value;
    uint32_t *generation;
};

void dx_ids_init(struct dx_ids *ids, uint32_t max_count)
{
    *ids = (struct dx_ids){.max_count = max_count, .free = NONE};
}

void dx_ids_release(struct dx_ids *ids)
{
    for (size_t i = 0; i < DX_IDS_CHUNKS; i++)
        free(ids->chunks[i]);
    dx_ids_init(ids, ids->max_count);
}

static uint32_t room_of(unsigned chunk)
{
    return (uint32_t)FIRST_ROOM << chunk;
}

/* Chunk c begins at FIRST_ROOM * (2^c - 1). */
static unsigned chunk_of(uint32_t place)
{
    return 31u - (unsigned)__builtin_clz(place / FIRST_ROOM + 1);
}

static struct spot spot_of(const struct dx_ids *ids, uint32_t place)
{
    unsigned chunk = chunk_of(place);
    uint32_t at = place - (room_of(chunk) - FIRST_ROOM);
    uintptr_t *values = ids->chunks[chunk];

    return (struct spot){&values[at], (uint32_t *)(void *)(values + room_of(chunk)) + at};
}

static uintptr_t free_mark(uint32_t next)
{
    return (uintptr_t)next << 1 | 1;
}

static bool is_free(uintptr_t value)
{
    return (value & 1) != 0;
}

/*
 * A place that has never been used. The memory of a large chunk costs nothing until it is touched.
 */
static enum dx_err take_new(struct dx_ids *ids, uint32_t *place)
{
    unsigned chunk = chunk_of(ids->place_count);

    if (chunk >= DX_IDS_CHUNKS)
        return DX_ERR_TOO_MANY;
    if (ids->chunks[chunk] == NULL)
        ids->chunks[chunk] = malloc(room_of(chunk) * (sizeof(uintptr_t) + sizeof(uint32_t)));
    if (ids->chunks[chunk] == NULL)
        return DX_ERR_NOMEM;
    *place = ids->place_count++;
    *spot_of(ids, *place).generation = 1;
    return DX_OK;
}

enum dx_err dx_ids_add(struct dx_ids *ids, void *object, uint64_t *id)
{
    uint32_t place = ids->free;
    struct spot spot;

    if (ids->count >= ids->max_count)
        return DX_ERR_TOO_MANY;
    if (place == NONE) {
        enum dx_err err = take_new(ids, &place);

        if (err)
            return err;
        spot = spot_of(ids, place);
    } else {
        spot = spot_of(ids, place);
        ids->free = (uint32_t)(*spot.value >> 1);
        /* Where pointers are short, the mark of the last place has lost a bit. */
        if (ids->free >= ids->place_count)
            ids->free = NONE;
    }
    *spot.value = (uintptr_t)object;
    ids->count++;
    *id = (uint64_t)*spot.generation << 32 | place;
    return DX_OK;
}

/* False: there is no object with that id. */
static bool find_spot(const struct dx_ids *ids, uint64_t id, struct spot *spot)
{
    uint32_t place = (uint32_t)id;

    if (place >= ids->place_count)
        return false;
    *spot = spot_of(ids, place);
    return !is_free(*spot->value) && *spot->generation == id >> 32;
}

void dx_ids_set(struct dx_ids *ids, uint64_t id, void *object)
{
    struct spot spot;

    if (find_spot(ids, id, &spot))
        *spot.value = (uintptr_t)object;
}

void *dx_ids_find(const struct dx_ids *ids, uint64_t id)
{
    struct spot spot;

    return find_spot(ids, id, &spot) ? (void *)*spot.value : NULL;
}

void *dx_ids_remove(struct dx_ids *ids, uint64_t id)
{
    struct spot spot;
    void *object;

    if (!find_spot(ids, id, &spot))
        return NULL;
    object = (void *)*spot.value;
    *spot.value = free_mark(ids->free);
    ids->count--;
    if (*spot.generation < UINT32_MAX) {
        ++*spot.generation;
        ids->free = (uint32_t)id;
    }
    return object;
}

void *dx_ids_next(const struct dx_ids *ids, uint32_t *place)
{
    while (*place < ids->place_count) {
        uintptr_t value = *spot_of(ids, (*place)++).value;

        if (!is_free(value))
            return (void *)value;
    }
    return NULL;
}
