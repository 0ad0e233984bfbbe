/*
 * file_test.c - only regular files beneath the directory are opened, and nothing waits.
 */
#include "net/socket/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/test.h"

static char root[] = "/tmp/duplex-file-XXXXXX";

static void put(const char *path, const char *text)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(root));
    assert_int_equal(chdir(root), 0);
    assert_int_equal(mkdir("public", 0755), 0);
    assert_int_equal(mkdir("public/deep", 0755), 0);
    put("secret", "secret");
    put("public/a.txt", "hello");
    put("public/deep/b.txt", "");
    assert_int_equal(symlink("../secret", "public/out"), 0);
    assert_int_equal(symlink("a.txt", "public/in"), 0);
    assert_int_equal(symlink("..", "public/up"), 0);
    assert_int_equal(mkfifo("public/fifo", 0644), 0);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {"secret",     "public/a.txt", "public/deep/b.txt",
                                        "public/out", "public/in",    "public/up",
                                        "public/fifo"};

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        assert_int_equal(unlink(files[i]), 0);
    assert_int_equal(rmdir("public/deep"), 0);
    assert_int_equal(rmdir("public"), 0);
    assert_int_equal(chdir("/"), 0);
    return rmdir(root);
}

static void test_opens(void **state)
{
    struct dx_file file;
    char text[8] = "";
    int directory;

    (void)state;
    assert_int_equal(dx_directory_open("public", &directory), DX_OK);
    assert_int_equal(dx_file_open(directory, "a.txt", &file), DX_OK);
    assert_int_equal(file.len, 5);
    assert_true(file.modified.tv_sec > 1000000000);
    assert_int_equal(read(file.fd, text, sizeof(text)), 5);
    assert_string_equal(text, "hello");
    assert_true(fcntl(file.fd, F_GETFD) & FD_CLOEXEC);
    close(file.fd);
    assert_int_equal(dx_file_open(directory, "deep/b.txt", &file), DX_OK);
    assert_int_equal(file.len, 0);
    close(file.fd);
    assert_int_equal(dx_file_open(directory, "deep/../a.txt", &file), DX_OK);
    close(file.fd);
    close(directory);
}

static void test_refuses(void **state)
{
    static const char *const paths[] = {
        "../secret",   "deep/../../secret",
        "out",         "in",
        "up/secret",   "up/public/a.txt",
        "fifo",        "deep",
        ".",           "",
        "/etc/passwd", "nothing",
        "a.txt/x",     "/proc/self/root/etc/passwd",
    };
    struct dx_file file = {.fd = -7};
    char long_name[5000];
    int directory;

    (void)state;
    assert_int_equal(dx_directory_open("public", &directory), DX_OK);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_int_equal(dx_file_open(directory, paths[i], &file), DX_ERR_NOT_FOUND);
    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    assert_int_equal(dx_file_open(directory, long_name, &file), DX_ERR_NOT_FOUND);
    assert_int_equal(file.fd, -7);
    close(directory);
    assert_int_equal(dx_directory_open("secret", &directory), DX_ERR_NOT_FOUND);
    assert_int_equal(dx_directory_open("absent", &directory), DX_ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens),
        cmocka_unit_test(test_refuses),
    };

    return run_group(tests, set_up, tear_down);
}
