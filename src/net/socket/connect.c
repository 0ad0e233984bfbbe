/*
 * connect.c - see connect.h.
 */
#include "net/socket/connect.h"

#include "net/socket/address.h"
#include "net/loop/system.h"
#include "net/loop/watch.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define DETAIL_ROOM 256

struct attempt {
    struct dx_watch watch; /* started while the attempt is pending */
    struct dx_connect *connect;
    union dx_socket_address address; /* unused for a unix socket */
    int fd;                          /* -1: not started, or ended */
};

struct dx_connect {
    struct dx_loop *loop;
    void (*on_connected)(void *user, const struct dx_connected *connected);
    void *user;
    struct dx_timer timer;
    struct dx_turn_task task;         /* starts the first attempt; later reports and frees */
    struct sockaddr_un *unix_address; /* stored after the attempts; NULL: IP addresses */
    bool is_over;
    size_t count;
    size_t begun_count;
    size_t waiting_count;
    struct dx_connected result;
    char detail[DETAIL_ROOM];
    struct attempt attempts[]; /* `count` */
};

static void begin_next(struct dx_connect *connect);

/* ---- attempts ---- */

static void end_attempt(struct attempt *attempt)
{
    if (attempt->fd < 0)
        return;
    dx_watch_stop(attempt->connect->loop, &attempt->watch);
    (void)close(attempt->fd);
    attempt->fd = -1;
    attempt->connect->waiting_count--;
}

static void end_all(struct dx_connect *connect)
{
    for (size_t i = 0; i < connect->begun_count; i++)
        end_attempt(&connect->attempts[i]);
    dx_wheel_unset(dx_loop_wheel(connect->loop), &connect->timer);
}

static void describe(struct dx_connect *connect, size_t index, int code)
{
    const union dx_socket_address *at = &connect->attempts[index].address;
    char host[DX_ADDRESS_TEXT_MAX];
    struct sockaddr_storage storage = {0};
    struct dx_address address;

    if (connect->unix_address != NULL) {
        (void)snprintf(connect->detail, sizeof(connect->detail), "unix:%s: %s",
                       connect->unix_address->sun_path, strerror(code));
        return;
    }
    memcpy(&storage, at, sizeof(*at));
    dx_address_init(&address, &storage);
    dx_address_host(&address, host);
    (void)snprintf(connect->detail, sizeof(connect->detail), "%s port %u: %s", host,
                   (unsigned)address.port, strerror(code));
}

static enum dx_err error_of(int code)
{
    enum dx_err err = dx_err_of_errno(code);

    /* Callers need not tell the network's reasons apart: no connection is accepted there. */
    return err == DX_ERR_RESET || err == DX_ERR_SYSTEM || err == DX_ERR_NOT_FOUND ||
                   err == DX_ERR_AGAIN
               ? DX_ERR_CONNECT
               : err;
}

static void finish(struct dx_connect *connect, int fd)
{
    connect->is_over = true;
    if (fd >= 0)
        connect->result = (struct dx_connected){.err = DX_OK, .fd = fd};
    dx_loop_flush_later(connect->loop, &connect->task);
}

static void note_failure(struct dx_connect *connect, size_t index, int code)
{
    connect->result = (struct dx_connected){
        .err = error_of(code), .system_error = code, .detail = connect->detail, .fd = -1};
    describe(connect, index, code);
}

/*
 * A TCP self-connect (the client port that the system chose equals a local port without a
 * listener) counts as a refused connection.
 */
static bool is_connected_to_itself(const struct dx_connect *connect, int fd)
{
    union dx_socket_address here = {0}, there = {0};
    socklen_t here_len = sizeof(here), there_len = sizeof(there);

    return connect->unix_address == NULL && getsockname(fd, &here.any, &here_len) == 0 &&
           getpeername(fd, &there.any, &there_len) == 0 && here_len == there_len &&
           memcmp(&here, &there, here_len) == 0;
}

static void on_ready(struct dx_watch *watch, unsigned events)
{
    struct attempt *attempt = dx_container_of(watch, struct attempt, watch);
    struct dx_connect *connect = attempt->connect;
    socklen_t len = sizeof(int);
    int code = 0, fd = attempt->fd;

    (void)events;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) != 0)
        code = errno;
    if (code == 0 && is_connected_to_itself(connect, fd))
        code = ECONNREFUSED;
    if (code != 0) {
        end_attempt(attempt);
        note_failure(connect, (size_t)(attempt - connect->attempts), code);
        begin_next(connect);
        return;
    }
    dx_watch_stop(connect->loop, &attempt->watch);
    attempt->fd = -1;
    connect->waiting_count--;
    end_all(connect);
    finish(connect, fd);
}

static int open_socket(const struct dx_connect *connect, size_t index)
{
    bool is_unix = connect->unix_address != NULL;
    int family = is_unix ? AF_UNIX : connect->attempts[index].address.any.sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;

    if (fd >= 0 && !is_unix)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

/* Whether the attempt has begun; else errno says why not. */
static bool call_connect(const struct dx_connect *owner, size_t index, int fd)
{
    const union dx_socket_address *at = &owner->attempts[index].address;
    int result;

    if (owner->unix_address != NULL)
        result =
            connect(fd, (const struct sockaddr *)owner->unix_address, sizeof(*owner->unix_address));
    else
        result = connect(fd, &at->any,
                         at->any.sa_family == AF_INET6 ? sizeof(at->ipv6) : sizeof(at->ipv4));
    /* An interrupted connect continues in the background. */
    return result == 0 || errno == EINPROGRESS || errno == EINTR;
}

/* Returns 0, or the errno of the step that failed. */
static int begin(struct dx_connect *connect, size_t index)
{
    struct attempt *attempt = &connect->attempts[index];
    int fd = open_socket(connect, index);
    int code;

    attempt->connect = connect;
    attempt->fd = -1;
    if (fd < 0)
        return errno;
    if (!call_connect(connect, index, fd)) {
        code = errno;
        (void)close(fd);
        return code;
    }
    if (dx_watch_start(connect->loop, &attempt->watch, fd, DX_WATCH_WRITE, on_ready) != DX_OK) {
        (void)close(fd);
        return ENOMEM;
    }
    attempt->fd = fd;
    connect->waiting_count++;
    return 0;
}

/* Starts attempts until one is pending. Finishes when none is left and none is pending. */
static void begin_next(struct dx_connect *connect)
{
    while (connect->begun_count < connect->count) {
        size_t index = connect->begun_count++;
        int code = begin(connect, index);

        if (code == 0) {
            dx_wheel_set(dx_loop_wheel(connect->loop), &connect->timer,
                         dx_loop_now_ms(connect->loop) + DX_CONNECT_ATTEMPT_DELAY_MS);
            return;
        }
        note_failure(connect, index, code);
    }
    if (connect->waiting_count == 0)
        finish(connect, -1);
}

static void on_due(struct dx_timer *timer)
{
    struct dx_connect *connect = dx_container_of(timer, struct dx_connect, timer);

    if (!connect->is_over)
        begin_next(connect);
}

/* ---- life ---- */

static void on_task(struct dx_turn_task *task)
{
    struct dx_connect *connect = dx_container_of(task, struct dx_connect, task);

    if (!connect->is_over) {
        begin_next(connect);
        return;
    }
    end_all(connect);
    dx_loop_let_go(connect->loop);
    connect->on_connected(connect->user, &connect->result);
    free(connect);
}

static struct dx_connect *
make(struct dx_loop *loop, size_t count, size_t more,
     void (*on_connected)(void *user, const struct dx_connected *connected), void *user)
{
    struct dx_connect *connect =
        calloc(1, sizeof(*connect) + count * sizeof(connect->attempts[0]) + more);

    if (connect == NULL)
        return NULL;
    connect->count = count;
    connect->loop = loop;
    connect->on_connected = on_connected;
    connect->user = user;
    connect->task.run = on_task;
    dx_timer_init(&connect->timer, on_due);
    dx_loop_flush_later(loop, &connect->task);
    dx_loop_hold(loop);
    return connect;
}

enum dx_err dx_connect_start(struct dx_loop *loop, const union dx_socket_address *addresses,
                             size_t count,
                             void (*on_connected)(void *user, const struct dx_connected *connected),
                             void *user, struct dx_connect **connect)
{
    struct dx_connect *made;

    if (count == 0 || count > DX_RESOLVE_ADDRESSES_MAX)
        return DX_ERR_USAGE;
    made = make(loop, count, 0, on_connected, user);
    if (made == NULL)
        return DX_ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        made->attempts[i].address = addresses[i];
    *connect = made;
    return DX_OK;
}

enum dx_err dx_connect_start_unix(struct dx_loop *loop, const char *path,
                                  void (*on_connected)(void *user,
                                                       const struct dx_connected *connected),
                                  void *user, struct dx_connect **connect)
{
    size_t len = strlen(path);
    struct dx_connect *made;

    if (len == 0 || len >= sizeof(made->unix_address->sun_path))
        return DX_ERR_USAGE;
    made = make(loop, 1, sizeof(*made->unix_address), on_connected, user);
    if (made == NULL)
        return DX_ERR_NOMEM;
    made->unix_address = (struct sockaddr_un *)(void *)&made->attempts[1];
    made->unix_address->sun_family = AF_UNIX;
    memcpy(made->unix_address->sun_path, path, len + 1);
    *connect = made;
    return DX_OK;
}

void dx_connect_cancel(struct dx_connect *connect)
{
    if (connect == NULL)
        return;
    end_all(connect);
    if (connect->is_over && connect->result.err == DX_OK)
        (void)close(connect->result.fd);
    dx_loop_flush_cancel(connect->loop, &connect->task);
    dx_loop_let_go(connect->loop);
    free(connect);
}
