/*
 * files.c - the wrapped calls that serving files needs, for test programs linked with
 * failing_files.
 */
#include "support/failing/system.h"

#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

struct open_how;

int __real_dx_openat2(int directory_fd, const char *path, const struct open_how *how);
int __wrap_dx_openat2(int directory_fd, const char *path, const struct open_how *how);
int __wrap_dx_openat2(int directory_fd, const char *path, const struct open_how *how)
{
    return failing_system_hits(CALL_OPENAT2) ? -1 : __real_dx_openat2(directory_fd, path, how);
}

/* With and without large files each of these has two names; the code has one of them. */
#define WRAP(call, type, name, parameters, arguments)                                              \
 type __real_##name parameters;                                                                    \
 type __wrap_##name parameters;                                                                    \
 type __wrap_##name parameters                                                                     \
 {                                                                                                 \
  return failing_system_hits(call) ? -1 : __real_##name arguments;                                 \
 }

WRAP(CALL_FSTAT, int, fstat, (int fd, struct stat *info), (fd, info))
WRAP(CALL_FSTAT, int, fstat64, (int fd, struct stat *info), (fd, info))
WRAP(CALL_PREAD, ssize_t, pread, (int fd, void *bytes, size_t len, off_t at), (fd, bytes, len, at))
WRAP(CALL_PREAD, ssize_t, pread64, (int fd, void *bytes, size_t len, off_t at),
     (fd, bytes, len, at))
WRAP(CALL_SENDFILE, ssize_t, sendfile, (int to, int from, off_t *at, size_t len),
     (to, from, at, len))
WRAP(CALL_SENDFILE, ssize_t, sendfile64, (int to, int from, off_t *at, size_t len),
     (to, from, at, len))
