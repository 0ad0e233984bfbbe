/*
 * registry.h - the WebSockets of one shard by their ids. An id also says which shard of the server
 * it is on, so that any thread finds the loop without a lock or a look-up.
 *
 * From the top: generation (32 bits), shard (6 bits), place in the shard's table (26 bits). On the
 * shard's loop, unless it says otherwise.
 */
#ifndef DX_SERVER_REGISTRY_H
#define DX_SERVER_REGISTRY_H

#include "base/ids.h"

#include <stdatomic.h>

struct dx_connection;
struct dx_server;
struct dx_shard;

struct dx_registry {
    struct dx_ids ids;
    uint32_t shard_index;
    _Atomic uint32_t place_count; /* ids.place_count, for other threads */
};

void dx_registry_init(struct dx_registry *registry, uint32_t shard_index);
void dx_registry_release(struct dx_registry *registry);

/**
 * Reserves an id for a connection that is about to be made.
 *
 * Returns DX_OK, or DX_ERR_NOMEM, DX_ERR_TOO_MANY.
 */
DX_MUST_CHECK enum dx_err dx_registry_reserve(struct dx_registry *registry, uint64_t *id);

/** The connection with that id has been made: it can be found from here on. */
void dx_registry_put(struct dx_registry *registry, uint64_t id, struct dx_connection *connection);

/** It has ended, or could not be made: the id never names a connection again. */
void dx_registry_remove(struct dx_registry *registry, uint64_t id);

/** The connection with that id, or NULL. */
struct dx_connection *dx_registry_find(const struct dx_registry *registry, uint64_t id);

/** Steps through the connections, as dx_ids_next. */
struct dx_connection *dx_registry_next(const struct dx_registry *registry, uint32_t *place);

/** The shard of that id; NULL when the server cannot have made the id. Any thread. */
struct dx_shard *dx_registry_shard_of(const struct dx_server *server, uint64_t id);

#endif
