/*
 * registry.c - the WebSockets of one shard by their ids. The table itself is base/ids.h.
 */
#include "server/core/registry.h"

#include "server/core/shard.h"

#define SHARD_MASK ((uint64_t)(DX_SERVER_THREADS_MAX - 1) << DX_IDS_PLACE_BITS)

_Static_assert(DX_SERVER_THREADS_MAX == 1 << (32 - DX_IDS_PLACE_BITS),
               "an id's lower half has a shard and a place");

void dx_registry_init(struct dx_registry *registry, uint32_t shard_index)
{
    dx_ids_init(&registry->ids, UINT32_MAX);
    registry->shard_index = shard_index;
    atomic_init(&registry->place_count, 0);
}

void dx_registry_release(struct dx_registry *registry)
{
    dx_ids_release(&registry->ids);
}

/*
 * While its connection is being made, an id has the registry itself in its place: it is not looked
 * up meanwhile.
 */
enum dx_err dx_registry_reserve(struct dx_registry *registry, uint64_t *id)
{
    enum dx_err err = dx_ids_add(&registry->ids, registry, id);

    if (err != DX_OK)
        return err;
    *id |= (uint64_t)registry->shard_index << DX_IDS_PLACE_BITS;
    atomic_store_explicit(&registry->place_count, registry->ids.place_count, memory_order_relaxed);
    return DX_OK;
}

void dx_registry_put(struct dx_registry *registry, uint64_t id, struct dx_connection *connection)
{
    dx_ids_set(&registry->ids, id & ~SHARD_MASK, connection);
}

void dx_registry_remove(struct dx_registry *registry, uint64_t id)
{
    (void)dx_ids_remove(&registry->ids, id & ~SHARD_MASK);
}

struct dx_connection *dx_registry_find(const struct dx_registry *registry, uint64_t id)
{
    return dx_ids_find(&registry->ids, id & ~SHARD_MASK);
}

struct dx_connection *dx_registry_next(const struct dx_registry *registry, uint32_t *place)
{
    return dx_ids_next(&registry->ids, place);
}

/*
 * The caller has the id from the loop that made it, after the table grew: a relaxed load sees that.
 */
struct dx_shard *dx_registry_shard_of(const struct dx_server *server, uint64_t id)
{
    uint32_t index = (uint32_t)((id & SHARD_MASK) >> DX_IDS_PLACE_BITS);
    uint32_t place = (uint32_t)(id & ~SHARD_MASK);
    struct dx_shard *shard;

    if (id >> 32 == 0 || index >= server->shard_count)
        return NULL;
    shard = server->shards[index];
    return place < atomic_load_explicit(&shard->registry.place_count, memory_order_relaxed) ? shard
                                                                                            : NULL;
}
