/*
 * files_negotiation_test.c - what a peer may ask of a file beside its name: states of it, parts of
 * it, codings of it; and the options of a directory.
 */
#include "files_site.h"

#include "http/date.h"

#define LEN_OF(table) (sizeof(table) / sizeof((table)[0]))

static char etag[64];

/* More directories than the service's own: each with options that differ. */
static bool prepare(struct service *made, void *data)
{
    static const struct dx_header two[] = {{"X-One", "1"}, {"X-Two", "2"}};
    struct dx_files_options options = dx_files_options_init();
    char program[128], deep[128], link[128], coded[128];
    const char *const hidden[] = {"/etc/passwd", program, "none", deep, link, coded, NULL};
    enum dx_err err;

    (void)data;
    err = dx_server_route_files(made->server, "/files", directory, NULL);
    if (err == DX_OK)
        err = dx_server_route_files(made->server, "/", directory, NULL);
    options.index = NULL;
    options.cache_control = NULL;
    options.is_precompressed = false;
    options.not_found = "lost.html";
    if (err == DX_OK)
        err = dx_server_route_files(made->server, "/bare", directory, &options);
    options = dx_files_options_init();
    options.index = "main.txt";
    options.cache_control = "max-age=60, immutable";
    options.headers = two;
    options.header_count = 2;
    options.not_found = "missing/lost.html";
    /* The same file in other words: with dots, and by a link. */
    (void)snprintf(program, sizeof(program), "%s/sub/../chat.py", directory);
    (void)snprintf(deep, sizeof(deep), "%s/sub/index.html", directory);
    (void)snprintf(link, sizeof(link), "%s/link", directory);
    (void)snprintf(coded, sizeof(coded), "%s/both.js.br", directory);
    options.hidden = hidden;
    if (err == DX_OK)
        err = dx_server_route_files(made->server, "/own", directory, &options);
    return err == DX_OK;
}

static int set_up(void **state)
{
    struct service_setup setup = service_setup_init();

    (void)state;
    if (!make_site())
        return -1;
    put_file("a.txt", "0123456789");
    put_file("empty", "");
    put_file("main.txt", "main");
    put_file("index.html", "index");
    put_file("lost.html", "<p>lost");
    put_file("both.js", "plain");
    put_file("both.js.br", "as br");
    put_file("both.js.gz", "as gzip");
    put_file("gzip.js", "plain");
    put_file("gzip.js.gz", "as gzip");
    put_file("stale.js", "plain");
    put_file("stale.js.br", "as br");
    set_time("stale.js.br", MODIFIED - 1);
    put_file("alone.js.gz", "as gzip");
    put_file("tricks.js", "plain");
    make_directory("tricks.js.br");
    assert_int_equal(symlink("gzip.js.gz", path_of("tricks.js.gz")), 0);
    put_file("chat.py", "#!/usr/bin/python3");
    put_file("chat.pyx", "another");
    put_file("key.pem", "secret");
    assert_int_equal(symlink("key.pem", path_of("link")), 0);
    make_directory("sub");
    put_file("sub/index.html", "sub");
    put_file("index.html.gz", "index as gzip");
    setup.prepare = prepare;
    return !service_start(&service, &setup);
}

static int tear_down(void **state)
{
    (void)state;
    service_stop(&service);
    return remove_site();
}

static void learn_etag(const char *target, const char *headers)
{
    get("HEAD", target, headers);
    assert_non_null(header_of("ETag"));
    assert_true(strlen(header_of("ETag")) < sizeof(etag));
    (void)strcpy(etag, header_of("ETag"));
}

/*
 * At "/" the path is all there is: a second slash may neither be overlooked nor sent back as
 * another host's name.
 */
static void test_row_61_at_the_root(void **state)
{
    static const struct {
        const char *target;
        unsigned status;
    } table[] = {
        {"/a.txt", 200},       {"/", 200},           {"//", 404},       {"//a.txt", 404},
        {"//etc/passwd", 404}, {"/etc/passwd", 404}, {"//sub", 404},    {"/%2fsub", 404},
        {"/sub", 301},         {"/..//sub", 400},    {"/\\sub", 404},   {"/%5csub", 404},
        {"/%2e%2e", 400},      {"/sub/", 200},       {"/.hidden", 404},
    };

    (void)state;
    for (size_t i = 0; i < LEN_OF(table); i++) {
        get("GET", table[i].target, "");
        if (answer.status != table[i].status)
            fail_msg("%s: %u", table[i].target, answer.status);
        assert_header("Location", table[i].status == 301 ? "/sub/" : NULL);
    }
}

/* ---- states ---- */

static void test_conditions(void **state)
{
    static const struct {
        const char *headers; /* %s is the tag */
        unsigned status;
    } table[] = {
        {"If-None-Match: %s\r\n", 304},
        {"If-None-Match: W/%s\r\n", 304},
        {"If-None-Match: \"x\", %s\r\n", 304},
        {"If-None-Match: *\r\n", 304},
        {"If-None-Match: \"x\"\r\n", 200},
        {"If-None-Match: \"x\"\r\nIf-Modified-Since: " MODIFIED_DATE "\r\n", 200},
        {"If-Modified-Since: " MODIFIED_DATE "\r\n", 304},
        {"If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 200},
        {"If-Modified-Since: nonsense\r\n", 200},
        {"If-Match: %s\r\n", 200},
        {"If-Match: *\r\n", 200},
        {"If-Match: \"x\"\r\n", 412},
        {"If-Match: W/%s\r\n", 412},
        {"If-Unmodified-Since: " MODIFIED_DATE "\r\n", 200},
        {"If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 412},
        {"If-Match: \"x\"\r\nIf-None-Match: %s\r\n", 412},
        {"If-Match: %s\r\nIf-None-Match: %s\r\n", 304},
        {"If-None-Match: %s\r\nRange: bytes=0-0\r\n", 304},
        {"If-Match: \"x\"\r\nRange: bytes=0-0\r\n", 412},
    };

    (void)state;
    learn_etag("/files/a.txt", "");
    assert_int_equal(etag[0], '"');
    for (size_t i = 0; i < 2 * LEN_OF(table); i++) {
        const char *method = i % 2 == 0 ? "GET" : "HEAD";
        const char *headers = filled(table[i / 2].headers, etag);

        get(method, "/files/a.txt", headers);
        if (answer.status != table[i / 2].status)
            fail_msg("%s %s: %u", method, headers, answer.status);
        if (answer.status != 412) {
            assert_header("ETag", etag);
            assert_header("Vary", "Accept-Encoding");
            assert_header("Cache-Control", "no-cache");
        }
        if (answer.status == 304) {
            assert_int_equal(answer.body_len, 0);
            assert_header("Content-Length", NULL);
            assert_header("Content-Type", NULL);
        }
    }
    get("GET", "/files/none", "If-None-Match: *\r\n");
    assert_int_equal(answer.status, 404); /* 13.2.1: judged only where there would be a 200 */
}

/*
 * A file that has just changed may change again and look the same: its tag is weak for a while, and
 * good for no range.
 */
static void test_fresh_files_have_weak_tags(void **state)
{
    char headers[128];

    (void)state;
    learn_etag("/files/a.txt", "");
    clock_ahead_s = 0;
    get("GET", "/files/a.txt", "");
    assert_int_equal(strncmp(header_of("ETag"), "W/\"", 3), 0);
    assert_string_equal(header_of("ETag") + 2, etag);
    (void)snprintf(headers, sizeof(headers), "If-Range: %s\r\nRange: bytes=0-0\r\n", etag);
    get("GET", "/files/a.txt", headers);
    assert_int_equal(answer.status, 200);
    get("GET", "/files/a.txt", "If-Range: " MODIFIED_DATE "\r\nRange: bytes=0-0\r\n");
    assert_int_equal(answer.status, 200);
    (void)snprintf(headers, sizeof(headers), "If-None-Match: %s\r\n", etag);
    get("GET", "/files/a.txt", headers);
    assert_int_equal(answer.status, 304);
    clock_ahead_s = 60;
}

/* Same length, same time of modification, other bytes: as archives and copies leave them. */
static void test_tag_tells_states_apart(void **state)
{
    int64_t date_s, modified_s;
    char before[64];

    (void)state;
    put_file("state", "one");
    learn_etag("/files/state", "");
    (void)strcpy(before, etag);
    learn_etag("/files/state", "");
    assert_string_equal(etag, before);
    put_file("state", "two");
    learn_etag("/files/state", "");
    assert_string_not_equal(etag, before);
    set_time("state", 4000000000);
    get("GET", "/files/state", "");
    /* RFC 9110 8.8.2.1: not later than the answer's own date */
    assert_int_equal(dx_date_read(dx_slice_of(header_of("Date")), 0, &date_s), DX_OK);
    assert_int_equal(dx_date_read(dx_slice_of(header_of("Last-Modified")), 0, &modified_s), DX_OK);
    assert_in_range(modified_s, date_s - 60, date_s);
}

/* ---- parts ---- */

static void test_ranges(void **state)
{
    static const struct {
        const char *headers; /* %s is the tag */
        unsigned status;
        const char *range;
        const char *body;
    } table[] = {
        {"Range: bytes=0-0\r\n", 206, "bytes 0-0/10", "0"},
        {"Range: bytes=3-5\r\n", 206, "bytes 3-5/10", "345"},
        {"Range: bytes=7-\r\n", 206, "bytes 7-9/10", "789"},
        {"Range: bytes=-2\r\n", 206, "bytes 8-9/10", "89"},
        {"Range: bytes=-100\r\n", 206, "bytes 0-9/10", "0123456789"},
        {"Range: bytes=10-\r\n", 416, "bytes */10", NULL},
        {"Range: bytes=-0\r\n", 416, "bytes */10", NULL},
        {"Range: bytes=18446744073709551616-\r\n", 416, "bytes */10", NULL},
        {"Range: bytes=0-18446744073709551616\r\n", 206, "bytes 0-9/10", "0123456789"},
        {"Range: bytes=0-1,3-4\r\n", 200, NULL, "0123456789"},
        {"Range: bytes=0-5,2-7\r\n", 200, NULL, "0123456789"},
        {"Range: lines=1-2\r\n", 200, NULL, "0123456789"},
        {"Range: bytes=2-1\r\n", 200, NULL, "0123456789"},
        {"If-Range: %s\r\nRange: bytes=1-1\r\n", 206, "bytes 1-1/10", "1"},
        {"If-Range: W/%s\r\nRange: bytes=1-1\r\n", 200, NULL, "0123456789"},
        {"If-Range: \"x\"\r\nRange: bytes=1-1\r\n", 200, NULL, "0123456789"},
        {"If-Range: \"x\"\r\nRange: bytes=10-\r\n", 200, NULL, "0123456789"},
        {"If-Range: " MODIFIED_DATE "\r\nRange: bytes=1-1\r\n", 206, "bytes 1-1/10", "1"},
        {"If-Range: Sun, 06 Nov 1994 08:49:38 GMT\r\nRange: bytes=1-1\r\n", 200, NULL,
         "0123456789"},
        {"If-None-Match: \"x\"\r\nRange: bytes=1-1\r\n", 206, "bytes 1-1/10", "1"},
    };

    (void)state;
    learn_etag("/files/a.txt", "");
    for (size_t i = 0; i < LEN_OF(table); i++) {
        const char *headers = filled(table[i].headers, etag);

        get("GET", "/files/a.txt", headers);
        if (answer.status != table[i].status)
            fail_msg("%s: %u", headers, answer.status);
        assert_header("Content-Range", table[i].range);
        if (table[i].body != NULL) {
            assert_string_equal(answer.body, table[i].body);
            assert_header("ETag", etag);
            assert_header("Accept-Ranges", "bytes");
        }
        get("HEAD", "/files/a.txt", headers);
        assert_int_equal(answer.status, 200); /* 14.2: only GET */
        assert_header("Content-Length", "10");
        assert_header("Content-Range", NULL);
    }
    get("GET", "/files/empty", "Range: bytes=0-\r\n");
    assert_int_equal(answer.status, 416);
    assert_header("Content-Range", "bytes */0");
    get("GET", "/files/empty", "Range: bytes=-1\r\n");
    assert_int_equal(answer.status, 200);
}

static void test_row_68_thousand_ranges(void **state)
{
    static char headers[8192];
    size_t len = (size_t)sprintf(headers, "Range: bytes=0-");

    (void)state;
    for (int i = 1; i < 1000; i++)
        len += (size_t)sprintf(headers + len, ",%d-", i % 10);
    (void)strcpy(headers + len, "\r\n");
    get("GET", "/files/a.txt", headers);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "0123456789");
    assert_int_equal(dx_loop_pool(service.loop)->used_len, 0);
}

/* ---- codings ---- */

static void test_codings(void **state)
{
    static const struct {
        const char *target;
        const char *accepts;
        unsigned status;
        const char *coding;
        const char *body;
        const char *why;
    } table[] = {
        {"/files/both.js", NULL, 200, NULL, "plain", "nothing said"},
        {"/files/both.js", "", 200, NULL, "plain", "nothing accepted"},
        {"/files/both.js", "gzip, deflate, br", 200, "br", "as br", "br before gzip"},
        {"/files/both.js", "gzip", 200, "gzip", "as gzip", "what is accepted"},
        {"/files/both.js", "br;q=0.5, gzip;q=0.6", 200, "gzip", "as gzip", "by weight"},
        {"/files/both.js", "br;q=0, gzip", 200, "gzip", "as gzip", "br is excluded"},
        {"/files/both.js", "br;q=0.1, identity;q=0.5", 200, NULL, "plain", "rather as it is"},
        {"/files/both.js", "*", 200, "br", "as br", "anything"},
        {"/files/both.js", "deflate, zstd", 200, NULL, "plain", "others"},
        {"/files/both.js", "br, identity;q=0", 200, "br", "as br", "not as it is"},
        {"/files/both.js", "identity;q=0", 406, NULL, NULL, "not as it is, and nothing else"},
        {"/files/both.js", "*;q=0", 406, NULL, NULL, "nothing at all"},
        {"/files/gzip.js", "br, gzip", 200, "gzip", "as gzip", "there is no br"},
        {"/files/gzip.js", "br", 200, NULL, "plain", "there is no br"},
        {"/files/gzip.js", "br;q=1, gzip;q=0.5", 200, "gzip", "as gzip", "the second choice"},
        {"/files/gzip.js", "br, identity;q=0", 406, NULL, NULL, "there is no br"},
        {"/files/stale.js", "br", 200, NULL, "plain", "older than the file"},
        {"/files/tricks.js", "br, gzip", 200, NULL, "plain", "a directory, a symbolic link"},
        {"/files/alone.js", "gzip", 404, NULL, NULL, "the file itself must be there"},
        {"/files/alone.js.gz", "gzip", 200, NULL, "as gzip", "asked for by its own name"},
        {"/files/", "gzip", 200, "gzip", "index as gzip", "an index page"},
        {"/bare/both.js", "br", 200, NULL, "plain", "switched off"},
        {"/bare/both.js", "identity;q=0", 200, NULL, "plain", "switched off"},
    };

    (void)state;
    for (size_t i = 0; i < LEN_OF(table); i++) {
        char headers[128] = "";

        if (table[i].accepts != NULL)
            (void)snprintf(headers, sizeof(headers), "Accept-Encoding: %s\r\n", table[i].accepts);
        get("GET", table[i].target, headers);
        if (answer.status != table[i].status ||
            (table[i].body != NULL && strcmp(answer.body, table[i].body) != 0))
            fail_msg("%s %s (%s): %u %s", table[i].target, headers, table[i].why, answer.status,
                     answer.body);
        assert_header("Content-Encoding", table[i].coding);
        if (table[i].status != 404)
            assert_header("Vary",
                          strncmp(table[i].target, "/bare", 5) == 0 ? NULL : "Accept-Encoding");
        if (table[i].coding != NULL)
            assert_header("Content-Type", strstr(table[i].target, ".js") != NULL
                                              ? "text/javascript; charset=utf-8"
                                              : "text/html; charset=utf-8");
    }
}

/* Each coding is a representation of its own: with a tag, and parts. */
static void test_codings_have_states_and_parts(void **state)
{
    char plain[64], br[64], headers[256];

    (void)state;
    learn_etag("/files/both.js", "");
    (void)strcpy(plain, etag);
    learn_etag("/files/both.js", "Accept-Encoding: br\r\n");
    (void)strcpy(br, etag);
    learn_etag("/files/both.js", "Accept-Encoding: gzip\r\n");
    assert_string_not_equal(plain, br);
    assert_string_not_equal(plain, etag);
    assert_string_not_equal(br, etag);
    (void)snprintf(headers, sizeof(headers), "Accept-Encoding: br\r\nIf-None-Match: %s\r\n", plain);
    get("GET", "/files/both.js", headers);
    assert_int_equal(answer.status, 200);
    (void)snprintf(headers, sizeof(headers), "Accept-Encoding: br\r\nIf-None-Match: %s\r\n", br);
    get("GET", "/files/both.js", headers);
    assert_int_equal(answer.status, 304);
    assert_header("Vary", "Accept-Encoding");
    (void)snprintf(headers, sizeof(headers),
                   "Accept-Encoding: gzip\r\nRange: bytes=3-\r\nIf-Range: %s\r\n", etag);
    get("GET", "/files/both.js", headers);
    assert_int_equal(answer.status, 206);
    assert_string_equal(answer.body, "gzip");
    assert_header("Content-Encoding", "gzip");
    assert_header("Content-Range", "bytes 3-6/7");
}

/* ---- options ---- */

static void test_options(void **state)
{
    (void)state;
    get("GET", "/own/", "");
    assert_string_equal(answer.body, "main");
    assert_header("Cache-Control", "max-age=60, immutable");
    assert_header("X-One", "1");
    assert_header("X-Two", "2");
    get("GET", "/own/a.txt", "If-None-Match: *\r\n");
    assert_int_equal(answer.status, 304);
    assert_header("Cache-Control", "max-age=60, immutable");
    assert_header("X-One", "1");
    get("GET", "/bare/a.txt", "");
    assert_header("Cache-Control", NULL);
    assert_header("Vary", NULL);
    get("GET", "/bare/", "");
    assert_int_equal(answer.status, 404);
}

/* Row 65: programs and keys that lie among the files, also when they are written anew. */
static void test_row_65_hidden_files(void **state)
{
    static const struct {
        const char *target;
        unsigned own;   /* where they are hidden */
        unsigned files; /* where they are not */
    } table[] = {
        {"chat.py", 404, 200},  {"chat%2Epy", 404, 200},      {"chat.pyx", 200, 200},
        {"key.pem", 404, 200},  {"sub/index.html", 404, 200}, {"link", 404, 404},
        {"chat.py/", 404, 404}, {"a.txt", 200, 200},
    };

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < LEN_OF(table); i++) {
            char target[64];

            (void)snprintf(target, sizeof(target), "/own/%s", table[i].target);
            get("GET", target, "Accept-Encoding: gzip, br\r\n");
            assert_int_equal(answer.status, table[i].own);
            (void)snprintf(target, sizeof(target), "/files/%s", table[i].target);
            get("GET", target, "");
            assert_int_equal(answer.status, table[i].files);
        }
        assert_int_equal(unlink(path_of("chat.py")), 0);
        put_file("chat.py", "#!/usr/bin/python3, edited");
    }
    /* Nor by the name of the file that it is a coding of. */
    get("GET", "/own/both.js", "Accept-Encoding: br\r\n");
    assert_header("Content-Encoding", NULL);
    get("GET", "/files/both.js", "Accept-Encoding: br\r\n");
    assert_header("Content-Encoding", "br");
}

static void test_own_page_for_what_is_not_there(void **state)
{
    static const char *const targets[] = {"/bare/none", "/bare/", "/bare", "/bare/.hidden",
                                          "/bare/tricks.js.gz"};
    size_t log_count = service.log_count;

    (void)state;
    for (size_t i = 0; i < LEN_OF(targets); i++) {
        get("GET", targets[i], "If-None-Match: *\r\nRange: bytes=0-1\r\n");
        assert_int_equal(answer.status, 404);
        assert_string_equal(answer.body, "<p>lost");
        assert_header("Content-Type", "text/html; charset=utf-8");
        assert_header("ETag", NULL);
        assert_header("Last-Modified", NULL);
        assert_header("Accept-Ranges", NULL);
        assert_header("Cache-Control", "no-cache");
        get("HEAD", targets[i], "");
        assert_int_equal(answer.status, 404);
        assert_header("Content-Length", "7");
    }
    assert_int_equal(service.log_count, log_count + 2 * LEN_OF(targets));
    get("GET", "/own/none", ""); /* its page is missing, too */
    assert_int_equal(answer.status, 404);
    assert_header("Content-Type", "text/plain; charset=utf-8");
}

static void test_wrong_options(void **state)
{
    static const struct dx_header headers[] = {
        {"X-One:", "1"}, {"X-One 1", ""}, {"X-One", "1\r\n"}};
    char long_value[4100];
    struct dx_files_options table[12];
    struct dx_server_options server_options = dx_server_options_init();
    struct dx_server *server;
    struct dx_loop *loop;

    (void)state;
    memset(long_value, 'x', sizeof(long_value) - 1);
    long_value[sizeof(long_value) - 1] = '\0';
    for (size_t i = 0; i < LEN_OF(table); i++)
        table[i] = dx_files_options_init();
    table[0].size = 0;
    table[1].size = sizeof(table[1]) + 1;
    table[2].index = "";
    table[3].index = "a/b";
    table[4].index = "../x";
    table[5].cache_control = "no-cache\r\nX-Evil: 1";
    for (size_t i = 0; i < LEN_OF(headers); i++) {
        table[6 + i].headers = &headers[i];
        table[6 + i].header_count = 1;
    }
    table[9].not_found = "";
    table[10].cache_control = long_value;
    table[11].index = "a\\b";
    assert_int_equal(dx_loop_new(&loop), DX_OK);
    assert_int_equal(dx_server_new(loop, &server_options, &server), DX_OK);
    for (size_t i = 0; i < LEN_OF(table); i++)
        assert_int_equal(dx_server_route_files(server, "/", directory, &table[i]), DX_ERR_USAGE);
    assert_int_equal(dx_server_route_files(server, "/", "/nowhere", NULL), DX_ERR_NOT_FOUND);
    assert_int_equal(dx_server_route_files(server, "/", path_of("a.txt"), NULL), DX_ERR_NOT_FOUND);
    assert_int_equal(dx_server_route_files(server, "x", directory, NULL), DX_ERR_USAGE);
    assert_int_equal(dx_server_route_files(server, "/", directory, NULL), DX_OK);
    dx_server_free(server);
    dx_loop_free(loop);
    assert_int_equal(dx_server_route_files(service.server, "/late", directory, NULL), DX_ERR_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_61_at_the_root),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_fresh_files_have_weak_tags),
        cmocka_unit_test(test_tag_tells_states_apart),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_row_68_thousand_ranges),
        cmocka_unit_test(test_codings),
        cmocka_unit_test(test_codings_have_states_and_parts),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_row_65_hidden_files),
        cmocka_unit_test(test_own_page_for_what_is_not_there),
        cmocka_unit_test(test_wrong_options),
    };

    return run_group(tests, set_up, tear_down);
}
