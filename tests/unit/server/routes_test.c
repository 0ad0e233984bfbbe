/*
 * routes_test.c - which route a path gets: a table of what <duplex/server.h> promises, the same
 * against a plain search over random tables, and what it costs with as many routes as there can be.
 */
#include "server/routes/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/test.h"

static const struct dx_connection_kind kind;

static void nothing(struct dx_request *request, void *user)
{
    (void)request;
    (void)user;
}

static enum dx_err add(struct dx_routes *routes, const char *path, bool is_exact,
                       const char *methods)
{
    const struct dx_route route = {.size = sizeof(route),
                                   .on_request = nothing,
                                   .wants_plain = true,
                                   .is_exact = is_exact,
                                   .methods = methods};

    return dx_routes_add(routes, path, &route, &kind, NULL);
}

static const char *found(const struct dx_routes *routes, const char *path, const char *method)
{
    const struct dx_route_entry *first = dx_routes_look(routes, path, strlen(path));
    const struct dx_route_entry *entry = dx_routes_choose(first, false, dx_slice_of(method));

    return entry == NULL ? NULL : entry->path;
}

static void test_precedence(void **state)
{
    static const struct {
        const char *path;
        bool is_exact;
    } added[] = {{"/", false},         {"/a", false},       {"/a/b", true},
                 {"/a/:x", false},     {"/:x/b/c", false},  {"/a/:x/c", false},
                 {"/a/b/c/d", true},   {"/:x", true},       {"/e/:x/:y", false},
                 {"/e/f", false},      {"/e/f/:y/h", true}, {"/slash//two", false},
                 {"/k/:one/m", false}, {"/k/l/:two", false}};
    static const struct {
        const char *path, *route;
    } table[] = {
        {"/", "/"},
        {"/z", "/:x"},
        {"/z/", "/:x"},
        {"/z/y", "/"}, /* "/:x" is exact */
        {"//", "/"},
        {"/a", "/a"},
        {"/a/", "/a"},
        {"/ab", "/:x"},
        {"/a/b", "/a/b"},
        {"/a/b/", "/a/b"},
        {"/a/b/z", "/a/:x"}, /* "/a/b" is exact */
        {"/a/b/c", "/a/:x/c"},
        {"/a/b/c/d", "/a/b/c/d"},
        {"/a/b/c/d/e", "/a/:x/c"},
        {"/z/b/c", "/:x/b/c"},
        {"/a//c", "/a"}, /* an empty part is none */
        {"/e/f", "/e/f"},
        {"/e/f/g", "/e/:x/:y"}, /* more parts */
        {"/e/f/g/h", "/e/f/:y/h"},
        {"/e/f/g/i", "/e/:x/:y"},
        {"/slash//two", "/slash//two"},
        {"/slash/two", "/"},
        {"/k/l/m", "/k/l/:two"}, /* equally many: the first that differs is a text */
        {"/k/z/m", "/k/:one/m"},
        {"/k/l/z", "/k/l/:two"},
    };
    struct dx_routes routes = {NULL, 0};

    (void)state;
    assert_null(dx_routes_look(&routes, "/", 1));
    for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++)
        assert_int_equal(add(&routes, added[i].path, added[i].is_exact, NULL), DX_OK);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const char *route = found(&routes, table[i].path, "GET");

        if (route == NULL || strcmp(route, table[i].route) != 0)
            fail_msg("%s: %s instead of %s", table[i].path, route, table[i].route);
    }
    dx_routes_release(&routes);
}

static void test_usage(void **state)
{
    static const struct {
        const char *path, *methods;
        bool is_exact;
        enum dx_err err;
    } table[] = {
        {NULL, NULL, false, DX_ERR_USAGE},
        {"", NULL, false, DX_ERR_USAGE},
        {"a", NULL, false, DX_ERR_USAGE},
        {"/:", NULL, false, DX_ERR_USAGE},
        {"/a/:", NULL, false, DX_ERR_USAGE},
        {"/:a/:a", NULL, false, DX_ERR_USAGE},
        {"/:a/b/:a", NULL, false, DX_ERR_USAGE},
        {"/m", "", false, DX_ERR_USAGE},
        {"/m", ",", false, DX_ERR_USAGE},
        {"/m", "GET POST", false, DX_ERR_USAGE},
        {"/m", "GET, (x)", false, DX_ERR_USAGE},
        {"/:a/:ab", NULL, false, DX_OK},
        {"/:b/:c", NULL, false, DX_ERR_USAGE}, /* the same parts */
        {"/:b/:c/", NULL, false, DX_ERR_USAGE},
        {"/:b/:c", NULL, true, DX_OK},
        {"/m", "GET", false, DX_OK},
        {"/m", "POST,PUT", false, DX_OK},
        {"/m", "DELETE, PUT", false, DX_ERR_USAGE},
        {"/m", "HEAD", false, DX_ERR_USAGE}, /* GET has it */
        {"/m", NULL, false, DX_ERR_USAGE},
        {"/m", "get", false, DX_OK}, /* another method */
        {"/m", NULL, true, DX_OK},
        {"/n", "HEAD", false, DX_OK},
        {"/n", "GET", false, DX_ERR_USAGE},
    };
    const struct dx_route upgrades = {
        .size = sizeof(upgrades), .on_request = nothing, .wants_upgrades = true};
    const struct dx_route neither = {.size = sizeof(neither), .on_request = nothing};
    const struct dx_route no_handler = {.size = sizeof(no_handler), .wants_plain = true};
    struct dx_routes routes = {NULL, 0};

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        enum dx_err err = add(&routes, table[i].path, table[i].is_exact, table[i].methods);

        if (err != table[i].err)
            fail_msg("%s, %s: %s", table[i].path, table[i].methods, dx_err_name(err));
    }
    assert_int_equal(dx_routes_add(&routes, "/m", &upgrades, &kind, NULL), DX_OK);
    assert_int_equal(dx_routes_add(&routes, "/m", &upgrades, &kind, NULL), DX_ERR_USAGE);
    assert_int_equal(dx_routes_add(&routes, "/o", &neither, &kind, NULL), DX_ERR_USAGE);
    assert_int_equal(dx_routes_add(&routes, "/o", &no_handler, &kind, NULL), DX_ERR_USAGE);
    assert_null(dx_routes_look(&routes, "/o", 2));
    dx_routes_release(&routes);
}

/* One path with routes of several kinds, methods and reaches. */
static void test_kinds_and_methods(void **state)
{
    const struct dx_route upgrades = {
        .size = sizeof(upgrades), .on_request = nothing, .wants_upgrades = true};
    struct dx_routes routes = {NULL, 0};
    const struct dx_route_entry *first, *entry;
    char *allow;

    (void)state;
    assert_int_equal(add(&routes, "/a", false, "POST,PUT"), DX_OK);
    assert_int_equal(dx_routes_add(&routes, "/a", &upgrades, &kind, NULL), DX_OK);
    assert_int_equal(add(&routes, "/a", true, "GET ,  POST"), DX_OK);
    first = dx_routes_look(&routes, "/a", 2);
    assert_true(first->route.is_exact);
    entry = dx_routes_choose(first, false, dx_slice_of("POST"));
    assert_true(entry->route.is_exact);
    entry = dx_routes_choose(first, false, dx_slice_of("PUT"));
    assert_string_equal(entry->route.methods, "POST,PUT");
    assert_true(dx_routes_choose(first, false, dx_slice_of("HEAD"))->route.is_exact);
    assert_true(dx_routes_choose(first, true, dx_slice_of("GET"))->route.wants_upgrades);
    entry = dx_routes_choose(first, false, dx_slice_of("DELETE"));
    assert_false(dx_route_takes(entry, dx_slice_of("DELETE")));
    assert_false(dx_route_takes(entry, dx_slice_of("get")));
    allow = dx_routes_allow(first);
    assert_string_equal(allow, "GET, HEAD, POST, PUT");
    free(allow);
    first = dx_routes_look(&routes, "/a/below", 8);
    assert_false(first->route.is_exact);
    allow = dx_routes_allow(first);
    assert_string_equal(allow, "POST, PUT");
    free(allow);
    dx_routes_release(&routes);
}

static void count_free(void *user)
{
    ++*(int *)user;
}

/* What a route has been given to free goes with the routes, and only if the route was added. */
static void test_what_a_route_frees(void **state)
{
    int free_count = 0;
    const struct dx_route route = {.size = sizeof(route),
                                   .on_request = nothing,
                                   .user = &free_count,
                                   .wants_plain = true,
                                   .methods = "GET, HEAD"};
    struct dx_routes routes = {NULL, 0};

    (void)state;
    assert_int_equal(dx_routes_add(&routes, "/a", &route, &kind, count_free), DX_OK);
    assert_int_equal(dx_routes_add(&routes, "/a", &route, &kind, count_free), DX_ERR_USAGE);
    assert_int_equal(dx_routes_add(&routes, "/b", &route, &kind, NULL), DX_OK);
    assert_int_equal(free_count, 0);
    dx_routes_release(&routes);
    assert_int_equal(free_count, 1);
}

/* ---- against a plain search ---- */

static unsigned random_state = 1;

static unsigned next_random(unsigned below)
{
    random_state = random_state * 1103515245u + 12345u;
    return (random_state >> 16) % below;
}

static void random_path(char *path, bool may_have_params)
{
    static const char *const parts[] = {"a", "b", "aa", ":x", ":y", ":z"};
    unsigned count = next_random(5);
    unsigned param = 3;

    strcpy(path, count == 0 ? "/" : "");
    for (unsigned i = 0; i < count; i++) {
        bool is_param = may_have_params && param < 6 && next_random(3) == 0;

        strcat(path, "/");
        strcat(path, is_param ? parts[param++] : parts[next_random(3)]);
    }
}

/*
 * How good the match is, a digit a part: 2 for a text, 1 for a ":name"; 0: none. Longer numbers are
 * more parts.
 */
static unsigned long rank(const char *route, bool is_exact, const char *path)
{
    struct dx_slice part, other;
    unsigned long digits = 0, count = 0;
    size_t index = 0;

    for (; dx_route_part(route, index, &part); index++) {
        if (!dx_route_part(path, index, &other))
            return 0;
        if (part.data[0] != ':' &&
            (part.len != other.len || memcmp(part.data, other.data, part.len) != 0))
            return 0;
        digits = digits * 3 + (part.data[0] == ':' ? 1 : 2);
        count++;
    }
    if (is_exact && dx_route_part(path, index, &other))
        return 0;
    return (count * 1000 + digits) * 2 + is_exact + 2;
}

static void test_against_a_plain_search(void **state)
{
    size_t compared = 0;

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct dx_routes routes = {NULL, 0};
        char paths[40][32];
        bool exact[40];
        size_t count = 0;

        for (int i = 0; i < 40; i++) {
            exact[count] = next_random(2) == 0;
            random_path(paths[count], true);
            if (add(&routes, paths[count], exact[count], NULL) == DX_OK)
                count++;
        }
        for (int i = 0; i < 100; i++) {
            unsigned long best = 0;
            size_t best_index = 0;
            const char *route;
            char path[32];

            random_path(path, false);
            for (size_t k = 0; k < count; k++) {
                unsigned long now = rank(paths[k], exact[k], path);

                if (now > best) {
                    best = now;
                    best_index = k;
                }
            }
            route = found(&routes, path, "GET");
            assert_int_equal(route == NULL, best == 0);
            if (route != NULL && strcmp(route, paths[best_index]) != 0)
                fail_msg("%s: %s instead of %s", path, route, paths[best_index]);
            compared++;
        }
        dx_routes_release(&routes);
    }
    print_message("%zu paths compared\n", compared);
}

/* ---- many ---- */

static double look_ns(const struct dx_routes *routes, const char *path)
{
    struct timespec begin, end;
    size_t len = strlen(path);

    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < 100000; i++)
        assert_non_null(dx_routes_look(routes, path, len));
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    return ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) /
           100000;
}

static void test_many(void **state)
{
    struct dx_routes routes = {NULL, 0};
    char path[64];

    (void)state;
    for (int i = 0; i < DX_ROUTES_MAX; i++) {
        (void)snprintf(path, sizeof(path), "/api/v1/thing%d/:id/part", i);
        assert_int_equal(add(&routes, path, true, NULL), DX_OK);
    }
    assert_int_equal(add(&routes, "/one-more", true, NULL), DX_ERR_TOO_MANY);
    for (int i = 0; i < DX_ROUTES_MAX; i++) {
        (void)snprintf(path, sizeof(path), "/api/v1/thing%d/77/part", i);
        assert_non_null(found(&routes, path, "GET"));
    }
    assert_null(found(&routes, "/api/v1/thing1024/77/part", "GET"));
    print_message("1024 routes: %.0f ns a look\n", look_ns(&routes, "/api/v1/thing1000/77/part"));
    dx_routes_release(&routes);
    assert_int_equal(add(&routes, "/api/v1/thing1000/:id/part", true, NULL), DX_OK);
    print_message("1 route: %.0f ns a look\n", look_ns(&routes, "/api/v1/thing1000/77/part"));
    dx_routes_release(&routes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_kinds_and_methods),
        cmocka_unit_test(test_what_a_route_frees),
        cmocka_unit_test(test_against_a_plain_search),
        cmocka_unit_test(test_many),
    };

    return run_group(tests, NULL, NULL);
}
