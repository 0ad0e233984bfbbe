/*
 * files_site.h - a directory of files that a service serves, and questions about them. For the
 * files_*_test.c programs.
 *
 * These programs are linked with --wrap for clock_gettime, so that tests need not wait until files
 * that were just written have strong tags: the wall clock can be set ahead; and for sendfile and
 * pread.
 */
#ifndef TESTS_UNIT_SERVER_FILES_SITE_H
#define TESTS_UNIT_SERVER_FILES_SITE_H

#include "net/loop/loop.h"
#include "support/server/service.h"
#include "support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define HOST "Host: localhost\r\n"
#define MODIFIED 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define MODIFIED_DATE "Sun, 06 Nov 1994 08:49:37 GMT"

static struct service service;
static struct answer answer;
static char directory[64];
static int64_t clock_ahead_s = 60;

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = __real_clock_gettime(clock, now);

    if (clock == CLOCK_REALTIME)
        now->tv_sec += clock_ahead_s;
    return result;
}

/* With large files, as Meson builds, the calls have other names. */
#if defined(_FILE_OFFSET_BITS) && _FILE_OFFSET_BITS == 64
# define real_sendfile __real_sendfile64
# define wrap_sendfile __wrap_sendfile64
# define real_pread __real_pread64
# define wrap_pread __wrap_pread64
#else
# define real_sendfile __real_sendfile
# define wrap_sendfile __wrap_sendfile
# define real_pread __real_pread
# define wrap_pread __wrap_pread
#endif

/* What is read of files is counted; a test can take the calls' place. */
static size_t file_bytes;
static unsigned sendfile_count;
static unsigned pread_count;
static ssize_t (*on_sendfile)(int to, int from, off_t *at, size_t len);
static ssize_t (*on_pread)(int fd, void *bytes, size_t len, off_t at);

ssize_t real_sendfile(int to, int from, off_t *at, size_t len);
ssize_t wrap_sendfile(int to, int from, off_t *at, size_t len);
ssize_t wrap_sendfile(int to, int from, off_t *at, size_t len)
{
    ssize_t sent =
        on_sendfile != NULL ? on_sendfile(to, from, at, len) : real_sendfile(to, from, at, len);

    sendfile_count++;
    file_bytes += sent > 0 ? (size_t)sent : 0;
    return sent;
}

ssize_t real_pread(int fd, void *bytes, size_t len, off_t at);
ssize_t wrap_pread(int fd, void *bytes, size_t len, off_t at);
ssize_t wrap_pread(int fd, void *bytes, size_t len, off_t at)
{
    ssize_t got = on_pread != NULL ? on_pread(fd, bytes, len, at) : real_pread(fd, bytes, len, at);

    pread_count++;
    file_bytes += got > 0 ? (size_t)got : 0;
    return got;
}

static inline const char *path_of(const char *name)
{
    static char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static inline void set_time(const char *name, int64_t modified_s)
{
    const struct timeval times[2] = {{modified_s, 0}, {modified_s, 0}};

    assert_int_equal(utimes(path_of(name), times), 0);
}

static inline void put_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    set_time(name, MODIFIED);
}

/* The byte at `at` of a file of put_pattern. */
static inline uint8_t pattern_at(size_t at)
{
    return (uint8_t)((at * 2654435761u) >> 13);
}

static inline void put_pattern(const char *name, size_t len)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    for (size_t at = 0; at < len; at++)
        (void)putc(pattern_at(at), file);
    assert_int_equal(fclose(file), 0);
}

static inline void make_directory(const char *name)
{
    assert_int_equal(mkdir(path_of(name), 0755), 0);
}

static inline bool make_site(void)
{
    (void)strcpy(directory, "/tmp/duplex-files-XXXXXX");
    return mkdtemp(directory) != NULL && chmod(directory, 0755) == 0;
}

static inline int remove_entry(const char *path, const struct stat *info, int kind,
                               struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline int remove_site(void)
{
    return nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Asks on a connection of its own; what came is `answer`, its body NUL-terminated. */
static inline void get(const char *method, const char *target, const char *headers)
{
    static char text[16384];
    struct raw raw;

    (void)snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\n" HOST "Connection: close\r\n%s\r\n",
                   method, target, headers);
    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, text));
    assert_true(raw_wait_answer(&raw, &answer, strcmp(method, "HEAD") == 0));
    answer.body[answer.body_len] = '\0';
    assert_true(raw_wait_end(&raw));
    assert_int_equal(raw.len, 0);
    raw_close(&raw);
}

/* `text` with `value` in place of each "%s". */
static inline const char *filled(const char *text, const char *value)
{
    static char result[512];
    size_t len = 0;

    for (; *text != '\0'; text++)
        if (strncmp(text, "%s", 2) == 0) {
            len += (size_t)snprintf(result + len, sizeof(result) - len, "%s", value);
            text++;
        } else {
            result[len++] = *text;
        }
    result[len] = '\0';
    return result;
}

/* The value of a header of `answer`, or NULL. */
static inline const char *header_of(const char *name)
{
    static char value[512];
    size_t name_len = strlen(name);

    for (const char *line = strstr(answer.head, "\r\n"); line != NULL;
         line = strstr(line + 2, "\r\n"))
        if (strncmp(line + 2, name, name_len) == 0 && line[2 + name_len] == ':') {
            const char *begin = line + 2 + name_len + 2;
            size_t len = strcspn(begin, "\r");

            assert_true(len < sizeof(value));
            memcpy(value, begin, len);
            value[len] = '\0';
            return value;
        }
    return NULL;
}

static inline void assert_header(const char *name, const char *expected)
{
    const char *value = header_of(name);

    if (value == NULL)
        value = "(none)";
    if (expected == NULL)
        expected = "(none)";
    if (strcmp(value, expected) != 0)
        fail_msg("%s: %s, not %s", name, value, expected);
}

#endif
