/*
 * server.c - makes a server of its options, gives it routes, and frees it. How it ends while
 * connections are open is in close.c.
 */
#include "server/server.h"

#include "base/container.h"
#include "base/sized.h"
#include "server/connections/websocket.h"
#include "server/files/files.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Descriptors that the default of max_connections leaves for everything else. */
#define SPARE_DESCRIPTORS 64
#define FREE_TURNS_MAX 1000

/* ---- limits ---- */

static uint32_t places_by_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024 - SPARE_DESCRIPTORS;
    if (limit.rlim_cur > UINT32_MAX)
        return UINT32_MAX;
    return limit.rlim_cur > 2 * SPARE_DESCRIPTORS ? (uint32_t)limit.rlim_cur - SPARE_DESCRIPTORS
                                                  : (uint32_t)limit.rlim_cur / 2;
}

/* ---- making ---- */

static enum dx_err add_shards(struct dx_server *server)
{
    uint32_t count = server->settings.options.threads;
    size_t share = (size_t)(server->settings.options.max_memory / count);

    for (uint32_t index = 0; index < count; index++) {
        enum dx_err err = dx_shard_new(server, index, index == 0 ? server->loop : NULL, share,
                                       &server->shards[index]);

        if (err != DX_OK)
            return err;
        server->shard_count++;
    }
    return DX_OK;
}

static void on_free(struct dx_turn_task *task);

/* Without randomness a peer could predict whose counter it shares: no reason not to serve. */
static void init_half_open(struct dx_server *server)
{
    uint64_t key;

    if (!dx_loop_fill_random((uint8_t *)&key, sizeof(key), server->loop))
        key = (uint64_t)(uintptr_t)server ^ dx_loop_now_ms(server->loop);
    dx_half_open_init(&server->half_open, key);
}

enum dx_err dx_server_new(struct dx_loop *loop, const struct dx_server_options *options,
                          struct dx_server **server)
{
    struct dx_server *made = calloc(1, sizeof(*made));
    enum dx_err err;

    if (made == NULL)
        return DX_ERR_NOMEM;
    made->loop = loop;
    made->free_task.run = on_free;
    err = dx_server_settings_init(&made->settings, options);
    if (err != DX_OK) {
        free(made);
        return err;
    }
    if (pthread_mutex_init(&made->each_lock, NULL) != 0) {
        dx_server_settings_release(&made->settings);
        free(made);
        return DX_ERR_SYSTEM;
    }
    init_half_open(made);
    if (made->settings.options.max_connections == 0)
        made->settings.options.max_connections = places_by_descriptors();
    err = dx_loop_timer_new(loop, dx_server_on_close_timer, made, &made->close_timer);
    if (err == DX_OK)
        err = add_shards(made);
    if (err != DX_OK) {
        dx_server_free(made);
        return err;
    }
    *server = made;
    return DX_OK;
}

size_t dx_server_loop_count(const struct dx_server *server)
{
    return server->shard_count;
}

struct dx_loop *dx_server_loop_at(const struct dx_server *server, size_t index)
{
    return server->shards[index]->loop;
}

size_t dx_server_connection_count(const struct dx_server *server)
{
    return atomic_load(&server->websocket_count);
}

/* ---- routes ---- */

enum dx_err dx_server_add_route(struct dx_server *server, const char *path,
                                const struct dx_route *route, void (*free_user)(void *user))
{
    struct dx_connection_options options = server->settings.connection;
    struct dx_connection_kind kind;
    struct dx_route own = dx_route_init();
    enum dx_err err = DX_SIZED_COPY(struct dx_route, connection, &own, route);

    if (server->listeners != NULL)
        return DX_ERR_STATE;
    if (err == DX_OK)
        err = DX_SIZED_COPY(struct dx_connection_options, max_queue, &options, own.connection);
    if (err != DX_OK)
        return err;
    dx_connection_kind_init(&kind, DX_ROLE_SERVER, &options);
    kind.on_gone = dx_server_websocket_on_gone;
    return dx_routes_add(&server->routes, path, &own, &kind, free_user);
}

enum dx_err dx_server_route(struct dx_server *server, const char *path,
                            const struct dx_route *route)
{
    return dx_server_add_route(server, path, route, NULL);
}

enum dx_err dx_server_route_files(struct dx_server *server, const char *path, const char *directory,
                                  const struct dx_files_options *options)
{
    struct dx_route route = dx_route_init();
    struct dx_files *files;
    enum dx_err err;

    if (server->listeners != NULL)
        return DX_ERR_STATE;
    err = dx_files_new(directory, options, &files);
    if (err != DX_OK)
        return err;
    route.on_request = dx_files_answer;
    route.user = files;
    route.wants_plain = true;
    route.methods = "GET";
    err = dx_server_add_route(server, path, &route, dx_files_free);
    if (err != DX_OK)
        dx_files_free(files);
    return err;
}

/* ---- the end ---- */

static void destroy(struct dx_server *server)
{
    for (size_t index = 0; index < server->shard_count; index++)
        dx_shard_free(server->shards[index]);
    (void)pthread_mutex_destroy(&server->each_lock);
    dx_routes_release(&server->routes);
    dx_server_free_listeners(server);
    dx_server_settings_release(&server->settings);
    free(server);
}

static void on_free(struct dx_turn_task *task)
{
    destroy(dx_container_of(task, struct dx_server, free_task));
}

/* Runs the server's own loop until its connections have made their last callbacks. */
static void see_off(struct dx_server *server)
{
    struct dx_shard *shard = server->shards[0];

    for (int turn = 0; turn < FREE_TURNS_MAX && atomic_load(&shard->stream_count) > 0; turn++)
        if (dx_loop_dispatch(server->loop) != DX_OK)
            return; /* inside a callback: the end of this turn does it */
}

void dx_server_free(struct dx_server *server)
{
    if (server == NULL)
        return;
    atomic_store(&server->state, DX_SERVER_FREEING);
    dx_loop_timer_free(server->close_timer);
    server->close_timer = NULL;
    dx_server_stop_listening(server);
    for (size_t index = 0; index < server->shard_count; index++)
        dx_shard_stop(server->shards[index]);
    for (size_t index = 0; index < server->shard_count; index++)
        dx_shard_join(server->shards[index]);
    if (server->shard_count > 0) {
        dx_shard_cut(server->shards[0]);
        see_off(server);
    }
    /* Only now: until it ended, each thread could add calls for connections on any loop. */
    for (size_t index = 0; index < server->shard_count; index++)
        dx_shard_drop(server->shards[index]);
    atomic_store(&server->state, DX_SERVER_FREED);
    if (server->shard_count == 0)
        destroy(server);
    /* Not at once: the caller may be the last connection's on_close, which still uses its route. */
    else if (atomic_load(&server->shards[0]->stream_count) == 0)
        dx_loop_free_later(server->loop, &server->free_task);
}
