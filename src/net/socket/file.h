/*
 * file.h - opens regular files inside one directory, for serving them.
 *
 * Nothing outside the directory can be opened, whatever the path says.
 */
#ifndef DX_NET_FILE_H
#define DX_NET_FILE_H

#include <duplex/error.h>

#include <time.h>

struct open_how; /* <linux/openat2.h> */

struct dx_file {
    int fd;
    uint64_t len; /* bytes */
    struct timespec modified;
    struct timespec changed; /* ctime: follows contents, name and mode; no program can set it */
    uint64_t device;
    uint64_t inode;
};

/**
 * Opens a directory for dx_file_open. The caller closes the descriptor.
 *
 * Returns DX_OK, or:
 *   DX_ERR_NOT_FOUND     no such path, or not a directory
 *   DX_ERR_ACCESS        permission denied
 *   DX_ERR_DESCRIPTORS   the descriptor limit is reached
 *   DX_ERR_NOMEM, DX_ERR_SYSTEM
 */
DX_MUST_CHECK enum dx_err dx_directory_open(const char *path, int *directory_fd);

/**
 * Opens a regular file beneath the directory. Follows no symbolic link and never blocks: a FIFO is
 * refused, not waited for.
 *
 * path   relative to the directory, NUL-terminated
 * file   filled on DX_OK; the caller closes file->fd
 *
 * Returns DX_OK, or:
 *   DX_ERR_NOT_FOUND     no such file, not a regular file, or outside the directory
 *   DX_ERR_ACCESS        not readable
 *   DX_ERR_AGAIN         another process holds a lease on it (fcntl(2), F_SETLEASE)
 *   DX_ERR_DESCRIPTORS   the descriptor limit is reached
 *   DX_ERR_NOMEM, DX_ERR_SYSTEM
 */
DX_MUST_CHECK enum dx_err dx_file_open(int directory_fd, const char *path, struct dx_file *file);

/** The openat2 system call, which libc does not wrap. Returns a descriptor, or -1 with errno. */
int dx_openat2(int directory_fd, const char *path, const struct open_how *how);

#endif
