/*
 * routes.c - the table of routes. Not responsible for what a route answers, nor for paths as they stand in a request:
 * http/url.h has decoded and judged those.
 */
#include "server/routes.h"

#include "server/files.h"
#include "server/websocket.h"

#include <stdlib.h>
#include <string.h>

void dx_routes_release(struct dx_routes *routes)
{
    for (size_t index = 0; index < routes->count; index++) {
        dx_files_free(routes->entries[index]->files);
        free(routes->entries[index]);
    }
    free(routes->entries);
    *routes = (struct dx_routes){NULL, 0};
}

static bool wants_the_same(const struct dx_route *one, const struct dx_route *other)
{
    return (one->wants_upgrades && other->wants_upgrades) ||
           (one->wants_plain && other->wants_plain);
}

static bool is_taken(const struct dx_routes *routes, const char *path, size_t path_len,
                     const struct dx_route *route)
{
    for (size_t index = 0; index < routes->count; index++) {
        const struct dx_route_entry *entry = routes->entries[index];

        if (entry->path_len == path_len && memcmp(entry->path, path, path_len) == 0 &&
            wants_the_same(&entry->route, route))
            return true;
    }
    return false;
}

static enum dx_err make_entry(const char *path, size_t path_len, const struct dx_route *route,
                              const struct dx_connection_options *options,
                              struct dx_route_entry **made)
{
    struct dx_route_entry *entry = calloc(1, sizeof(*entry) + path_len + 1);

    if (entry == NULL)
        return DX_ERR_NOMEM;
    entry->route = *route;
    dx_connection_kind_init(&entry->kind, DX_ROLE_SERVER,
                            route->connection != NULL ? route->connection : options);
    entry->kind.on_gone = dx_websocket_on_gone;
    entry->route.connection = NULL;
    entry->path_len = path_len;
    memcpy(entry->path, path, path_len);
    *made = entry;
    return DX_OK;
}

/* Longest first, so that the first match is the longest. */
static void insert(struct dx_routes *routes, struct dx_route_entry *entry)
{
    size_t at = routes->count++;

    for (; at > 0 && routes->entries[at - 1]->path_len < entry->path_len; at--)
        routes->entries[at] = routes->entries[at - 1];
    routes->entries[at] = entry;
}

enum dx_err dx_routes_add(struct dx_routes *routes, const char *path, const struct dx_route *route,
                          struct dx_files *files, const struct dx_connection_options *options)
{
    struct dx_route_entry **entries;
    struct dx_route_entry *entry;
    size_t path_len;
    enum dx_err err;

    if (path == NULL || path[0] != '/' || (!route->wants_upgrades && !route->wants_plain) ||
        (route->on_request == NULL && files == NULL))
        return DX_ERR_USAGE;
    path_len = strlen(path);
    while (path_len > 1 && path[path_len - 1] == '/')
        path_len--;
    if (is_taken(routes, path, path_len, route))
        return DX_ERR_USAGE;
    if (routes->count == DX_ROUTES_MAX)
        return DX_ERR_TOO_MANY;
    entries = realloc(routes->entries, (routes->count + 1) * sizeof(struct dx_route_entry *));
    if (entries == NULL)
        return DX_ERR_NOMEM;
    routes->entries = entries;
    err = make_entry(path, path_len, route, options, &entry);
    if (err != DX_OK)
        return err;
    entry->files = files;
    insert(routes, entry);
    return DX_OK;
}

static bool matches(const struct dx_route_entry *entry, const char *path, size_t path_len)
{
    if (entry->path_len == 1)
        return true;
    return path_len >= entry->path_len && memcmp(entry->path, path, entry->path_len) == 0 &&
           (path_len == entry->path_len || path[entry->path_len] == '/');
}

const struct dx_route_entry *dx_routes_find(const struct dx_routes *routes, const char *path,
                                            size_t path_len, bool is_upgrade)
{
    const struct dx_route_entry *found = NULL;

    for (size_t index = 0; index < routes->count; index++) {
        const struct dx_route_entry *entry = routes->entries[index];

        if (found != NULL && entry->path_len < found->path_len)
            break;
        if (!matches(entry, path, path_len))
            continue;
        if (is_upgrade ? entry->route.wants_upgrades : entry->route.wants_plain)
            return entry;
        found = entry;
    }
    return found;
}
