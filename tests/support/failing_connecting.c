/*
 * failing_connecting.c - the wrapped calls that connecting needs, for test programs linked with `failing_connecting_args`.
 */
#include "support/failing_system.h"

#include <errno.h>
#include <sys/socket.h>

#define WRAP(call, type, name, parameters, arguments)                                              \
 type __real_##name parameters;                                                                    \
 type __wrap_##name parameters;                                                                    \
 type __wrap_##name parameters                                                                     \
 {                                                                                                 \
  return failing_system_hits(call) ? -1 : __real_##name arguments;                                 \
 }

WRAP(CALL_GETSOCKOPT, int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len),
     (fd, level, name, value, len))
WRAP(CALL_GETPEERNAME, int, getpeername, (int fd, struct sockaddr *at, socklen_t *len),
     (fd, at, len))

int __real_connect(int fd, const struct sockaddr *at, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *at, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *at, socklen_t len)
{
    if (!failing_system_hits(CALL_CONNECT))
        return __real_connect(fd, at, len);
    if (failing_system_code() != EINTR)
        return -1;
    /* One that a signal interrupts goes on. */
    (void)__real_connect(fd, at, len);
    errno = EINTR;
    return -1;
}
