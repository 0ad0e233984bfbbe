/*
 * routes.h - which route a path belongs to: the longest prefix, on whole segments.
 */
#ifndef DX_SERVER_ROUTES_H
#define DX_SERVER_ROUTES_H

#include <duplex/files.h>

#include "connection/connection.h"

#define DX_ROUTES_MAX 1024

struct dx_files;

struct dx_route_entry {
    struct dx_route route;
    struct dx_files *files; /* not NULL: the server answers by itself */
    struct dx_connection_kind kind;
    size_t path_len;
    char path[]; /* without a slash at its end, but for "/" alone */
};

struct dx_routes {
    struct dx_route_entry **entries; /* longest path first */
    size_t count;
};

void dx_routes_release(struct dx_routes *routes);

/**
 * Adds a route, whose handlers and options are copied and whose connections follow `options` unless the route has its own;
 * takes over `files` when it succeeds. Returns DX_OK, DX_ERR_USAGE, DX_ERR_NOMEM, DX_ERR_TOO_MANY.
 */
DX_MUST_CHECK enum dx_err dx_routes_add(struct dx_routes *routes, const char *path,
                                        const struct dx_route *route, struct dx_files *files,
                                        const struct dx_connection_options *options);

/**
 * The route for a decoded path: the longest that matches; where it has two, the one that wants this kind of request. The
 * caller looks at wants_upgrades and wants_plain. NULL: none.
 */
const struct dx_route_entry *dx_routes_find(const struct dx_routes *routes, const char *path,
                                            size_t path_len, bool is_upgrade);

#endif
