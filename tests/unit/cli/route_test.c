/*
 * route_test.c - PATH=COMMAND and [PATH=]DIR.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#include "cli/serve/route.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char bad_path[] = "not a path (no blank, control, ?, #, //, . or .. in it)";
static const char no_slash[] = "the path has no leading / (write /PATH=COMMAND)";
static const char no_command[] = "no command (write PATH=COMMAND)";

static void reads_routes(void **state)
{
    static const struct {
        const char *text;
        const char *path;
        const char *first;
        const char *second;
    } rows[] = {
        {"/=cat", "/", "cat", NULL},
        {"/chat=./chat.sh", "/chat", "./chat.sh", NULL},
        {"/chat/=./chat.sh", "/chat", "./chat.sh", NULL},
        {"/a/b.c=env A=B", "/a/b.c", "env", "A=B"},
        {"/...=cat", "/...", "cat", NULL},
        {"/\xe4\xbd\xa0=cat", "/\xe4\xbd\xa0", "cat", NULL},
        {"/log=tail '-f x'", "/log", "tail", "-f x"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli_route route;
        const char *problem = NULL;

        assert_int_equal(cli_route_parse(rows[i].text, &route, &problem), DX_OK);
        assert_ptr_equal(route.text, rows[i].text);
        assert_string_equal(route.path, rows[i].path);
        assert_string_equal(route.argv[0], rows[i].first);
        if (rows[i].second)
            assert_string_equal(route.argv[1], rows[i].second);
        else
            assert_null(route.argv[1]);
        cli_route_release(&route);
    }
}

static void refuses_routes(void **state)
{
    static const struct {
        const char *text;
        const char *problem;
    } rows[] = {
        {"", no_slash},
        {"x=cat", no_slash},
        {"=cat", no_slash},
        {"cat", no_slash},
        {"/x", no_command},
        {"/x=", no_command},
        {"/x= ", no_command},
        {"/a b=cat", bad_path},
        {"/a?b=cat", bad_path},
        {"/a#b=cat", bad_path},
        {"/a//b=cat", bad_path},
        {"/../x=cat", bad_path},
        {"/a/./b=cat", bad_path},
        {"/a/..=cat", bad_path},
        {"/a\x7f=cat", bad_path},
        {"/a\n=cat", bad_path},
        {"/x='cat", "a quote is not closed (close it, or write \\ before it)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli_route route = {0};
        const char *problem = NULL;

        assert_int_equal(cli_route_parse(rows[i].text, &route, &problem), DX_ERR_USAGE);
        assert_string_equal(problem, rows[i].problem);
        assert_null(route.path);
    }
}

static void reads_directories(void **state)
{
    static const struct {
        const char *text;
        const char *path;
        const char *directory;
    } rows[] = {
        {"web", "/", "web"},
        {"/srv/www", "/", "/srv/www"},
        {"/=web", "/", "web"},
        {"/files/=/srv/www", "/files", "/srv/www"},
        {"/a=/srv/a=b", "/a", "/srv/a=b"},
        {"./a=b", "/", "./a=b"},
        {"../a=b", "/", "../a=b"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli_static files;
        const char *problem = NULL;

        assert_int_equal(cli_static_parse(rows[i].text, &files, &problem), DX_OK);
        assert_string_equal(files.path, rows[i].path);
        assert_string_equal(files.directory, rows[i].directory);
        cli_static_release(&files);
    }
}

static void refuses_directories(void **state)
{
    static const struct {
        const char *text;
        const char *problem;
    } rows[] = {
        {"", "no directory (write DIR or PATH=DIR)"},
        {"/a=", "no directory (write DIR or PATH=DIR)"},
        {"a=b", "the path has no leading / (write /PATH=DIR, or ./DIR for a name with an =)"},
        {"=b", "the path has no leading / (write /PATH=DIR, or ./DIR for a name with an =)"},
        {"/a/../b=c", bad_path},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cli_static files = {0};
        const char *problem = NULL;

        assert_int_equal(cli_static_parse(rows[i].text, &files, &problem), DX_ERR_USAGE);
        assert_string_equal(problem, rows[i].problem);
        assert_null(files.path);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_routes),
        cmocka_unit_test(refuses_routes),
        cmocka_unit_test(reads_directories),
        cmocka_unit_test(refuses_directories),
    };

    return run_group(tests, NULL, NULL);
}
