/*
 * file.c - openat2 with RESOLVE_BENEATH: the kernel judges the path, so no name can be spelt around the rule.
 */
#include "net/file.h"
#include "net/system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

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
    case ENAMETOOLONG:
    case EINVAL:
        return DX_ERR_NOT_FOUND;
    default:
        return dx_err_of_errno(code);
    }
}

enum dx_err dx_file_open(int directory_fd, const char *path, struct dx_file *file)
{
    struct open_how how = {
        .flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    struct stat info;
    long fd;

    do {
        /* EAGAIN: a rename elsewhere in the system made the kernel unsure; it asks to be asked again. */
        fd = syscall(SYS_openat2, directory_fd, path, &how, sizeof(how));
    } while (fd < 0 && (errno == EINTR || errno == EAGAIN));
    if (fd < 0)
        return err_of(errno);
    if (fstat((int)fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close((int)fd);
        return DX_ERR_NOT_FOUND;
    }
    *file = (struct dx_file){(int)fd, (uint64_t)info.st_size, info.st_mtim.tv_sec};
    return DX_OK;
}
