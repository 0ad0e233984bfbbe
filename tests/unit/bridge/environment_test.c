/*
 * environment_test.c - what of a request reaches a program's environment, and what never does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#include <duplex/version.h>

#include "bridge/program/environment.h"

/* ---- a request of the test's own, in place of the server's ---- */

struct dx_request {
    const char *path;
    const char *route;
    const char *subprotocol;
    bool is_tls;
    const char *headers[8][2];
    char joined[256];
};

const char *dx_request_method(const struct dx_request *request)
{
    (void)request;
    return "GET";
}

const char *dx_request_target(const struct dx_request *request)
{
    (void)request;
    return "/a/b%20c?x=1&y=%3Cz%3E";
}

const char *dx_request_path(const struct dx_request *request)
{
    return request->path;
}

const char *dx_request_query(const struct dx_request *request)
{
    (void)request;
    return "x=1&y=%3Cz%3E";
}

const char *dx_request_route_path(const struct dx_request *request)
{
    return request->route;
}

const char *dx_request_header(struct dx_request *request, const char *name)
{
    request->joined[0] = '\0';
    for (size_t i = 0; i < 8 && request->headers[i][0]; i++) {
        if (strcasecmp(request->headers[i][0], name) != 0)
            continue;
        if (request->joined[0])
            strcat(request->joined, ", ");
        strcat(request->joined, request->headers[i][1]);
    }
    return request->joined[0] ? request->joined : NULL;
}

bool dx_request_header_at(const struct dx_request *request, size_t index, const char **name,
                          size_t *name_len, const char **value, size_t *value_len)
{
    if (index >= 8 || !request->headers[index][0])
        return false;
    *name = request->headers[index][0];
    *name_len = strlen(*name);
    *value = request->headers[index][1];
    *value_len = strlen(*value);
    return true;
}

const char *dx_request_peer_host(const struct dx_request *request)
{
    (void)request;
    return "127.0.0.1";
}

uint16_t dx_request_peer_port(const struct dx_request *request)
{
    (void)request;
    return 33988;
}

const char *dx_request_server_host(const struct dx_request *request)
{
    (void)request;
    return "localhost";
}

uint16_t dx_request_server_port(const struct dx_request *request)
{
    (void)request;
    return 8080;
}

bool dx_request_is_tls(const struct dx_request *request)
{
    return request->is_tls;
}

const char *dx_request_subprotocol(const struct dx_request *request)
{
    return request->subprotocol;
}

/* ---- the tests ---- */

static void build(struct dx_environment *environment, struct dx_request *request)
{
    static const char *const inherited[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "SECRET=no",
                                            "PATHOLOGY=no",       "TZ=UTC",         NULL};
    static const char *const lines[] = {"GREETING=hello", "TZ=Asia/Shanghai", NULL};

    dx_environment_init(environment);
    dx_environment_add_inherited(environment, (char *const *)(uintptr_t)inherited);
    dx_environment_add_lines(environment, lines);
    dx_environment_add_request(environment, request, "00112233445566778899aabbccddeeff");
    assert_int_equal(dx_environment_finish(environment), DX_OK);
}

static const char *find(const struct dx_environment *environment, const char *name)
{
    const char *found = NULL;
    size_t len = strlen(name);

    for (char **line = environment->list; *line; line++) {
        if (strncmp(*line, name, len) != 0 || (*line)[len] != '=')
            continue;
        assert_null(found); /* a name stands once */
        found = *line + len + 1;
    }
    return found;
}

static void expect(const struct dx_environment *environment, const char *name, const char *value)
{
    const char *found = find(environment, name);

    if (!value && found)
        fail_msg("%s=%s should not be there", name, found);
    if (value && (!found || strcmp(found, value) != 0))
        fail_msg("%s=%s, not %s", name, found ? found : "(absent)", value);
}

static void the_cgi_variables(void **state)
{
    struct dx_request request = {.path = "/a/b c", .route = "/a", .is_tls = true};
    struct dx_environment environment;

    (void)state;
    request.subprotocol = "chat";
    build(&environment, &request);
    expect(&environment, "GATEWAY_INTERFACE", "CGI/1.1");
    expect(&environment, "SERVER_SOFTWARE", "duplex/" DX_VERSION);
    expect(&environment, "SERVER_PROTOCOL", "HTTP/1.1");
    expect(&environment, "SERVER_NAME", "localhost");
    expect(&environment, "SERVER_PORT", "8080");
    expect(&environment, "REQUEST_METHOD", "GET");
    expect(&environment, "REQUEST_URI", "/a/b%20c?x=1&y=%3Cz%3E");
    expect(&environment, "QUERY_STRING", "x=1&y=%3Cz%3E");
    expect(&environment, "SCRIPT_NAME", "/a");
    expect(&environment, "PATH_INFO", "/b c");
    expect(&environment, "REMOTE_ADDR", "127.0.0.1");
    expect(&environment, "REMOTE_HOST", "127.0.0.1");
    expect(&environment, "REMOTE_PORT", "33988");
    expect(&environment, "UNIQUE_ID", "00112233445566778899aabbccddeeff");
    expect(&environment, "HTTPS", "on");
    expect(&environment, "WEBSOCKET_SUBPROTOCOL", "chat");
    dx_environment_release(&environment);
}

static void a_script_name_is_what_stands_for_the_routes_parts(void **state)
{
    static const struct {
        const char *route, *path, *script_name, *path_info;
    } table[] = {
        {"/users/:id", "/users/a long one/x/y", "/users/a long one", "/x/y"},
        {"/users/:id", "/users/7", "/users/7", ""},
        {"/:a/b/:long-name", "/1/b/2/", "/1/b/2", "/"},
        {"/a/b", "/a/b/c", "/a/b", "/c"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct dx_request request = {.path = table[i].path, .route = table[i].route};
        struct dx_environment environment;

        build(&environment, &request);
        expect(&environment, "SCRIPT_NAME", table[i].script_name);
        expect(&environment, "PATH_INFO", table[i].path_info);
        dx_environment_release(&environment);
    }
}

static void the_root_route_is_an_empty_script_name(void **state)
{
    struct dx_request request = {.path = "/x", .route = "/"};
    struct dx_environment environment;

    (void)state;
    build(&environment, &request);
    expect(&environment, "SCRIPT_NAME", "");
    expect(&environment, "PATH_INFO", "/x");
    expect(&environment, "HTTPS", NULL);
    expect(&environment, "WEBSOCKET_SUBPROTOCOL", NULL);
    dx_environment_release(&environment);
}

static void what_is_passed_on(void **state)
{
    struct dx_request request = {.path = "/", .route = "/"};
    struct dx_environment environment;

    (void)state;
    build(&environment, &request);
    expect(&environment, "PATH", "/usr/bin:/bin");
    expect(&environment, "LC_ALL", "C.UTF-8");
    expect(&environment, "TZ", "Asia/Shanghai");
    expect(&environment, "GREETING", "hello");
    expect(&environment, "SECRET", NULL);
    expect(&environment, "PATHOLOGY", NULL);
    dx_environment_release(&environment);
}

static void headers_and_those_that_never_pass(void **state)
{
    struct dx_request request = {
        .path = "/",
        .route = "/",
        .headers = {{"Origin", "http://localhost:8080"},
                    {"X-Forwarded-For", "10.0.0.1"},
                    {"x-forwarded-for", "10.0.0.2"},
                    {"X_Forwarded_For", "6.6.6.6"},
                    {"Proxy", "http://evil"},
                    {"Authorization", "Basic c2VjcmV0"},
                    {"X.Dot", "1"},
                    {"Cookie", "() { :;}; echo"}},
    };
    struct dx_environment environment;

    (void)state;
    build(&environment, &request);
    expect(&environment, "HTTP_ORIGIN", "http://localhost:8080");
    expect(&environment, "HTTP_X_FORWARDED_FOR", "10.0.0.1, 10.0.0.2");
    expect(&environment, "HTTP_PROXY", NULL);
    expect(&environment, "HTTP_AUTHORIZATION", NULL);
    expect(&environment, "HTTP_X.DOT", NULL);
    expect(&environment, "HTTP_X_DOT", NULL);
    expect(&environment, "HTTP_COOKIE", "() { :;}; echo");
    dx_environment_release(&environment);
}

static void a_limit_is_an_error(void **state)
{
    struct dx_environment environment;
    char *large = malloc(DX_ENVIRONMENT_MAX);

    (void)state;
    memset(large, 'x', DX_ENVIRONMENT_MAX - 1);
    large[DX_ENVIRONMENT_MAX - 1] = '\0';
    dx_environment_init(&environment);
    dx_environment_add(&environment, "A", "1");
    dx_environment_add(&environment, "B", large);
    dx_environment_add(&environment, "C", "3");
    assert_int_equal(dx_environment_finish(&environment), DX_ERR_TOO_BIG);
    dx_environment_release(&environment);
    free(large);
}

static void what_is_common_comes_first(void **state)
{
    const char *const inherited[] = {"PATH=/bin", "TZ=UTC", "SECRET=x", NULL};
    const char *const own[] = {"TZ=Asia/Shanghai", "REMOTE_PORT=1", NULL};
    struct dx_request request = {.path = "/", .route = "/"};
    struct dx_environment common, environment;

    (void)state;
    dx_environment_init(&common);
    dx_environment_add_inherited(&common, (char *const *)(uintptr_t)inherited);
    dx_environment_add_lines(&common, own);
    for (int i = 0; i < 2; i++) { /* it stays as it was */
        dx_environment_init(&environment);
        dx_environment_add_all(&environment, &common);
        dx_environment_add_request(&environment, &request, "00112233445566778899aabbccddeeff");
        assert_int_equal(dx_environment_finish(&environment), DX_OK);
        assert_string_equal(environment.list[0], "PATH=/bin");
        assert_string_equal(environment.list[1], "TZ=Asia/Shanghai");
        assert_string_equal(environment.list[2], "GATEWAY_INTERFACE=CGI/1.1");
        assert_string_not_equal(find(&environment, "REMOTE_PORT"), "1");
        assert_null(environment.list[environment.count]);
        dx_environment_release(&environment);
    }
    common.err = DX_ERR_NOMEM;
    dx_environment_init(&environment);
    dx_environment_add_all(&environment, &common);
    assert_int_equal(dx_environment_finish(&environment), DX_ERR_NOMEM);
    dx_environment_release(&environment);
    dx_environment_release(&common);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cgi_variables),
        cmocka_unit_test(a_script_name_is_what_stands_for_the_routes_parts),
        cmocka_unit_test(the_root_route_is_an_empty_script_name),
        cmocka_unit_test(what_is_passed_on),
        cmocka_unit_test(headers_and_those_that_never_pass),
        cmocka_unit_test(a_limit_is_an_error),
        cmocka_unit_test(what_is_common_comes_first),
    };

    return run_group(tests, NULL, NULL);
}
