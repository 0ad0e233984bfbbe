/*
 * file_body.c - reading a file that is the body of an answer. Not responsible for which file, nor
 * for how it is sent.
 */
#include "server/exchange/file_body.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum dx_err dx_file_body_new(int fd, uint64_t at, uint64_t len, struct dx_file_body **body)
{
    struct dx_file_body *made = malloc(sizeof(*made));

    if (made == NULL)
        return DX_ERR_NOMEM;
    *made = (struct dx_file_body){.fd = fd, .at = at, .left = len};
    *body = made;
    return DX_OK;
}

void dx_file_body_free(struct dx_file_body *body)
{
    if (body == NULL)
        return;
    (void)close(body->fd);
    free(body);
}

enum dx_err dx_file_body_read(const struct dx_file_body *body, void *bytes, size_t room,
                              size_t *len)
{
    ssize_t got;

    do
        got = pread(body->fd, bytes, dx_file_body_at_most(body, room), (off_t)body->at);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got == 0 ? DX_ERR_CLOSED : DX_ERR_SYSTEM;
    *len = (size_t)got;
    return DX_OK;
}
