/*
 * connecting.c - the wrapped calls that connecting needs, for test programs linked with
 * failing_connecting.
 */
#include "support/failing/system.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
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

static uint16_t bind_port;

void failing_connecting_bind(uint16_t port)
{
    bind_port = port;
}

static void bind_first(int fd)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(bind_port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;

    if (bind_port == 0)
        return;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    (void)bind(fd, (struct sockaddr *)&at, sizeof(at));
}

int __real_connect(int fd, const struct sockaddr *at, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *at, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *at, socklen_t len)
{
    bind_first(fd);
    if (!failing_system_hits(CALL_CONNECT))
        return __real_connect(fd, at, len);
    if (failing_system_code() != EINTR)
        return -1;
    /* One that a signal interrupts goes on. */
    (void)__real_connect(fd, at, len);
    errno = EINTR;
    return -1;
}
