/*
 * system.c - the wrapped calls: each counts, fails when it is its turn, or asks the system.
 */
#include "support/failing/system.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

static bool is_on;
static bool has_failed;
static size_t left;
static size_t counts[CALL_COUNT];
static int failing_codes[CALL_COUNT];
static bool fails_once;

static unsigned chosen;
static enum failing_call last_call;
static int last_code;

/* The errors of a call that fails in its turn. */
static const int usual_codes[CALL_COUNT][FAILING_KINDS] = {
    [CALL_RECV] = {ECONNRESET, EAGAIN, EINTR},
    [CALL_SENDMSG] = {EPIPE, EAGAIN, ENOMEM},
    [CALL_SEND] = {ECONNRESET, EAGAIN, ENOMEM},
    [CALL_EPOLL_CTL] = {ENOMEM, ENOSPC},
    [CALL_EPOLL_CREATE1] = {EMFILE},
    [CALL_ACCEPT4] = {ECONNABORTED, EMFILE, EAGAIN},
    [CALL_SOCKET] = {EMFILE},
    [CALL_BIND] = {EADDRINUSE},
    [CALL_LISTEN] = {EADDRINUSE},
    [CALL_GETSOCKNAME] = {ENOBUFS},
    [CALL_GETRANDOM] = {EAGAIN},
    [CALL_FCHMOD] = {EPERM},
    [CALL_OPEN] = {ENFILE},
    [CALL_PIPE2] = {EMFILE, ENFILE},
    [CALL_READ] = {EIO, EAGAIN, EINTR},
    [CALL_WRITEV] = {EPIPE, EAGAIN, EINTR},
    [CALL_FCNTL] = {EMFILE},
    [CALL_SOCKETPAIR] = {EMFILE, ENFILE},
    [CALL_PIDFD_OPEN] = {EMFILE},
    [CALL_POSIX_SPAWN] = {EAGAIN, ENOMEM},
    [CALL_OPENAT2] = {EMFILE, EAGAIN, EIO},
    [CALL_FSTAT] = {EIO, ENOMEM},
    [CALL_PREAD] = {EIO, EINTR},
    [CALL_SENDFILE] = {EPIPE, EAGAIN, EINVAL},
    [CALL_CONNECT] = {ECONNREFUSED, ENETUNREACH, EINTR},
    [CALL_GETSOCKOPT] = {ENOBUFS},
    [CALL_GETPEERNAME] = {ENOBUFS},
};

static bool fail_with(enum failing_call call, int code)
{
    last_call = call;
    has_failed = true;
    last_code = code;
    errno = code;
    return true;
}

bool failing_system_hits(enum failing_call call)
{
    if (!is_on)
        return false;
    counts[call]++;
    if (failing_codes[call]) {
        (void)fail_with(call, failing_codes[call]);
        if (fails_once)
            failing_codes[call] = 0;
        return true;
    }
    if (usual_codes[call][chosen] == 0 || left == 0 || --left > 0)
        return false;
    return fail_with(call, usual_codes[call][chosen]);
}

enum failing_call failing_system_last(void)
{
    return last_call;
}

int failing_system_code(void)
{
    return last_code;
}

void failing_system_choose(unsigned kind)
{
    chosen = kind;
}

void failing_system_start(size_t nth)
{
    is_on = true;
    has_failed = false;
    left = nth;
    for (int i = 0; i < CALL_COUNT; i++) {
        counts[i] = 0;
        failing_codes[i] = 0;
    }
}

void failing_system_fail_all(enum failing_call call, int code)
{
    failing_codes[call] = code;
    fails_once = false;
}

void failing_system_fail_next(enum failing_call call, int code)
{
    failing_codes[call] = code;
    fails_once = true;
}

bool failing_system_stop(void)
{
    is_on = false;
    return has_failed;
}

void failing_system_pause(bool paused)
{
    is_on = !paused;
}

size_t failing_system_count(enum failing_call call)
{
    return counts[call];
}

/* The linker gives each wrapped call these two names. */
#define WRAP(call, type, name, parameters, arguments)                                              \
 type __real_##name parameters;                                                                    \
 type __wrap_##name parameters;                                                                    \
 type __wrap_##name parameters                                                                     \
 {                                                                                                 \
  return failing_system_hits(call) ? -1 : __real_##name arguments;                                 \
 }

WRAP(CALL_RECV, ssize_t, recv, (int fd, void *bytes, size_t len, int flags),
     (fd, bytes, len, flags))
WRAP(CALL_SENDMSG, ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
     (fd, message, flags))
WRAP(CALL_SEND, ssize_t, send, (int fd, const void *bytes, size_t len, int flags),
     (fd, bytes, len, flags))
WRAP(CALL_EPOLL_CREATE1, int, epoll_create1, (int flags), (flags))
WRAP(CALL_ACCEPT4, int, accept4, (int fd, struct sockaddr *from, socklen_t *len, int flags),
     (fd, from, len, flags))
WRAP(CALL_SOCKET, int, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(CALL_BIND, int, bind, (int fd, const struct sockaddr *at, socklen_t len), (fd, at, len))
WRAP(CALL_LISTEN, int, listen, (int fd, int backlog), (fd, backlog))
WRAP(CALL_GETSOCKNAME, int, getsockname, (int fd, struct sockaddr *at, socklen_t *len),
     (fd, at, len))
WRAP(CALL_GETRANDOM, ssize_t, getrandom, (void *bytes, size_t len, unsigned flags),
     (bytes, len, flags))
WRAP(CALL_FCHMOD, int, fchmod, (int fd, mode_t mode), (fd, mode))

/* Forgetting a descriptor that is watched cannot fail, so only the other two operations do. */
int __real_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event)
{
    if (operation != EPOLL_CTL_DEL && failing_system_hits(CALL_EPOLL_CTL))
        return -1;
    return __real_epoll_ctl(epoll_fd, operation, fd, event);
}

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
    return failing_system_hits(CALL_OPEN) ? -1 : __real_open64(path, flags);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    return failing_system_hits(CALL_OPEN) ? -1 : __real_open(path, flags);
}
