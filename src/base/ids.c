/*
 * ids.c - a table of entries with a free list through it. The entry used last is used again first.
 */
#include "base/ids.h"

#include <stdlib.h>

#define NONE UINT32_MAX
#define FIRST_ROOM 16

void dx_ids_init(struct dx_ids *ids, uint32_t max_count)
{
    *ids = (struct dx_ids){.max_count = max_count, .free = NONE};
}

void dx_ids_release(struct dx_ids *ids)
{
    free(ids->entries);
    dx_ids_init(ids, ids->max_count);
}

/* Makes the table twice as long. An index of NONE is never given. */
static enum dx_err grow(struct dx_ids *ids)
{
    uint32_t room = ids->room ? ids->room : FIRST_ROOM;
    struct dx_id_entry *entries;

    if (ids->used_count == NONE)
        return DX_ERR_TOO_MANY;
    if (ids->room)
        room = room > NONE / 2 ? NONE : room * 2;
    entries = realloc(ids->entries, room * sizeof(*entries));
    if (!entries)
        return DX_ERR_NOMEM;
    ids->entries = entries;
    ids->room = room;
    return DX_OK;
}

enum dx_err dx_ids_add(struct dx_ids *ids, void *object, uint64_t *id)
{
    uint32_t index = ids->free;
    struct dx_id_entry *entry;

    if (ids->count >= ids->max_count)
        return DX_ERR_TOO_MANY;
    if (index != NONE) {
        entry = &ids->entries[index];
        ids->free = entry->next_free;
    } else {
        if (ids->used_count == ids->room) {
            enum dx_err err = grow(ids);

            if (err)
                return err;
        }
        index = ids->used_count++;
        entry = &ids->entries[index];
        entry->generation = 1;
    }
    entry->object = object;
    ids->count++;
    *id = (uint64_t)entry->generation << 32 | index;
    return DX_OK;
}

static struct dx_id_entry *find_entry(const struct dx_ids *ids, uint64_t id)
{
    uint32_t index = (uint32_t)id;
    struct dx_id_entry *entry;

    if (index >= ids->used_count)
        return NULL;
    entry = &ids->entries[index];
    return entry->object && entry->generation == id >> 32 ? entry : NULL;
}

void *dx_ids_find(const struct dx_ids *ids, uint64_t id)
{
    const struct dx_id_entry *entry = find_entry(ids, id);

    return entry ? entry->object : NULL;
}

void *dx_ids_remove(struct dx_ids *ids, uint64_t id)
{
    struct dx_id_entry *entry = find_entry(ids, id);
    void *object;

    if (!entry)
        return NULL;
    object = entry->object;
    entry->object = NULL;
    ids->count--;
    if (entry->generation < UINT32_MAX) {
        entry->generation++;
        entry->next_free = ids->free;
        ids->free = (uint32_t)id;
    }
    return object;
}
