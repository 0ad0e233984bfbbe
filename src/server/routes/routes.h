/*
 * routes.h - which routes a path belongs to: a tree of the parts of their paths, so that finding one costs a walk along the
 * path's parts and not along the routes.
 */
#ifndef DX_SERVER_ROUTES_H
#define DX_SERVER_ROUTES_H

#include <duplex/server.h>

#include "connection/connection.h"

#define DX_ROUTES_MAX 1024

struct dx_files;

struct dx_route_entry {
    struct dx_route route;
    struct dx_files *files; /* not NULL: the server answers by itself */
    struct dx_connection_kind kind;
    struct dx_route_entry *next; /* of the same parts, exact ones first: see dx_routes_look */
    bool has_params;             /* a part is a ":name" */
    size_t path_len;
    char path[]; /* without a slash at its end, but for "/" alone */
};

/* One part of a path, and what may stand below it. */
struct dx_route_node {
    struct dx_route_entry *entries;  /* routes that end here */
    struct dx_route_node **children; /* by length, then by bytes */
    size_t child_count;
    struct dx_route_node *param; /* for any part that is no child, or whose child leads nowhere */
    size_t text_len;
    char text[];
};

/* All zero: none. */
struct dx_routes {
    struct dx_route_node *root;
    size_t count;
};

void dx_routes_release(struct dx_routes *routes);

/**
 * Adds a route, whose handlers and options are copied and whose connections follow `options` unless the route has its own;
 * takes over `files` when it succeeds. Files are read with GET, whatever the route says. Returns DX_OK, DX_ERR_USAGE, DX_ERR_NOMEM,
 * DX_ERR_TOO_MANY.
 */
DX_MUST_CHECK enum dx_err dx_routes_add(struct dx_routes *routes, const char *path,
                                        const struct dx_route *route, struct dx_files *files,
                                        const struct dx_connection_options *options);

/**
 * The routes of a decoded path: those with most parts that match, and among them those whose first differing part is a text. More
 * than one where they differ in kind, methods or exactness: the rest follows by `next`. A slash at the path's end does not count.
 * NULL: none.
 */
const struct dx_route_entry *dx_routes_look(const struct dx_routes *routes, const char *path,
                                            size_t path_len);

/** Whether the route answers plain requests with that method (case matters: RFC 9110 9.1). */
bool dx_route_takes(const struct dx_route_entry *entry, struct dx_slice method);

/**
 * The one of these routes that answers such a request; where none does, one of the right kind, else the first: the caller
 * looks at wants_upgrades, wants_plain and dx_route_takes.
 */
const struct dx_route_entry *dx_routes_choose(const struct dx_route_entry *first, bool is_upgrade,
                                              struct dx_slice method);

/** The header line "Allow: …\r\n" with the methods of all plain ones of these routes; to be freed. NULL: no memory. */
char *dx_routes_allow(const struct dx_route_entry *first);

/** The `index`th part of a path; false beyond the last. */
bool dx_route_part(const char *path, size_t index, struct dx_slice *part);

#endif
