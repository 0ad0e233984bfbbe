/*
 * server.h - how a server is put together, ended and freed: what the files at the top of server/
 * share, and what the bridge uses.
 */
#ifndef DX_SERVER_SERVER_H
#define DX_SERVER_SERVER_H

#include "server/core/server.h"
#include "server/core/shard.h"

#define DX_SERVER_LISTENERS_MAX 64

/* ---- server.c ---- */

/**
 * The number of loops. Loop 0 is the server's own; the others run on threads until dx_server_free.
 */
size_t dx_server_loop_count(const struct dx_server *server);
struct dx_loop *dx_server_loop_at(const struct dx_server *server, size_t index);

/**
 * As dx_server_route. If it succeeds, free_user(route->user) is called when the server's memory is
 * freed and no loop can bring a request any more, on the server's loop.
 */
DX_MUST_CHECK enum dx_err dx_server_add_route(struct dx_server *server, const char *path,
                                              const struct dx_route *route,
                                              void (*free_user)(void *user));

/* ---- close.c ---- */

/** The callback of the timer that begins the ending and then checks on it. */
void dx_server_on_close_timer(void *server);

/* ---- listeners.c ---- */

/** Closes the listening sockets. */
void dx_server_stop_listening(struct dx_server *server);

/** Frees the listeners themselves, which connections refer to. */
void dx_server_free_listeners(struct dx_server *server);

/* ---- shards.c ---- */

/**
 * Makes the `index`th shard on `loop`, or, when that is NULL, on a loop and thread of its own.
 *
 * max_memory   bytes that the loop's buffers may take
 *
 * Returns DX_OK, or DX_ERR_NOMEM, DX_ERR_SYSTEM, DX_ERR_DESCRIPTORS.
 */
DX_MUST_CHECK enum dx_err dx_shard_new(struct dx_server *server, uint32_t index,
                                       struct dx_loop *loop, size_t max_memory,
                                       struct dx_shard **shard);

/** Begins to end, or shortens a drain. On the shard's loop. */
void dx_shard_close(struct dx_shard *shard, uint32_t drain_ms);

/** Cuts every connection: on_abandoned and on_close come in this turn or the next. On its loop. */
void dx_shard_cut(struct dx_shard *shard);

/** Makes the shard's thread, if it has one, end together with everything on its loop. */
void dx_shard_stop(struct dx_shard *shard);

/** Waits until that thread has ended. */
void dx_shard_join(struct dx_shard *shard);

/**
 * Drops the calls that wait, and frees the loop if it is the shard's. When all threads have ended.
 */
void dx_shard_drop(struct dx_shard *shard);

/** Frees a shard on which nothing is left. NULL is fine. */
void dx_shard_free(struct dx_shard *shard);

/* ---- accept.c ---- */

/** Gives an accepted descriptor to the shard, which closes it on failure. On the server's loop. */
void dx_shard_give(struct dx_shard *shard, int fd, const struct dx_address *peer,
                   struct dx_server_listener *listener);

#endif
