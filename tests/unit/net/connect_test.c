/*
 * connect_test.c - finding a host's addresses and connecting to the first that answers: which wins,
 * what a failure says, what is left after a cancel, and each system call failing in turn.
 */
#include "net/socket/connect.h"

#include "support/failing/system.h"
#include "support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

struct seen {
    unsigned calls;
    enum dx_err err;
    int system_error;
    int fd;
    size_t count;
    sa_family_t families[DX_RESOLVE_ADDRESSES_MAX];
    uint16_t port;
    char detail[256];
};

static void on_connected(void *user, const struct dx_connected *connected)
{
    struct seen *seen = user;

    seen->calls++;
    seen->err = connected->err;
    seen->system_error = connected->system_error;
    seen->fd = connected->fd;
    (void)snprintf(seen->detail, sizeof(seen->detail), "%s",
                   connected->detail != NULL ? connected->detail : "");
}

static void on_resolved(void *user, const struct dx_resolved *resolved)
{
    struct seen *seen = user;

    seen->calls++;
    seen->err = resolved->err;
    seen->count = resolved->count;
    for (size_t i = 0; i < resolved->count; i++) {
        seen->families[i] = resolved->addresses[i].any.sa_family;
        seen->port = ntohs(resolved->addresses[i].ipv4.sin_port);
    }
    (void)snprintf(seen->detail, sizeof(seen->detail), "%s",
                   resolved->detail != NULL ? resolved->detail : "");
}

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        if (lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF)
            count++;
    return count;
}

/* A listener on 127.0.0.`last`, or, with is_open false, an address that refuses. */
static union dx_socket_address address_at(uint8_t last, bool is_open, int backlog, int *listener)
{
    union dx_socket_address at = {.ipv4 = {.sin_family = AF_INET}};
    socklen_t len = sizeof(at.ipv4);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.ipv4.sin_addr.s_addr = htonl(0x7f000000u | last);
    assert_int_equal(bind(fd, &at.any, len), 0);
    assert_int_equal(getsockname(fd, &at.any, &len), 0);
    if (is_open) {
        assert_int_equal(listen(fd, backlog), 0);
        *listener = fd;
    } else {
        close(fd);
    }
    return at;
}

static uint8_t peer_of(int fd)
{
    union dx_socket_address at;
    socklen_t len = sizeof(at);

    assert_int_equal(getpeername(fd, &at.any, &len), 0);
    return (uint8_t)ntohl(at.ipv4.sin_addr.s_addr);
}

static struct seen run_connect(struct dx_loop *loop, const union dx_socket_address *addresses,
                               size_t count)
{
    struct seen seen = {.fd = -1};
    struct dx_connect *connect;

    assert_int_equal(dx_connect_start(loop, addresses, count, on_connected, &seen, &connect),
                     DX_OK);
    assert_int_equal(seen.calls, 0);
    assert_int_equal(dx_loop_run(loop), DX_OK);
    assert_int_equal(seen.calls, 1);
    return seen;
}

static struct dx_loop *new_loop(void)
{
    struct dx_loop *loop;

    assert_int_equal(dx_loop_new(&loop), DX_OK);
    return loop;
}

static void the_first_that_answers_wins(void **state)
{
    struct dx_loop *loop = new_loop();
    union dx_socket_address at[3];
    int listeners[2], before = open_descriptors();
    struct seen seen;

    (void)state;
    at[0] = address_at(2, false, 0, NULL);
    at[1] = address_at(3, true, 8, &listeners[0]);
    at[2] = address_at(4, true, 8, &listeners[1]);
    seen = run_connect(loop, at, 3);
    assert_int_equal(seen.err, DX_OK);
    assert_int_equal(peer_of(seen.fd), 3);
    close(seen.fd);
    close(listeners[0]);
    close(listeners[1]);
    assert_int_equal(open_descriptors(), before);
    dx_loop_free(loop);
}

static void nobody_answers(void **state)
{
    struct dx_loop *loop = new_loop();
    union dx_socket_address at[2];
    char wanted[64];
    struct seen seen;

    (void)state;
    at[0] = address_at(2, false, 0, NULL);
    at[1] = address_at(3, false, 0, NULL);
    seen = run_connect(loop, at, 2);
    assert_int_equal(seen.err, DX_ERR_CONNECT);
    assert_int_equal(seen.system_error, ECONNREFUSED);
    (void)snprintf(wanted, sizeof(wanted), "127.0.0.3 port %u: Connection refused",
                   ntohs(at[1].ipv4.sin_port));
    assert_string_equal(seen.detail, wanted);
    dx_loop_free(loop);
}

/* Its queue is full: the system drops what asks for more, as a dead host does. */
static union dx_socket_address silent_address(uint8_t last, int fds[4])
{
    union dx_socket_address at = address_at(last, true, 0, &fds[0]);

    for (int i = 1; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fds[i], &at.any, sizeof(at.ipv4));
    }
    return at;
}

static void a_silent_one_does_not_hold_up_the_next(void **state)
{
    struct dx_loop *loop = new_loop();
    union dx_socket_address at[2];
    int fds[4], listener, before;
    struct seen seen;

    (void)state;
    at[0] = silent_address(2, fds);
    at[1] = address_at(3, true, 8, &listener);
    before = open_descriptors();
    seen = run_connect(loop, at, 2);
    assert_int_equal(seen.err, DX_OK);
    assert_int_equal(peer_of(seen.fd), 3);
    close(seen.fd);
    assert_int_equal(open_descriptors(), before);
    close(listener);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    dx_loop_free(loop);
}

static void on_due(void *user)
{
    dx_connect_cancel(user);
}

static void cancelled_nothing_is_left(void **state)
{
    for (unsigned delay_ms = 0; delay_ms <= 300; delay_ms += 300) {
        struct dx_loop *loop = new_loop();
        union dx_socket_address at[2];
        struct seen seen = {0};
        struct dx_loop_timer *timer;
        struct dx_connect *connect;
        int first[4], second[4], before;

        (void)state;
        at[0] = silent_address(2, first);
        at[1] = silent_address(3, second);
        before = open_descriptors();
        assert_int_equal(dx_connect_start(loop, at, 2, on_connected, &seen, &connect), DX_OK);
        assert_int_equal(dx_loop_timer_new(loop, on_due, connect, &timer), DX_OK);
        dx_loop_timer_set(timer, delay_ms);
        assert_int_equal(dx_loop_run(loop), DX_OK);
        assert_int_equal(seen.calls, 0);
        assert_int_equal(open_descriptors(), before);
        dx_loop_timer_free(timer);
        for (int i = 0; i < 4; i++) {
            close(first[i]);
            close(second[i]);
        }
        dx_loop_free(loop);
    }
    dx_connect_cancel(NULL);
}

static void unix_sockets(void **state)
{
    struct dx_loop *loop = new_loop();
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    static char overlong[200];
    struct dx_connect *connect;
    struct seen seen = {0};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "/tmp/connect-test-%d", getpid());
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(dx_connect_start_unix(loop, at.sun_path, on_connected, &seen, &connect),
                     DX_OK);
    assert_int_equal(dx_loop_run(loop), DX_OK);
    assert_int_equal(seen.err, DX_OK);
    close(seen.fd);
    close(listener);
    unlink(at.sun_path);
    assert_int_equal(dx_connect_start_unix(loop, at.sun_path, on_connected, &seen, &connect),
                     DX_OK);
    assert_int_equal(dx_loop_run(loop), DX_OK);
    assert_int_equal(seen.calls, 2);
    assert_int_equal(seen.err, DX_ERR_CONNECT);
    assert_int_equal(seen.system_error, ENOENT);
    memset(overlong, 'a', sizeof(overlong) - 1);
    assert_int_equal(dx_connect_start_unix(loop, overlong, on_connected, &seen, &connect),
                     DX_ERR_USAGE);
    dx_loop_free(loop);
}

static struct seen run_resolve(struct dx_loop *loop, const char *host, int family)
{
    struct seen seen = {0};
    struct dx_resolve *resolve;

    assert_int_equal(dx_resolve_start(loop, host, 8080, family, on_resolved, &seen, &resolve),
                     DX_OK);
    assert_int_equal(seen.calls, 0);
    assert_int_equal(dx_loop_run(loop), DX_OK);
    assert_int_equal(seen.calls, 1);
    return seen;
}

static void what_needs_no_look_up(void **state)
{
    static const struct {
        const char *host;
        int family;
        size_t count;
        sa_family_t first;
        enum dx_err err;
    } rows[] = {
        {"127.0.0.1", AF_UNSPEC, 1, AF_INET, DX_OK},   {"::1", AF_UNSPEC, 1, AF_INET6, DX_OK},
        {"fe80::1%lo", AF_UNSPEC, 1, AF_INET6, DX_OK}, {"localhost", AF_UNSPEC, 2, AF_INET6, DX_OK},
        {"LocalHost.", AF_UNSPEC, 2, AF_INET6, DX_OK}, {"a.localhost", AF_INET, 1, AF_INET, DX_OK},
        {"127.0.0.1", AF_INET6, 0, 0, DX_ERR_RESOLVE},
    };
    struct dx_loop *loop = new_loop();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct seen seen = run_resolve(loop, rows[i].host, rows[i].family);

        assert_int_equal(seen.err, rows[i].err);
        assert_int_equal(seen.count, rows[i].count);
        if (seen.count > 0) {
            assert_int_equal(seen.families[0], rows[i].first);
            assert_int_equal(seen.port, 8080);
        }
    }
    dx_loop_free(loop);
}

/* A name that RFC 6761 gives to nobody, whatever the machine knows of names. */
static void a_name_without_address(void **state)
{
    struct dx_loop *loop = new_loop();
    struct seen seen = run_resolve(loop, "nobody.invalid", AF_UNSPEC);

    (void)state;
    assert_int_equal(seen.err, DX_ERR_RESOLVE);
    assert_memory_equal(seen.detail, "nobody.invalid: ", 16);
    dx_loop_free(loop);
}

static void hosts_that_are_none(void **state)
{
    struct dx_loop *loop = new_loop();
    static char overlong[DX_RESOLVE_HOST_MAX + 2];
    struct dx_resolve *resolve;

    (void)state;
    memset(overlong, 'a', sizeof(overlong) - 1);
    assert_int_equal(dx_resolve_start(loop, "", 1, AF_UNSPEC, on_resolved, NULL, &resolve),
                     DX_ERR_USAGE);
    assert_int_equal(dx_resolve_start(loop, overlong, 1, AF_UNSPEC, on_resolved, NULL, &resolve),
                     DX_ERR_USAGE);
    dx_loop_free(loop);
}

/* At any moment, the loop freed right after it, while its thread is away or has posted already. */
static void a_look_up_can_be_forgotten(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct dx_loop *loop = new_loop();
        struct dx_resolve *resolve;
        struct seen seen = {0};

        assert_int_equal(dx_resolve_start(loop, i % 2 ? "nobody.invalid" : "127.0.0.1", 1,
                                          AF_UNSPEC, on_resolved, &seen, &resolve),
                         DX_OK);
        if (i > 10)
            usleep((useconds_t)(i * 500));
        dx_resolve_cancel(resolve);
        assert_int_equal(dx_loop_run(loop), DX_OK);
        dx_loop_free(loop);
        assert_int_equal(seen.calls, 0);
    }
    dx_resolve_cancel(NULL);
}

static void each_system_call_failing(void **state)
{
    int listener;
    union dx_socket_address at[2];
    bool has_failed = true;
    size_t nth = 0;

    (void)state;
    at[0] = address_at(2, false, 0, NULL);
    at[1] = address_at(3, true, 100, &listener);
    while (has_failed) {
        struct dx_loop *loop = new_loop();
        int before = open_descriptors();
        struct seen seen;

        failing_system_start(++nth);
        seen = run_connect(loop, at, 2);
        has_failed = failing_system_stop();
        assert_true(has_failed || seen.err == DX_OK);
        assert_true((seen.err == DX_OK) == (seen.fd >= 0));
        if (seen.fd >= 0)
            close(seen.fd);
        assert_int_equal(open_descriptors(), before);
        dx_loop_free(loop);
    }
    close(listener);
    assert_true(nth > 3);
    printf("injected %zu failures\n", nth - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_answers_wins),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(a_silent_one_does_not_hold_up_the_next),
        cmocka_unit_test(cancelled_nothing_is_left),
        cmocka_unit_test(unix_sockets),
        cmocka_unit_test(what_needs_no_look_up),
        cmocka_unit_test(a_name_without_address),
        cmocka_unit_test(hosts_that_are_none),
        cmocka_unit_test(a_look_up_can_be_forgotten),
        cmocka_unit_test(each_system_call_failing),
    };

    return run_group(tests, NULL, NULL);
}
