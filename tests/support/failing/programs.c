/*
 * programs.c - the calls that only the bridge to programs makes, for system.h.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "support/failing/system.h"

#define WRAP(call, type, name, parameters, arguments)                                              \
 type __real_##name parameters;                                                                    \
 type __wrap_##name parameters;                                                                    \
 type __wrap_##name parameters                                                                     \
 {                                                                                                 \
  return failing_system_hits(call) ? -1 : __real_##name arguments;                                 \
 }

WRAP(CALL_PIPE2, int, pipe2, (int ends[2], int flags), (ends, flags))
WRAP(CALL_READ, ssize_t, read, (int fd, void *bytes, size_t len), (fd, bytes, len))
WRAP(CALL_WRITEV, ssize_t, writev, (int fd, const struct iovec *slices, int count),
     (fd, slices, count))
WRAP(CALL_SOCKETPAIR, int, socketpair, (int domain, int type, int protocol, int *pair),
     (domain, type, protocol, pair))
WRAP(CALL_PIDFD_OPEN, int, dx_pidfd_open, (pid_t pid), (pid))

/* All that the library asks of it takes one number. */
int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...)
{
    va_list arguments;
    int argument;

    va_start(arguments, command);
    argument = va_arg(arguments, int);
    va_end(arguments);
    return failing_system_hits(CALL_FCNTL) ? -1 : __real_fcntl64(fd, command, argument);
}

/* It returns its error. */
int __real_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const *arguments,
                       char *const *variables);
int __wrap_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const *arguments,
                       char *const *variables);
int __wrap_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const *arguments,
                       char *const *variables)
{
    if (failing_system_hits(CALL_POSIX_SPAWN))
        return failing_system_code();
    return __real_posix_spawn(pid, path, actions, attributes, arguments, variables);
}
