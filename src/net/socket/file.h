/*
 * file.h - opens files that a directory contains, and nothing else: for serving them.
 */
#ifndef DX_NET_FILE_H
#define DX_NET_FILE_H

#include <duplex/error.h>

#include <time.h>

struct open_how; /* <linux/openat2.h> */

struct dx_file {
    int fd;
    uint64_t len;
    struct timespec modified;
    struct timespec changed; /* with contents, name or mode: no program can set it */
    uint64_t device;
    uint64_t inode;
};

/** Opens a directory for dx_file_open. Returns DX_OK, DX_ERR_NOT_FOUND (also when it is no directory), DX_ERR_ACCESS, DX_ERR_DESCRIPTORS, DX_ERR_NOMEM, DX_ERR_SYSTEM. */
DX_MUST_CHECK enum dx_err dx_directory_open(const char *path, int *directory_fd);

/**
 * Opens a regular file beneath the directory, never following a symbolic link nor leaving it, never waiting (a FIFO is not
 * opened for its writer). `path` is relative, NUL-terminated.
 *
 * Returns DX_OK; DX_ERR_NOT_FOUND: no such file, not a regular one, or outside; DX_ERR_ACCESS: not readable;
 * DX_ERR_AGAIN: another process holds it for itself (fcntl(2), F_SETLEASE); DX_ERR_DESCRIPTORS, DX_ERR_NOMEM, DX_ERR_SYSTEM.
 * The caller closes file->fd.
 */
DX_MUST_CHECK enum dx_err dx_file_open(int directory_fd, const char *path, struct dx_file *file);

/** The system call, which has no function in libc: a descriptor, or -1 and errno. */
int dx_openat2(int directory_fd, const char *path, const struct open_how *how);

#endif
