/*
 * listener.c - accepts connections. listen.c turns an address text into listening sockets.
 */
#include "net/socket/listener.h"
#include "net/loop/system.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_reserve(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int accept_one(struct dx_listener *listener, struct dx_address *peer)
{
    struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(from);
    int fd =
        accept4(listener->watch.fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return -1;
    dx_address_init(peer, &from);
    if (peer->family != DX_ADDRESS_UNIX) {
        const int on = 1;

        /* Without it small messages wait for an ACK. If it fails, the connection still works. */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    return fd;
}

static void on_pause_over(struct dx_timer *timer)
{
    struct dx_listener *listener = dx_container_of(timer, struct dx_listener, pause);

    if (listener->reserve_fd < 0)
        listener->reserve_fd = open_reserve();
    if (dx_watch_set(listener->loop, &listener->watch, DX_WATCH_READ) != DX_OK)
        dx_wheel_set(dx_loop_wheel(listener->loop), timer,
                     dx_loop_now_ms(listener->loop) + DX_ACCEPT_PAUSE_MS);
}

/* The backlog keeps the descriptor readable: without a pause the loop would spin on it. */
static void pause_accepting(struct dx_listener *listener)
{
    if (dx_watch_set(listener->loop, &listener->watch, 0) == DX_OK)
        dx_wheel_set(dx_loop_wheel(listener->loop), &listener->pause,
                     dx_loop_now_ms(listener->loop) + DX_ACCEPT_PAUSE_MS);
}

static void refuse_one(struct dx_listener *listener)
{
    struct dx_address peer;
    int fd;

    if (listener->reserve_fd < 0)
        return;
    close(listener->reserve_fd);
    fd = accept_one(listener, &peer);
    if (fd >= 0) {
        if (listener->handlers->on_refuse)
            listener->handlers->on_refuse(listener, fd, &peer);
        close(fd);
    }
    listener->reserve_fd = open_reserve();
}

/* Handles accept4's errno; true when the next connection may be accepted. */
static bool goes_on_after(struct dx_listener *listener, int code)
{
    switch (code) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
        pause_accepting(listener);
        refuse_one(listener);
        return false;
    case ENOBUFS:
    case ENOMEM:
        pause_accepting(listener);
        return false;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
    case EFAULT:
        /* No longer a listening socket: another process has shut down an inherited one. */
        dx_watch_stop(listener->loop, &listener->watch);
        return false;
    default:
        /* The error concerns this connection only: it ended before it was accepted. */
        return true;
    }
}

static void on_ready(struct dx_watch *watch, unsigned events)
{
    struct dx_listener *listener = dx_container_of(watch, struct dx_listener, watch);
    bool is_gone = false;

    if (!(events & DX_WATCH_READ)) {
        dx_watch_stop(listener->loop, watch);
        return;
    }
    listener->is_gone = &is_gone;
    for (int i = 0; i < DX_ACCEPTS_PER_TURN; i++) {
        struct dx_address peer;
        int fd = accept_one(listener, &peer);

        if (fd >= 0)
            listener->handlers->on_accept(listener, fd, &peer);
        else if (!goes_on_after(listener, errno))
            break;
        if (is_gone)
            return;
    }
    if (!is_gone)
        listener->is_gone = NULL;
}

enum dx_err dx_listener_new(struct dx_loop *loop, int fd,
                            const struct dx_listener_handlers *handlers, void *user,
                            struct dx_listener **listener)
{
    struct sockaddr_storage bound = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(bound);
    struct dx_listener *made = calloc(1, sizeof(*made));
    enum dx_err err;

    if (!made)
        return DX_ERR_NOMEM;
    made->loop = loop;
    made->handlers = handlers;
    made->user = user;
    dx_timer_init(&made->pause, on_pause_over);
    made->reserve_fd = open_reserve();
    err = made->reserve_fd < 0 ? dx_err_of_errno(errno) : DX_OK;
    if (!err && getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
        err = DX_ERR_SYSTEM;
    if (!err)
        err = dx_watch_start(loop, &made->watch, fd, DX_WATCH_READ, on_ready);
    if (err) {
        if (made->reserve_fd >= 0)
            close(made->reserve_fd);
        free(made);
        return err;
    }
    dx_address_init(&made->address, &bound);
    dx_loop_hold(loop);
    *listener = made;
    return DX_OK;
}

static void remove_path(const struct dx_listener *listener)
{
    struct stat now;

    /* Another server may have replaced our socket because it looked stale: keep that one. */
    if (lstat(listener->path, &now) == 0 && now.st_dev == listener->device &&
        now.st_ino == listener->inode)
        (void)unlink(listener->path);
}

void dx_listener_free(struct dx_listener *listener)
{
    int fd;

    if (!listener)
        return;
    if (listener->is_gone)
        *listener->is_gone = true;
    fd = listener->watch.fd;
    dx_watch_stop(listener->loop, &listener->watch);
    dx_wheel_unset(dx_loop_wheel(listener->loop), &listener->pause);
    if (listener->path)
        remove_path(listener);
    close(fd);
    if (listener->reserve_fd >= 0)
        close(listener->reserve_fd);
    dx_loop_let_go(listener->loop);
    free(listener->path);
    free(listener);
}
