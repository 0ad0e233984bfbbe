/*
 * file.c - see file.h.
 *
 * openat2 with RESOLVE_BENEATH: the kernel checks the path, so no spelling of it gets around the
 * check.
 */
#include "net/socket/file.h"
#include "net/loop/system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

/* Attempts to open a path that is renamed while the kernel walks it. */
#define TRIES_MAX 8

enum dx_err dx_directory_open(const char *path, int *directory_fd)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return dx_err_of_errno(errno);
    *directory_fd = fd;
    return DX_OK;
}

static enum dx_err err_of(int code)
{
    switch (code) {
    case ELOOP:
    case EXDEV:
    case ENXIO:
    case ENODEV:
    case ENAMETOOLONG:
    case EINVAL:
        return DX_ERR_NOT_FOUND;
    default:
        return dx_err_of_errno(code);
    }
}

enum dx_err dx_file_open(int directory_fd, const char *path, struct dx_file *file)
{
    const struct open_how how = {
        .flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    enum dx_err err = DX_OK;
    struct stat info;
    int fd, tries = 0;

    do {
        /*
         * EAGAIN: a concurrent rename made the walk unreliable, and the kernel wants a retry; or
         * another process has a lease on the file, which may take 45 seconds to end.
         */
        fd = dx_openat2(directory_fd, path, &how);
    } while (fd < 0 && (errno == EINTR || errno == EAGAIN) && ++tries < TRIES_MAX);
    if (fd < 0)
        return err_of(errno);
    if (fstat(fd, &info) != 0)
        err = dx_err_of_errno(errno);
    else if (!S_ISREG(info.st_mode))
        err = DX_ERR_NOT_FOUND;
    if (err != DX_OK) {
        (void)close(fd);
        return err;
    }
    *file = (struct dx_file){fd,           (uint64_t)info.st_size, info.st_mtim,
                             info.st_ctim, (uint64_t)info.st_dev,  (uint64_t)info.st_ino};
    return DX_OK;
}
