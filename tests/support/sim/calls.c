/*
 * calls.c - the system calls of the library, on simulated descriptors. Linked with -Wl,--wrap for
 * each of them; a call for a real descriptor goes to the system.
 */
#include "support/sim/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#define ACKNOWLEDGED_AT 120 /* tcpi_bytes_acked in struct tcp_info of linux/tcp.h */

#define WRAPS(result, name, ...)                                                                   \
 result __real_##name(__VA_ARGS__);                                                                \
 result __wrap_##name(__VA_ARGS__)

static bool is_simulated(int fd)
{
    return fd >= SIM_FD_FIRST;
}

WRAPS(ssize_t, recv, int fd, void *bytes, size_t len, int flags);
WRAPS(ssize_t, send, int fd, const void *bytes, size_t len, int flags);
WRAPS(ssize_t, sendmsg, int fd, const struct msghdr *message, int flags);
WRAPS(int, epoll_create1, int flags);
WRAPS(int, epoll_ctl, int set, int operation, int fd, struct epoll_event *event);
WRAPS(int, epoll_wait, int set, struct epoll_event *events, int room, int timeout);
WRAPS(int, accept4, int fd, struct sockaddr *address, socklen_t *len, int flags);
WRAPS(int, socket, int family, int type, int protocol);
WRAPS(int, bind, int fd, const struct sockaddr *address, socklen_t len);
WRAPS(int, listen, int fd, int backlog);
WRAPS(int, shutdown, int fd, int how);
WRAPS(int, close, int fd);
WRAPS(int, setsockopt, int fd, int level, int name, const void *value, socklen_t len);
WRAPS(int, getsockopt, int fd, int level, int name, void *value, socklen_t *len);
WRAPS(int, getsockname, int fd, struct sockaddr *address, socklen_t *len);
WRAPS(int, getpeername, int fd, struct sockaddr *address, socklen_t *len);
WRAPS(int, clock_gettime, clockid_t clock, struct timespec *now);
WRAPS(ssize_t, getrandom, void *bytes, size_t len, unsigned flags);
int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);

/* A call on any other descriptor does not belong into a simulated world. */
static void must_be_simulated(int fd, const char *call)
{
    if (!is_simulated(fd))
        sim_fail("%s(%d): not a descriptor of this world", call, fd);
}

ssize_t __wrap_recv(int fd, void *bytes, size_t len, int flags)
{
    (void)flags;
    must_be_simulated(fd, "recv");
    return sim_recv(fd, bytes, len);
}

ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags)
{
    must_be_simulated(fd, "send");
    if (!(flags & MSG_NOSIGNAL))
        sim_fail("a send that may raise SIGPIPE");
    return sim_send(fd, bytes, len);
}

/* The slices go one after another, as far as the pipe takes them whole. */
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    ssize_t total = 0;

    must_be_simulated(fd, "sendmsg");
    if (!(flags & MSG_NOSIGNAL))
        sim_fail("a sendmsg that may raise SIGPIPE");
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        const struct iovec *part = &message->msg_iov[i];
        long sent;

        if (part->iov_len == 0)
            continue;
        sent = sim_send(fd, part->iov_base, part->iov_len);
        if (sent < 0)
            return total > 0 ? total : -1;
        total += sent;
        if ((size_t)sent < part->iov_len)
            break;
    }
    return total;
}

int __wrap_epoll_create1(int flags)
{
    if (!(flags & EPOLL_CLOEXEC))
        sim_fail("epoll_create1 without EPOLL_CLOEXEC");
    return sim_new_epoll();
}

int __wrap_epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
    must_be_simulated(set, "epoll_ctl");
    must_be_simulated(fd, "epoll_ctl");
    return sim_epoll_ctl(set, operation, fd, event);
}

int __wrap_epoll_wait(int set, struct epoll_event *events, int room, int timeout)
{
    must_be_simulated(set, "epoll_wait");
    if (timeout != 0)
        sim_fail("epoll_wait that waits");
    return sim_epoll_wait(set, events, room);
}

static void put_address(const struct sim_address *from, struct sockaddr *to, socklen_t *len)
{
    struct sockaddr_storage storage = {.ss_family = AF_INET};
    socklen_t room = *len;

    if (from->is_ipv6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;

        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(from->port);
        in6->sin6_addr = in6addr_loopback;
        in6->sin6_addr.s6_addr[0] = from->is_remote ? 0xfd : 0;
        *len = sizeof(*in6);
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *)&storage;

        in->sin_port = htons(from->port);
        in->sin_addr.s_addr = htonl(from->is_remote ? UINT32_C(0x0a000002) : INADDR_LOOPBACK);
        *len = sizeof(*in);
    }
    memcpy(to, &storage, room < *len ? room : *len);
}

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    struct sim_address peer;
    int accepted;

    must_be_simulated(fd, "accept4");
    if ((flags & (SOCK_NONBLOCK | SOCK_CLOEXEC)) != (SOCK_NONBLOCK | SOCK_CLOEXEC))
        sim_fail("accept4 of a descriptor that blocks or is inherited");
    accepted = sim_accept(fd);
    if (accepted >= 0 && sim_peer_address(accepted, &peer))
        put_address(&peer, address, len);
    return accepted;
}

int __wrap_socket(int family, int type, int protocol)
{
    (void)protocol;
    if (!(type & SOCK_CLOEXEC))
        sim_fail("a socket that is inherited");
    return sim_new_socket(family == AF_INET6);
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t len)
{
    (void)len;
    must_be_simulated(fd, "bind");
    return sim_bind(fd, address->sa_family == AF_INET6
                            ? ntohs(((const struct sockaddr_in6 *)address)->sin6_port)
                            : ntohs(((const struct sockaddr_in *)address)->sin_port));
}

int __wrap_listen(int fd, int backlog)
{
    (void)backlog;
    must_be_simulated(fd, "listen");
    return sim_listen(fd);
}

int __wrap_shutdown(int fd, int how)
{
    must_be_simulated(fd, "shutdown");
    if (how != SHUT_WR)
        sim_fail("shutdown(%d) of another side than its own", fd);
    return sim_shut(fd);
}

int __wrap_close(int fd)
{
    return is_simulated(fd) ? sim_close(fd) : __real_close(fd);
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    (void)value;
    (void)len;
    must_be_simulated(fd, "setsockopt");
    if (level == SOL_SOCKET && name == SO_LINGER)
        sim_do_not_linger(fd);
    return 0;
}

/* Of TCP_INFO only what of our bytes has arrived. */
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    uint64_t acknowledged;

    must_be_simulated(fd, "getsockopt");
    if (level != IPPROTO_TCP || name != TCP_INFO)
        sim_fail("getsockopt(%d, %d, %d)", fd, level, name);
    memset(value, 0, *len);
    acknowledged = sim_acknowledged_len(fd);
    if (*len >= ACKNOWLEDGED_AT + sizeof(acknowledged))
        memcpy((char *)value + ACKNOWLEDGED_AT, &acknowledged, sizeof(acknowledged));
    return 0;
}

static int put_found(bool is_found, const struct sim_address *found, struct sockaddr *address,
                     socklen_t *len)
{
    if (!is_found) {
        errno = ENOTCONN;
        return -1;
    }
    put_address(found, address, len);
    return 0;
}

int __wrap_getsockname(int fd, struct sockaddr *address, socklen_t *len)
{
    struct sim_address own;

    must_be_simulated(fd, "getsockname");
    return put_found(sim_own_address(fd, &own), &own, address, len);
}

int __wrap_getpeername(int fd, struct sockaddr *address, socklen_t *len)
{
    struct sim_address peer;

    must_be_simulated(fd, "getpeername");
    return put_found(sim_peer_address(fd, &peer), &peer, address, len);
}

/* Wall time runs with the monotonic one, from the first of January 2030. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    uint64_t us = sim_now_us();

    if (clock == CLOCK_REALTIME)
        us += UINT64_C(1893456000000000);
    now->tv_sec = (time_t)(us / 1000000);
    now->tv_nsec = (long)(us % 1000000 * 1000);
    return 0;
}

ssize_t __wrap_getrandom(void *bytes, size_t len, unsigned flags)
{
    uint8_t *at = bytes;

    (void)flags;
    if (sim_happens(SIM_SYSTEM, sim_troubles()->failures)) {
        errno = EAGAIN;
        return -1;
    }
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)sim_random(SIM_SYSTEM);
    return (ssize_t)len;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    void *argument;

    va_start(args, request);
    argument = va_arg(args, void *);
    va_end(args);
    if (!is_simulated(fd))
        return __real_ioctl(fd, request, argument);
    if (request != FIONREAD && request != TIOCOUTQ)
        sim_fail("ioctl(%d, %#lx)", fd, request);
    *(int *)argument = (int)(request == FIONREAD ? sim_unread_len(fd) : sim_unsent_len(fd));
    return 0;
}

/* The library opens nothing here but /dev/null, for a descriptor in reserve. */
int __wrap_open(const char *path, int flags, ...)
{
    (void)flags;
    if (strcmp(path, "/dev/null") != 0)
        sim_fail("open(%s)", path);
    return sim_new_plain();
}

int __wrap_open64(const char *path, int flags, ...)
{
    return __wrap_open(path, flags);
}
