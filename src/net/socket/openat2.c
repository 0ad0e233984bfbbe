/*
 * openat2.c - the openat2 system call (Linux 5.6); in its own file so that a test can replace it.
 */
#include "net/socket/file.h"

#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

int dx_openat2(int directory_fd, const char *path, const struct open_how *how)
{
    return (int)syscall(SYS_openat2, directory_fd, path, how, sizeof(*how));
}
