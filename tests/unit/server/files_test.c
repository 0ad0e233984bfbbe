/*
 * files_test.c - static files: what is served, how it is described, and what is not there however
 * it is asked for.
 */
#include "files_site.h"

#include <signal.h>

static int set_up(void **state)
{
    struct service_setup setup = service_setup_init();

    (void)state;
    if (!make_site())
        return -1;
    put_file("a.txt", "hello, file\n");
    put_file("index.html", "<p>index\n");
    put_file("empty.js", "");
    put_file(".hidden", "no");
    make_directory("sub");
    put_file("sub/index.html", "<p>sub\n");
    make_directory("bare");
    make_directory(".git");
    put_file(".git/config", "no");
    assert_int_equal(symlink("/etc/passwd", path_of("out")), 0);
    assert_int_equal(symlink("a.txt", path_of("in")), 0);
    assert_int_equal(symlink("/etc", path_of("etc")), 0);
    assert_int_equal(symlink("sub", path_of("sublink")), 0);
    put_file("back\\slash", "no");
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    put_file("mode0", "no");
    assert_int_equal(chmod(path_of("mode0"), 0), 0);
    make_directory("closed");
    put_file("closed/a.txt", "no");
    assert_int_equal(chmod(path_of("closed"), 0), 0);
    if (geteuid() == 0)
        assert_int_equal(mknod(path_of("device"), S_IFCHR | 0666, 0x103), 0); /* /dev/null */
    setup.files = directory;
    return !service_start(&service, &setup);
}

static int tear_down(void **state)
{
    (void)state;
    service_stop(&service);
    (void)chmod(path_of("closed"), 0755);
    return remove_site();
}

static void test_what_is_served(void **state)
{
    (void)state;
    get("GET", "/files/a.txt", "");
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "hello, file\n");
    assert_header("Content-Type", "text/plain; charset=utf-8");
    assert_header("Content-Length", "12");
    assert_header("Last-Modified", MODIFIED_DATE);
    assert_header("Cache-Control", "no-cache");
    assert_header("Accept-Ranges", "bytes");
    assert_header("Vary", "Accept-Encoding");
    assert_header("Content-Encoding", NULL);
    assert_header("X-Content-Type-Options", "nosniff");
    assert_non_null(header_of("ETag"));
    get("GET", "/files/%61.txt?version=2", "");
    assert_string_equal(answer.body, "hello, file\n");
    get("GET", "/files/", "");
    assert_string_equal(answer.body, "<p>index\n");
    assert_header("Content-Type", "text/html; charset=utf-8");
    get("GET", "/files/sub/", "");
    assert_string_equal(answer.body, "<p>sub\n");
    get("GET", "/files/empty.js", "");
    assert_int_equal(answer.status, 200);
    assert_header("Content-Length", "0");
}

static void test_slash_is_added(void **state)
{
    (void)state;
    get("GET", "/files/sub", "");
    assert_int_equal(answer.status, 301);
    assert_header("Location", "/files/sub/");
    get("GET", "/files", "");
    assert_int_equal(answer.status, 301);
    assert_header("Location", "/files/");
    get("GET", "/files/s%75b?a=b&c=%20", "");
    assert_header("Location", "/files/s%75b/?a=b&c=%20");
    get("HEAD", "/files?", "");
    assert_int_equal(answer.status, 301);
    assert_header("Location", "/files/?");
}

/* The same head as for GET, and no body. */
static void test_head(void **state)
{
    static const char *const targets[] = {"/files/a.txt", "/files/", "/files/empty.js",
                                          "/files/none", "/files/sub"};
    static const char *const names[] = {"Content-Length", "Content-Type",  "ETag",
                                        "Last-Modified",  "Accept-Ranges", "Vary",
                                        "Cache-Control",  "Location"};

    (void)state;
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        char values[sizeof(names) / sizeof(names[0])][512];
        unsigned status;

        get("GET", targets[i], "");
        status = answer.status;
        for (size_t name = 0; name < sizeof(names) / sizeof(names[0]); name++)
            (void)snprintf(values[name], sizeof(values[name]), "%s",
                           header_of(names[name]) != NULL ? header_of(names[name]) : "none");
        get("HEAD", targets[i], "");
        assert_int_equal(answer.status, status);
        assert_int_equal(answer.body_len, 0);
        for (size_t name = 0; name < sizeof(names) / sizeof(names[0]); name++)
            assert_header(names[name], strcmp(values[name], "none") == 0 ? NULL : values[name]);
    }
}

/*
 * Whatever leads out, up, to what is hidden or to what is no file: row by row of the list of
 * attacks.
 */
static void test_rows_61_to_66(void **state)
{
    static const struct {
        const char *row;
        const char *target;
        unsigned status;
    } table[] = {
        {"G61 ../", "/files/../etc/passwd", 400},
        {"G61 %2e%2e", "/files/%2e%2e/etc/passwd", 400},
        {"G61 %2E%2E", "/files/%2E%2E/%2E%2E/etc/passwd", 400},
        {"G61 .%2e", "/files/.%2e/etc/passwd", 400},
        {"G61 ..%2f", "/files/..%2fetc/passwd", 400},
        {"G61 ..%5c", "/files/..%5cetc", 400},
        {"G61 ..\\", "/files/..\\etc", 400},
        {"G61 %252e", "/files/%252e%252e/etc/passwd", 404},
        {"G61 overlong dots", "/files/%c0%ae%c0%ae/etc/passwd", 400},
        {"G61 //etc", "/files//etc/passwd", 404},
        {"G61 //", "/files//a.txt", 404},
        {"G61 %2f", "/files/%2fetc/passwd", 404},
        {"G61 inner //", "/files/sub//index.html", 404},
        {"G61 ./", "/files/./a.txt", 400},
        {"G61 down and up", "/files/sub/../a.txt", 400},
        {"G61 up at the end", "/files/sub/..", 400},
        {"G61 backslash", "/files/a.txt%5c", 404},
        {"G61 a file with a backslash in its name", "/files/back%5cslash", 404},
        {"G62 link to a file outside", "/files/out", 404},
        {"G62 link to a directory outside", "/files/etc/passwd", 404},
        {"G62 link to a directory outside, its index", "/files/etc/", 404},
        {"G62 link to a file inside", "/files/in", 404},
        {"G62 link to a directory inside", "/files/sublink/", 404},
        {"G62 link to a directory inside, a file", "/files/sublink/index.html", 404},
        {"G63 FIFO", "/files/fifo", 404},
        {"G63 FIFO as a directory", "/files/fifo/", 404},
        {"G63 file as a directory", "/files/a.txt/", 404},
        {"G63 file as a directory, deeper", "/files/a.txt/b", 404},
        {"G64 NUL", "/files/a.txt%00.html", 400},
        {"G64 NUL at the end", "/files/a.txt%00", 400},
        {"G64 newline", "/files/a.txt%0a", 400},
        {"G65 hidden file", "/files/.hidden", 404},
        {"G65 hidden file, escaped", "/files/%2ehidden", 404},
        {"G65 in a hidden directory", "/files/.git/config", 404},
        {"G65 hidden directory", "/files/.git", 404},
        {"G66 no listing", "/files/bare/", 404},
        {"G66 no listing without slash", "/files/bare", 404},
        {"nothing there", "/files/none", 404},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        size_t log_count = service.log_count;

        get("GET", table[i].target, "Accept-Encoding: br, gzip\r\n");
        if (answer.status != table[i].status)
            fail_msg("%s: %s: %u", table[i].row, table[i].target, answer.status);
        assert_null(strstr(answer.body, "root:"));
        assert_int_equal(service.log_count, log_count + 1);
    }
    print_message("%zu targets\n", sizeof(table) / sizeof(table[0]));
}

/*
 * Row 63: what may not be read, and what is no file at all. Root may read everything, so somebody
 * else asks.
 */
static void test_row_63_unreadable(void **state)
{
    bool is_root = geteuid() == 0;

    (void)state;
    if (is_root) {
        get("GET", "/files/device", "");
        assert_int_equal(answer.status, 404);
        assert_int_equal(seteuid(65534), 0);
    }
    get("GET", "/files/mode0", "");
    assert_int_equal(answer.status, 404);
    get("GET", "/files/closed/a.txt", "");
    assert_int_equal(answer.status, 404);
    get("GET", "/files/closed/", "");
    assert_int_equal(answer.status, 404);
    get("GET", "/files/a.txt", "");
    assert_int_equal(answer.status, 200);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
}

/* Row 63: nobody can make the loop wait, not even who holds a lease on a file. */
static void test_row_63_lease(void **state)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    int fd;

    (void)state;
    assert_int_equal(sigaction(SIGIO, &ignore, &before), 0);
    put_file("leased", "x");
    fd = open(path_of("leased"), O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETLEASE, F_WRLCK), 0);
    get("GET", "/files/leased", "");
    assert_int_equal(answer.status, 503);
    assert_header("Retry-After", "1");
    assert_int_equal(close(fd), 0);
    get("GET", "/files/leased", "");
    assert_int_equal(answer.status, 200);
    assert_int_equal(sigaction(SIGIO, &before, NULL), 0);
}

/* Row 70: a page of ours never has a peer's bytes in it, so they cannot be markup. */
static void test_row_70_nothing_is_reflected(void **state)
{
    static const char *const targets[] = {"/files/%3Cscript%3Ealert(1)%3C/script%3E",
                                          "/files/<script>", "/%3Cimg%20src=x%3E",
                                          "/files/sub?%3Cscript%3E", "/files/?<script>"};

    (void)state;
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        get("GET", targets[i], "X-Peer: <script>\r\n");
        assert_null(strchr(answer.status == 200 ? "" : answer.body, '<'));
        assert_header("X-Content-Type-Options", "nosniff");
        if (answer.status != 200)
            assert_header("Content-Type", "text/plain; charset=utf-8");
    }
    get("GET", "/files/sub%0d%0aX-Evil:%20yes", "");
    assert_int_equal(answer.status, 400);
    assert_header("X-Evil", NULL);
}

static void test_methods(void **state)
{
    static const char *const methods[] = {"PUT", "DELETE", "OPTIONS", "PATCH", "get"};

    (void)state;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        get(methods[i], "/files/a.txt", "");
        assert_int_equal(answer.status, 405);
        assert_header("Allow", "GET, HEAD");
    }
}

static void test_very_long_names(void **state)
{
    static char target[8000];

    (void)state;
    for (size_t len = 3980; len <= 4110; len += len == 4040 || len == 4100 ? 1 : 10) {
        (void)strcpy(target, "/files/");
        for (size_t at = 7; at < 7 + len; at++)
            target[at] = at % 200 == 0 ? '/' : 'a';
        target[7 + len] = '\0';
        get("GET", target, "Accept-Encoding: br\r\n");
        assert_int_equal(answer.status, 404);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_served),
        cmocka_unit_test(test_slash_is_added),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_rows_61_to_66),
        cmocka_unit_test(test_row_63_unreadable),
        cmocka_unit_test(test_row_63_lease),
        cmocka_unit_test(test_row_70_nothing_is_reflected),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_very_long_names),
    };

    return run_group(tests, set_up, tear_down);
}
