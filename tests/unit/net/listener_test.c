/*
 * listener_test.c - address texts, unix sockets, inherited sockets, accepting in bounds, running
 * out of descriptors.
 */
#include "net/socket/listener.h"
#include "support/failing/system.h"
#include "support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct house {
    struct dx_loop *loop;
    struct dx_listener *listeners;
    int accepted_count;
    int refused_count;
    int fds[256];
    struct dx_address peer;
    char directory[64];
    char path[128];
    char why[256];
    bool frees_itself;
};

static void on_accept(struct dx_listener *listener, int fd, const struct dx_address *peer)
{
    struct house *house = listener->user;

    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    house->peer = *peer;
    house->fds[house->accepted_count++ % 256] = fd;
    if (house->frees_itself) {
        dx_listener_free(listener);
        house->listeners = NULL;
    }
}

static void on_refuse(struct dx_listener *listener, int fd, const struct dx_address *peer)
{
    struct house *house = listener->user;

    (void)peer;
    house->refused_count++;
    assert_int_equal(send(fd, "503", 3, MSG_NOSIGNAL), 3);
}

static const struct dx_listener_handlers handlers = {on_accept, on_refuse};

static int set_up(void **state)
{
    struct house *house = calloc(1, sizeof(*house));

    strcpy(house->directory, "/tmp/duplex-listener-XXXXXX");
    assert_non_null(mkdtemp(house->directory));
    (void)snprintf(house->path, sizeof(house->path), "%s/s", house->directory);
    assert_int_equal(dx_loop_new(&house->loop), DX_OK);
    *state = house;
    return 0;
}

static void free_listeners(struct house *house)
{
    while (house->listeners) {
        struct dx_listener *listener = house->listeners;

        house->listeners = listener->next;
        dx_listener_free(listener);
    }
}

static void close_accepted(struct house *house)
{
    for (int i = 0; i < house->accepted_count && i < 256; i++)
        close(house->fds[i]);
    house->accepted_count = 0;
}

static int tear_down(void **state)
{
    struct house *house = *state;

    free_listeners(house);
    close_accepted(house);
    assert_int_equal(dx_loop_run(house->loop), DX_OK);
    dx_loop_free(house->loop);
    (void)unlink(house->path);
    assert_int_equal(rmdir(house->directory), 0);
    free(house);
    return 0;
}

static enum dx_err open_at(struct house *house, const char *text)
{
    house->why[0] = '\0';
    return dx_listener_open(house->loop, text, &handlers, house, &house->listeners, house->why,
                            sizeof(house->why));
}

static int count(const struct house *house)
{
    int number = 0;

    for (const struct dx_listener *listener = house->listeners; listener; listener = listener->next)
        number++;
    return number;
}

static void turns(struct house *house, int number)
{
    for (int i = 0; i < number; i++) {
        struct pollfd ready = {.fd = dx_loop_fd(house->loop), .events = POLLIN};

        (void)poll(&ready, 1, 1);
        assert_int_equal(dx_loop_dispatch(house->loop), DX_OK);
    }
}

static int connect_tcp(uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static int connect_tcp6(uint16_t port)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin6_addr = in6addr_loopback;
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static int connect_unix(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(at.sun_path, path);
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void test_a_port_is_both_loopbacks(void **state)
{
    struct house *house = *state;
    char host[DX_ADDRESS_TEXT_MAX];
    uint16_t port;
    int on = 0;
    socklen_t len = sizeof(on);
    int one;
    int two;

    assert_int_equal(open_at(house, "0"), DX_OK);
    assert_int_equal(count(house), 2);
    port = house->listeners->address.port;
    assert_int_not_equal(port, 0);
    assert_int_equal(house->listeners->next->address.port, port);
    dx_address_host(&house->listeners->address, host);
    assert_string_equal(host, "127.0.0.1");
    dx_address_host(&house->listeners->next->address, host);
    assert_string_equal(host, "::1");
    assert_true(dx_address_is_loopback(&house->listeners->address));
    assert_true(dx_address_is_loopback(&house->listeners->next->address));
    one = connect_tcp(port);
    turns(house, 3);
    assert_int_equal(house->accepted_count, 1);
    assert_int_equal(house->peer.family, DX_ADDRESS_IPV4);
    two = connect_tcp6(port);
    turns(house, 3);
    assert_int_equal(house->accepted_count, 2);
    assert_int_equal(house->peer.family, DX_ADDRESS_IPV6);
    assert_int_equal(getsockopt(house->fds[0], IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    assert_int_equal(on, 1);
    close(one);
    close(two);
}

static void test_wildcard_takes_both_protocols(void **state)
{
    struct house *house = *state;
    char host[DX_ADDRESS_TEXT_MAX];
    int one;
    int two;

    assert_int_equal(open_at(house, "*:0"), DX_OK);
    assert_int_equal(count(house), 1);
    assert_false(dx_address_is_loopback(&house->listeners->address));
    one = connect_tcp(house->listeners->address.port);
    turns(house, 3);
    dx_address_host(&house->peer, host);
    assert_string_equal(host, "127.0.0.1");
    two = connect_tcp6(house->listeners->address.port);
    turns(house, 3);
    dx_address_host(&house->peer, host);
    assert_string_equal(host, "::1");
    close(one);
    close(two);
}

static void test_hosts(void **state)
{
    struct house *house = *state;
    char text[64];

    assert_int_equal(open_at(house, "127.0.0.1:0"), DX_OK);
    assert_int_equal(count(house), 1);
    (void)snprintf(text, sizeof(text), "127.0.0.1:%u", house->listeners->address.port);
    struct dx_listener *first = house->listeners;
    assert_int_equal(open_at(house, text), DX_ERR_ADDRESS_IN_USE);
    assert_ptr_equal(house->listeners, first);
    assert_non_null(strstr(house->why, text));
    assert_non_null(strstr(house->why, "in use"));
    free_listeners(house);
    assert_int_equal(open_at(house, "[::1]:0"), DX_OK);
    assert_int_equal(house->listeners->address.family, DX_ADDRESS_IPV6);
    free_listeners(house);
    assert_int_equal(open_at(house, "localhost:0"), DX_OK);
    assert_true(dx_address_is_loopback(&house->listeners->address));
}

static void test_texts_that_are_no_addresses(void **state)
{
    static const struct {
        const char *text;
        enum dx_err err;
    } rows[] = {
        {"", DX_ERR_USAGE},
        {"http", DX_ERR_USAGE},
        {"65536", DX_ERR_USAGE},
        {"-1", DX_ERR_USAGE},
        {" 80", DX_ERR_USAGE},
        {"80 ", DX_ERR_USAGE},
        {":80", DX_ERR_USAGE},
        {"localhost:", DX_ERR_USAGE},
        {"localhost:x", DX_ERR_USAGE},
        {"::1:80", DX_ERR_USAGE},
        {"[::1]", DX_ERR_USAGE},
        {"[::g]:80", DX_ERR_USAGE},
        {"[127.0.0.1]:0", DX_ERR_USAGE},
        {"[]:80", DX_ERR_USAGE},
        {"unix:", DX_ERR_USAGE},
        {"fd:", DX_ERR_USAGE},
        {"fd:x", DX_ERR_USAGE},
        {"fd:0", DX_ERR_USAGE},
        {"fd:9999", DX_ERR_USAGE},
        {"256.0.0.1.invalid:0", DX_ERR_RESOLVE},
        {"192.0.2.1:0", DX_ERR_SYSTEM},
        {"unix:/nowhere/at/all", DX_ERR_NOT_FOUND},
    };
    struct house *house = *state;
    char long_path[300];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(open_at(house, rows[i].text), rows[i].err);
        assert_true(strlen(house->why) > 0);
        assert_null(house->listeners);
    }
    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    memcpy(long_path, "unix:", 5);
    assert_int_equal(open_at(house, long_path), DX_ERR_USAGE);
    memset(long_path, 'h', sizeof(long_path) - 1);
    memcpy(long_path + 290, ":80", 4);
    assert_int_equal(open_at(house, long_path), DX_ERR_USAGE);
    assert_int_equal(
        dx_listener_open(house->loop, "x", &handlers, house, &house->listeners, NULL, 0),
        DX_ERR_USAGE);
}

static void test_unix_socket(void **state)
{
    struct house *house = *state;
    char text[160];
    struct stat info;
    mode_t old = umask(0);
    int fd;

    (void)snprintf(text, sizeof(text), "unix:%s", house->path);
    assert_int_equal(open_at(house, text), DX_OK);
    umask(old);
    assert_int_equal(lstat(house->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(house->listeners->address.family, DX_ADDRESS_UNIX);
    assert_true(dx_address_is_loopback(&house->listeners->address));
    fd = connect_unix(house->path);
    assert_true(fd >= 0);
    turns(house, 3);
    assert_int_equal(house->accepted_count, 1);
    assert_int_equal(house->peer.family, DX_ADDRESS_UNIX);
    close(fd);
    /* Somebody answers: not stale. */
    struct dx_listener *first = house->listeners;
    assert_int_equal(open_at(house, text), DX_ERR_ADDRESS_IN_USE);
    assert_ptr_equal(house->listeners, first);
    turns(house, 3);
    free_listeners(house);
    assert_int_equal(lstat(house->path, &info), -1);
}

static void test_stale_unix_socket_is_replaced(void **state)
{
    struct house *house = *state;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char text[160];
    struct stat info;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(at.sun_path, house->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    close(fd);
    (void)snprintf(text, sizeof(text), "unix:%s", house->path);
    assert_int_equal(open_at(house, text), DX_OK);
    /* Replaced in turn by another: that one is not removed. */
    assert_int_equal(unlink(house->path), 0);
    fd = open(house->path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    free_listeners(house);
    assert_int_equal(lstat(house->path, &info), 0);
    /* A file is not a stale socket. */
    assert_int_equal(open_at(house, text), DX_ERR_ADDRESS_IN_USE);
    assert_int_equal(lstat(house->path, &info), 0);
    assert_true(S_ISREG(info.st_mode));
}

static void test_inherited(void **state)
{
    struct house *house = *state;
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char text[32];
    int client;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)snprintf(text, sizeof(text), "fd:%d", fd);
    assert_int_equal(open_at(house, text), DX_ERR_USAGE);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(open_at(house, text), DX_OK);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    client = connect_tcp(house->listeners->address.port);
    turns(house, 3);
    assert_int_equal(house->accepted_count, 1);
    close(client);
}

static void test_accepts_in_bounded_runs(void **state)
{
    struct house *house = *state;
    int clients[100];

    assert_int_equal(open_at(house, "127.0.0.1:0"), DX_OK);
    for (int i = 0; i < 100; i++)
        clients[i] = connect_tcp(house->listeners->address.port);
    turns(house, 1);
    assert_int_equal(house->accepted_count, DX_ACCEPTS_PER_TURN);
    turns(house, 3);
    assert_int_equal(house->accepted_count, 100);
    for (int i = 0; i < 100; i++)
        close(clients[i]);
}

static void test_freed_inside_its_callback(void **state)
{
    struct house *house = *state;
    int clients[3];

    assert_int_equal(open_at(house, "127.0.0.1:0"), DX_OK);
    for (int i = 0; i < 3; i++)
        clients[i] = connect_tcp(house->listeners->address.port);
    house->frees_itself = true;
    turns(house, 2);
    assert_int_equal(house->accepted_count, 1);
    for (int i = 0; i < 3; i++)
        close(clients[i]);
}

static uint64_t clock_ns(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * The real thing: no descriptor is free in this process. One client is told, the others wait; the
 * processor rests.
 */
static void test_no_descriptor_is_left(void **state)
{
    struct house *house = *state;
    struct rlimit old;
    struct rlimit low;
    int clients[4];
    char answer[4] = "";
    int refused = 0;
    uint64_t cpu_ns;
    uint64_t end_ns;
    int highest;

    assert_int_equal(open_at(house, "127.0.0.1:0"), DX_OK);
    for (int i = 0; i < 4; i++)
        clients[i] = connect_tcp(house->listeners->address.port);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    highest = dup(0);
    close(highest);
    low = (struct rlimit){(rlim_t)highest, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    end_ns = clock_ns(CLOCK_MONOTONIC) + 250000000;
    while (clock_ns(CLOCK_MONOTONIC) < end_ns) {
        struct pollfd ready = {.fd = dx_loop_fd(house->loop), .events = POLLIN};

        (void)poll(&ready, 1, dx_loop_timeout_ms(house->loop));
        assert_int_equal(dx_loop_dispatch(house->loop), DX_OK);
    }
    cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
    assert_int_equal(house->accepted_count, 0);
    refused = house->refused_count;
    assert_in_range(refused, 1, 5); /* one each 100 ms, on a machine that may lag */
    print_message("out of descriptors: %d refused, %u us of CPU in 250 ms\n", refused,
                  (unsigned)(cpu_ns / 1000));
    assert_true(cpu_ns < 50000000);
    assert_int_equal(recv(clients[0], answer, sizeof(answer), 0), 3);
    assert_string_equal(answer, "503");
    assert_int_equal(recv(clients[0], answer, sizeof(answer), 0), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    while (house->accepted_count < 4 - refused)
        turns(house, 10);
    assert_int_equal(house->refused_count, refused);
    for (int i = 0; i < 4; i++)
        close(clients[i]);
}

static void test_accept_fails_in_every_way(void **state)
{
    static const int codes[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM,   ECONNABORTED,
                                EPROTO, EINTR,  EPERM,   ENETDOWN, EHOSTUNREACH};
    struct house *house = *state;
    int client;

    assert_int_equal(open_at(house, "127.0.0.1:0"), DX_OK);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        size_t tries;

        client = connect_tcp(house->listeners->address.port);
        house->accepted_count = 0;
        failing_system_start(0);
        failing_system_fail_all(CALL_ACCEPT4, codes[i]);
        turns(house, 3);
        tries = failing_system_count(CALL_ACCEPT4);
        failing_system_stop();
        assert_true(tries >= 1 && tries <= 3 * DX_ACCEPTS_PER_TURN);
        while (house->accepted_count < 1)
            turns(house, 5);
        close(house->fds[0]);
        close(client);
    }
    house->accepted_count = 0;
}

static void test_opening_fails_in_every_call(void **state)
{
    static const char *const texts[] = {"0", "*:0", "localhost:0", "[::1]:0", NULL};
    struct house *house = *state;
    char text[160];
    size_t failed = 0;

    (void)snprintf(text, sizeof(text), "unix:%s", house->path);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (size_t nth = 1;; nth++) {
            enum dx_err err;
            bool has_failed;

            failing_system_start(nth);
            err = open_at(house, texts[i] ? texts[i] : text);
            has_failed = failing_system_stop();
            if (!has_failed)
                assert_int_equal(err, DX_OK);
            failed += has_failed;
            free_listeners(house);
            assert_int_equal(access(house->path, F_OK), -1);
            if (!has_failed)
                break;
        }
    }
    print_message("%zu system calls failed in turn\n", failed);
    assert_true(failed >= 25);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_port_is_both_loopbacks),
        TEST(test_wildcard_takes_both_protocols),
        TEST(test_hosts),
        TEST(test_texts_that_are_no_addresses),
        TEST(test_unix_socket),
        TEST(test_stale_unix_socket_is_replaced),
        TEST(test_inherited),
        TEST(test_accepts_in_bounded_runs),
        TEST(test_freed_inside_its_callback),
        TEST(test_no_descriptor_is_left),
        TEST(test_accept_fails_in_every_way),
        TEST(test_opening_fails_in_every_call),
    };

    return run_group(tests, NULL, NULL);
}
