/*
 * routes.h - which routes a path belongs to: a tree of the parts of their paths, so that a look-up
 * costs a walk along the path's parts, not along the routes.
 *
 * A route answers with its on_request, whatever is behind it: an application, files, metrics.
 */
#ifndef DX_SERVER_ROUTES_H
#define DX_SERVER_ROUTES_H

#include <duplex/server.h>

#include "connection/connection.h"
#include "server/routes/methods.h"

#define DX_ROUTES_MAX 1024

struct dx_route_entry {
    struct dx_route route;          /* its methods are a copy; its connection is NULL */
    struct dx_connection_kind kind; /* of its WebSockets; its limits hold for plain answers, too */
    void (*free)(void *user);       /* frees route.user with the entry; or NULL */
    struct dx_route_entry *next;    /* of the same parts, exact ones first: see dx_routes_look */
    struct dx_methods methods;      /* parsed */
    bool has_params;                /* a part is a ":name" */
    size_t path_len;
    char *path; /* without a slash at its end, unless it is "/" */
};

/* One part of a path, and what may follow it. */
struct dx_route_node {
    struct dx_route_entry *entries;  /* routes that end here */
    struct dx_route_node **children; /* sorted by length, then by bytes */
    size_t child_count;
    struct dx_route_node *param; /* for a part that has no child, or whose child leads nowhere */
    size_t text_len;
    char text[];
};

/* All zero: no routes. */
struct dx_routes {
    struct dx_route_node *root;
    size_t count;
};

void dx_routes_release(struct dx_routes *routes);

/**
 * Adds a route. The route with its strings, and the kind of its connections, are copied.
 *
 * free   called with route->user when the routes are released, if adding succeeds; or NULL
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE      the path, the route or its methods are invalid, or the place is taken
 *   DX_ERR_TOO_MANY   there are DX_ROUTES_MAX routes
 *   DX_ERR_NOMEM
 */
DX_MUST_CHECK enum dx_err dx_routes_add(struct dx_routes *routes, const char *path,
                                        const struct dx_route *route,
                                        const struct dx_connection_kind *kind,
                                        void (*free)(void *user));

/**
 * The routes of a decoded path: those with most parts that match, and among them those whose first
 * differing part is a text. There are several where they differ in kind, methods or exactness: the
 * rest follows by `next`. A slash at the path's end does not count. NULL: none.
 */
const struct dx_route_entry *dx_routes_look(const struct dx_routes *routes, const char *path,
                                            size_t path_len);

/** Whether the route answers plain requests with that method. */
bool dx_route_takes(const struct dx_route_entry *entry, struct dx_slice method);

/**
 * The one of these routes that answers such a request; where none does, one of the right kind, else
 * the first: the caller checks wants_upgrades, wants_plain and dx_route_takes.
 */
const struct dx_route_entry *dx_routes_choose(const struct dx_route_entry *first, bool is_upgrade,
                                              struct dx_slice method);

/**
 * The value of the header Allow, with the methods of all these routes that are plain. The caller
 * frees it. NULL: no memory.
 */
char *dx_routes_allow(const struct dx_route_entry *first);

/** The `index`th part of a path; false beyond the last. */
bool dx_route_part(const char *path, size_t index, struct dx_slice *part);

#endif
