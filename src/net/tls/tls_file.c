/*
 * tls_file.c - see tls_file.h. The bytes may be a key, so no copy of them is left in memory.
 */
#include "net/tls/tls_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_ROOM 8192

static enum dx_err fail(const char *path, int code, const struct dx_tls_why *why)
{
    dx_tls_explain(why, "%s: %s", path, strerror(code));
    switch (code) {
    case ENOMEM:
        return DX_ERR_NOMEM;
    case ENOENT:
    case ENOTDIR:
        return DX_ERR_NOT_FOUND;
    case EISDIR:
    case EFBIG:
        return DX_ERR_BAD_CERTIFICATE;
    default:
        return DX_ERR_ACCESS;
    }
}

/* Not realloc: the block that it frees could hold a key. */
static bool grow(struct dx_tls_file *file, size_t *room)
{
    size_t wanted = *room ? *room * 2 : FIRST_ROOM;
    uint8_t *grown = malloc(wanted);

    if (!grown)
        return false;
    if (file->bytes) {
        memcpy(grown, file->bytes, file->len);
        OPENSSL_cleanse(file->bytes, *room);
        free(file->bytes);
    }
    file->bytes = grown;
    *room = wanted;
    return true;
}

/* Returns 0, or an errno. */
static int read_all(int fd, struct dx_tls_file *file)
{
    size_t room = 0;
    ssize_t got;

    do {
        if (file->len > DX_TLS_FILE_MAX)
            return EFBIG;
        if (file->len == room && !grow(file, &room))
            return ENOMEM;
        got = read(fd, file->bytes + file->len, room - file->len);
        if (got > 0)
            file->len += (size_t)got;
    } while (got > 0 || (got < 0 && errno == EINTR));
    return got < 0 ? errno : 0;
}

enum dx_err dx_tls_file_read(const char *path, struct dx_tls_file *file,
                             const struct dx_tls_why *why)
{
    /* Open must not block on a pipe without a writer; reading from one that has a writer may. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct dx_tls_file read_file = {NULL, 0};
    int code;

    if (fd < 0)
        return fail(path, errno, why);
    (void)fcntl(fd, F_SETFL, 0);
    code = read_all(fd, &read_file);
    close(fd);
    if (code) {
        dx_tls_file_release(&read_file);
        return fail(path, code, why);
    }
    *file = read_file;
    return DX_OK;
}

void dx_tls_file_release(struct dx_tls_file *file)
{
    if (file->bytes)
        OPENSSL_cleanse(file->bytes, file->len);
    free(file->bytes);
    file->bytes = NULL;
    file->len = 0;
}

BIO *dx_tls_file_bio(const struct dx_tls_file *file)
{
    return BIO_new_mem_buf(file->bytes, (int)file->len);
}

int dx_tls_no_passphrase(char *buffer, int len, int for_writing, void *data)
{
    (void)buffer;
    (void)len;
    (void)for_writing;
    (void)data;
    return -1;
}
