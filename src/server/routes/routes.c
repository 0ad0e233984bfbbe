/*
 * routes.c - the tree of routes. Not responsible for what a route answers, nor for paths as they stand in a request:
 * http/url.h has decoded and judged those.
 */
#include "server/routes/routes.h"

#include "base/text.h"
#include "http/list.h"
#include "server/files/files.h"
#include "server/connections/websocket.h"

#include <stdlib.h>
#include <string.h>

/* ---- parts of a path ---- */

/* Takes the first part ("/a" of "/a/b") off; false when there is none. */
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

/* ---- methods ---- */

static bool is_method_list(const char *methods)
{
    struct dx_slice member;
    struct dx_list list;
    enum dx_list_step step;
    size_t count = 0;

    dx_list_init_value(&list, dx_slice_of(methods));
    while ((step = dx_list_next(&list, &member)) == DX_LIST_MEMBER) {
        if (!dx_text_is_token(member))
            return false;
        count++;
    }
    return step == DX_LIST_END && count > 0;
}

static bool equal(struct dx_slice a, struct dx_slice b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* GET takes HEAD along. */
static bool lists_method(const char *methods, struct dx_slice method)
{
    struct dx_slice member;
    struct dx_list list;

    dx_list_init_value(&list, dx_slice_of(methods));
    while (dx_list_next(&list, &member) == DX_LIST_MEMBER)
        if (equal(member, method) || (dx_slice_is(member, "GET") && dx_slice_is(method, "HEAD")))
            return true;
    return false;
}

bool dx_route_takes(const struct dx_route_entry *entry, struct dx_slice method)
{
    return entry->route.wants_plain &&
           (entry->route.methods == NULL || lists_method(entry->route.methods, method));
}

static bool share_a_method(const char *one, const char *other)
{
    struct dx_slice member;
    struct dx_list list;

    if (one == NULL || other == NULL)
        return true;
    dx_list_init_value(&list, dx_slice_of(one));
    while (dx_list_next(&list, &member) == DX_LIST_MEMBER)
        if (lists_method(other, member) ||
            (dx_slice_is(member, "GET") && lists_method(other, dx_slice_of("HEAD"))))
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

/* Where the child of that text stands, or has to be put. */
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

/* The node where such a path ends, made with all before it where they are missing. A node that then gets no route leads
 * nowhere and does no harm. NULL: no memory. */
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
        dx_files_free(entry->files);
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
            if (equal(part, other))
                return false;
    }
    return true;
}

static bool is_route(const char *path, const struct dx_route *route, const struct dx_files *files)
{
    return path != NULL && path[0] == '/' && (route->wants_upgrades || route->wants_plain) &&
           (route->on_request != NULL || files != NULL) &&
           (route->methods == NULL || is_method_list(route->methods));
}

static bool is_taken(const struct dx_route_node *node, const struct dx_route *route)
{
    for (const struct dx_route_entry *entry = node->entries; entry != NULL; entry = entry->next) {
        const struct dx_route *other = &entry->route;

        if (other->is_exact != route->is_exact)
            continue;
        if ((other->wants_upgrades && route->wants_upgrades) ||
            (other->wants_plain && route->wants_plain &&
             share_a_method(other->methods, route->methods)))
            return true;
    }
    return false;
}

static struct dx_route_entry *make_entry(struct dx_slice path, const struct dx_route *route,
                                         struct dx_files *files,
                                         const struct dx_connection_options *options)
{
    struct dx_route_entry *entry = calloc(1, sizeof(*entry) + path.len + 1);

    if (entry == NULL)
        return NULL;
    entry->route = *route;
    entry->files = files;
    dx_connection_kind_init(&entry->kind, DX_ROLE_SERVER,
                            route->connection != NULL ? route->connection : options);
    entry->kind.on_gone = dx_server_websocket_on_gone;
    entry->route.connection = NULL;
    entry->path_len = path.len;
    memcpy(entry->path, path.data, path.len);
    return entry;
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

enum dx_err dx_routes_add(struct dx_routes *routes, const char *path, const struct dx_route *route,
                          struct dx_files *files, const struct dx_connection_options *options)
{
    struct dx_route wanted = *route;
    struct dx_route_node *node;
    struct dx_route_entry *entry;
    struct dx_slice text;
    bool has_params;

    if (files != NULL)
        wanted.methods = "GET";
    if (!is_route(path, &wanted, files))
        return DX_ERR_USAGE;
    text = dx_slice_of(path);
    while (text.len > 1 && text.data[text.len - 1] == '/')
        text.len--;
    if (!has_good_params(parts_of(path, text.len), &has_params))
        return DX_ERR_USAGE;
    node = reach(routes, parts_of(path, text.len));
    if (node == NULL)
        return DX_ERR_NOMEM;
    if (is_taken(node, &wanted))
        return DX_ERR_USAGE;
    if (routes->count == DX_ROUTES_MAX)
        return DX_ERR_TOO_MANY;
    entry = make_entry(text, &wanted, files, options);
    if (entry == NULL)
        return DX_ERR_NOMEM;
    entry->has_params = has_params;
    insert(node, entry);
    routes->count++;
    return DX_OK;
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
 * Texts before the ":name": of two that are equally deep the first found stays. As deep as the routes have parts, and each
 * node of the tree is seen once at most.
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

static void add_method(char *allow, struct dx_slice method)
{
    size_t len = strlen(allow);
    struct dx_slice member;
    struct dx_list list;

    dx_list_init_value(&list, dx_slice_of(allow));
    while (dx_list_next(&list, &member) == DX_LIST_MEMBER)
        if (equal(member, method))
            return;
    if (len > 0) {
        memcpy(allow + len, ", ", 2);
        len += 2;
    }
    memcpy(allow + len, method.data, method.len);
    allow[len + method.len] = '\0';
}

char *dx_routes_allow(const struct dx_route_entry *first)
{
    static const char name[] = "Allow: ";
    struct dx_slice method;
    struct dx_list list;
    size_t room = sizeof(name) + 2;
    char *line, *methods;

    /* A blank more behind each comma, a comma between two routes, and HEAD. */
    for (const struct dx_route_entry *entry = first; entry != NULL; entry = entry->next)
        if (entry->route.wants_plain && entry->route.methods != NULL)
            room += 2 * strlen(entry->route.methods) + strlen(", HEAD, ");
    line = malloc(room);
    if (line == NULL)
        return NULL;
    memcpy(line, name, sizeof(name));
    methods = line + strlen(name);
    for (const struct dx_route_entry *entry = first; entry != NULL; entry = entry->next) {
        if (!entry->route.wants_plain || entry->route.methods == NULL)
            continue;
        dx_list_init_value(&list, dx_slice_of(entry->route.methods));
        while (dx_list_next(&list, &method) == DX_LIST_MEMBER) {
            add_method(methods, method);
            if (dx_slice_is(method, "GET"))
                add_method(methods, dx_slice_of("HEAD"));
        }
    }
    memcpy(methods + strlen(methods), "\r\n", 3);
    return line;
}
