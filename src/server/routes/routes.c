/*
 * routes.c - the tree of routes. Not responsible for what a route answers, nor for decoding and
 * checking a request's path (http/url/url.h).
 */
#include "server/routes/routes.h"

#include <stdlib.h>
#include <string.h>

/* ---- parts of a path ---- */

/* Takes the first part ("/a" of "/a/b") off; false when none is left. */
static bool take_part(struct dx_slice *path, struct dx_slice *part)
{
    const uint8_t *end;

    if (path->len == 0)
        return false;
    end = memchr(path->data + 1, '/', path->len - 1);
    part->data = path->data + 1;
    part->len = end != NULL ? (size_t)(end - part->data) : path->len - 1;
    path->data += part->len + 1;
    path->len -= part->len + 1;
    return true;
}

static bool is_param(struct dx_slice part)
{
    return part.len > 0 && part.data[0] == ':';
}

/* "/" has no part. */
static struct dx_slice parts_of(const char *path, size_t path_len)
{
    return (struct dx_slice){(const uint8_t *)path, path_len > 1 ? path_len : 0};
}

bool dx_route_part(const char *path, size_t index, struct dx_slice *part)
{
    struct dx_slice rest = parts_of(path, strlen(path));

    for (size_t at = 0; take_part(&rest, part); at++)
        if (at == index)
            return true;
    return false;
}

/* ---- the tree ---- */

static struct dx_route_node *make_node(struct dx_slice text)
{
    struct dx_route_node *node = calloc(1, sizeof(*node) + text.len);

    if (node == NULL)
        return NULL;
    node->text_len = text.len;
    if (text.len > 0)
        memcpy(node->text, text.data, text.len);
    return node;
}

static int compare(const struct dx_route_node *node, struct dx_slice text)
{
    if (node->text_len != text.len)
        return node->text_len < text.len ? -1 : 1;
    return text.len == 0 ? 0 : memcmp(node->text, text.data, text.len);
}

/* The index of the child with that text, or where it has to be inserted. */
static size_t place_of(const struct dx_route_node *node, struct dx_slice text)
{
    size_t low = 0, high = node->child_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(node->children[middle], text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct dx_route_node *child_of(const struct dx_route_node *node, struct dx_slice text)
{
    size_t at = place_of(node, text);

    return at < node->child_count && compare(node->children[at], text) == 0 ? node->children[at]
                                                                            : NULL;
}

static struct dx_route_node *add_child(struct dx_route_node *node, struct dx_slice text)
{
    size_t at = place_of(node, text);
    struct dx_route_node **children =
        realloc(node->children, (node->child_count + 1) * sizeof(struct dx_route_node *));
    struct dx_route_node *child;

    if (children == NULL)
        return NULL;
    node->children = children;
    child = make_node(text);
    if (child == NULL)
        return NULL;
    memmove(children + at + 1, children + at,
            (node->child_count - at) * sizeof(struct dx_route_node *));
    children[at] = child;
    node->child_count++;
    return child;
}

/*
 * The node where such a path ends; nodes that are missing on the way are made. A node that then
 * gets no route does no harm. NULL: no memory.
 */
static struct dx_route_node *reach(struct dx_routes *routes, struct dx_slice path)
{
    struct dx_route_node *node;
    struct dx_slice part;

    if (routes->root == NULL)
        routes->root = make_node((struct dx_slice){NULL, 0});
    node = routes->root;
    while (node != NULL && take_part(&path, &part)) {
        struct dx_route_node *next = is_param(part) ? node->param : child_of(node, part);

        if (next == NULL && is_param(part))
            next = node->param = make_node((struct dx_slice){NULL, 0});
        else if (next == NULL)
            next = add_child(node, part);
        node = next;
    }
    return node;
}

static void free_node(struct dx_route_node *node)
{
    struct dx_route_entry *next;

    if (node == NULL)
        return;
    for (struct dx_route_entry *entry = node->entries; entry != NULL; entry = next) {
        next = entry->next;
        if (entry->free != NULL)
            entry->free(entry->route.user);
        free(entry);
    }
    for (size_t index = 0; index < node->child_count; index++)
        free_node(node->children[index]);
    free_node(node->param);
    free(node->children);
    free(node);
}

void dx_routes_release(struct dx_routes *routes)
{
    free_node(routes->root);
    *routes = (struct dx_routes){NULL, 0};
}

/* ---- adding ---- */

/* Whether each ":name" has a name, and one of its own. */
static bool has_good_params(struct dx_slice path, bool *has_params)
{
    struct dx_slice part, other;

    *has_params = false;
    while (take_part(&path, &part)) {
        struct dx_slice rest = path;

        if (!is_param(part))
            continue;
        if (part.len == 1)
            return false;
        *has_params = true;
        while (take_part(&rest, &other))
            if (dx_slice_equal(part, other))
                return false;
    }
    return true;
}

static bool is_route(const char *path, const struct dx_route *route)
{
    return path != NULL && path[0] == '/' && (route->wants_upgrades || route->wants_plain) &&
           route->on_request != NULL;
}

static bool is_taken(const struct dx_route_node *node, const struct dx_route_entry *wanted)
{
    const struct dx_route *route = &wanted->route;

    for (const struct dx_route_entry *entry = node->entries; entry != NULL; entry = entry->next) {
        const struct dx_route *other = &entry->route;

        if (other->is_exact != route->is_exact)
            continue;
        if ((other->wants_upgrades && route->wants_upgrades) ||
            (other->wants_plain && route->wants_plain &&
             dx_methods_overlap(&entry->methods, &wanted->methods)))
            return true;
    }
    return false;
}

/* One block: the entry, the names of its methods, the path, the text of the methods. */
static enum dx_err make_entry(struct dx_slice path, const struct dx_route *route,
                              const struct dx_connection_kind *kind, struct dx_route_entry **made)
{
    const char *methods = route->methods != NULL ? route->methods : "";
    size_t names_len =
        route->methods != NULL ? dx_methods_room(methods) * sizeof(struct dx_slice) : 0;
    struct dx_route_entry *entry =
        calloc(1, sizeof(*entry) + names_len + path.len + 1 + strlen(methods) + 1);

    if (entry == NULL)
        return DX_ERR_NOMEM;
    entry->route = *route;
    entry->route.connection = NULL;
    entry->kind = *kind;
    entry->methods.names = (struct dx_slice *)(entry + 1);
    entry->path = (char *)(entry + 1) + names_len;
    entry->path_len = path.len;
    memcpy(entry->path, path.data, path.len);
    *made = entry;
    if (route->methods == NULL)
        return DX_OK;
    entry->route.methods = strcpy(entry->path + path.len + 1, methods);
    if (dx_methods_parse(&entry->methods, entry->route.methods))
        return DX_OK;
    free(entry);
    return DX_ERR_USAGE;
}

/* Exact ones first; else in the order in which they were added. */
static void insert(struct dx_route_node *node, struct dx_route_entry *entry)
{
    struct dx_route_entry **at = &node->entries;

    while (*at != NULL && ((*at)->route.is_exact || !entry->route.is_exact))
        at = &(*at)->next;
    entry->next = *at;
    *at = entry;
}

/* Inserts the entry where its path leads to. */
static enum dx_err put(struct dx_routes *routes, struct dx_route_entry *entry)
{
    struct dx_route_node *node = reach(routes, parts_of(entry->path, entry->path_len));

    if (node == NULL)
        return DX_ERR_NOMEM;
    if (is_taken(node, entry))
        return DX_ERR_USAGE;
    if (routes->count == DX_ROUTES_MAX)
        return DX_ERR_TOO_MANY;
    insert(node, entry);
    routes->count++;
    return DX_OK;
}

enum dx_err dx_routes_add(struct dx_routes *routes, const char *path, const struct dx_route *route,
                          const struct dx_connection_kind *kind, void (*free_user)(void *user))
{
    struct dx_route_entry *entry;
    struct dx_slice text;
    bool has_params;
    enum dx_err err;

    if (!is_route(path, route))
        return DX_ERR_USAGE;
    text = dx_slice_of(path);
    while (text.len > 1 && text.data[text.len - 1] == '/')
        text.len--;
    if (!has_good_params(parts_of(path, text.len), &has_params))
        return DX_ERR_USAGE;
    err = make_entry(text, route, kind, &entry);
    if (err != DX_OK)
        return err;
    entry->has_params = has_params;
    entry->free = free_user;
    err = put(routes, entry);
    if (err != DX_OK)
        free(entry);
    return err;
}

/* ---- finding ---- */

struct search {
    const struct dx_route_entry *found;
    size_t depth; /* how many parts it has */
};

static bool is_whole(struct dx_slice rest)
{
    return rest.len == 0 || (rest.len == 1 && rest.data[0] == '/');
}

/*
 * Texts come before the ":name", and of two routes that are equally deep the first one found stays.
 * The recursion is as deep as the routes have parts, and visits each node of the tree once at most.
 */
static void visit(struct search *search, const struct dx_route_node *node, struct dx_slice rest,
                  size_t depth)
{
    const struct dx_route_entry *entry = node->entries;
    const struct dx_route_node *child;
    struct dx_slice part;

    while (entry != NULL && entry->route.is_exact && !is_whole(rest))
        entry = entry->next;
    if (entry != NULL && (search->found == NULL || depth > search->depth))
        *search = (struct search){entry, depth};
    if (!take_part(&rest, &part))
        return;
    child = child_of(node, part);
    if (child != NULL)
        visit(search, child, rest, depth + 1);
    if (node->param != NULL && part.len > 0)
        visit(search, node->param, rest, depth + 1);
}

const struct dx_route_entry *dx_routes_look(const struct dx_routes *routes, const char *path,
                                            size_t path_len)
{
    struct search search = {NULL, 0};

    if (routes->root != NULL)
        visit(&search, routes->root, (struct dx_slice){(const uint8_t *)path, path_len}, 0);
    return search.found;
}

bool dx_route_takes(const struct dx_route_entry *entry, struct dx_slice method)
{
    return entry->route.wants_plain && dx_methods_have(&entry->methods, method);
}

const struct dx_route_entry *dx_routes_choose(const struct dx_route_entry *first, bool is_upgrade,
                                              struct dx_slice method)
{
    const struct dx_route_entry *of_kind = NULL;

    for (const struct dx_route_entry *entry = first; entry != NULL; entry = entry->next) {
        if (is_upgrade ? entry->route.wants_upgrades : dx_route_takes(entry, method))
            return entry;
        if (of_kind == NULL && !is_upgrade && entry->route.wants_plain)
            of_kind = entry;
    }
    return of_kind != NULL ? of_kind : first;
}

/* ---- Allow ---- */

/* Whether one of the routes before `entry` takes the method, too. */
static bool is_repeated(const struct dx_route_entry *first, const struct dx_route_entry *entry,
                        struct dx_slice method)
{
    for (; first != entry; first = first->next)
        if (dx_route_takes(first, method))
            return true;
    return false;
}

static size_t allow_room(const struct dx_route_entry *entry)
{
    size_t room = 1;

    for (; entry != NULL; entry = entry->next)
        for (size_t index = 0; index < entry->methods.count; index++)
            room += entry->methods.names[index].len + strlen(", ");
    return room;
}

char *dx_routes_allow(const struct dx_route_entry *first)
{
    char *value = malloc(allow_room(first));
    const char *separator = "";
    char *at;

    if (value == NULL)
        return NULL;
    at = value;
    for (const struct dx_route_entry *entry = first; entry != NULL; entry = entry->next) {
        for (size_t index = 0; entry->route.wants_plain && index < entry->methods.count; index++) {
            struct dx_slice method = entry->methods.names[index];

            if (is_repeated(first, entry, method))
                continue;
            at = stpcpy(at, separator);
            at = (char *)memcpy(at, method.data, method.len) + method.len;
            separator = ", ";
        }
    }
    *at = '\0';
    return value;
}
