/*
 * stream.c - recv and sendmsg on one socket, or the calls of its TLS session.
 */
#include "net/socket/stream.h"
#include "net/loop/system.h"
#include "net/tls/tls_session.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(struct dx_slice) == sizeof(struct iovec) &&
                   offsetof(struct dx_slice, data) == offsetof(struct iovec, iov_base) &&
                   offsetof(struct dx_slice, len) == offsetof(struct iovec, iov_len),
               "slices are passed to the kernel as iovecs");

enum dx_err dx_stream_init(struct dx_stream *stream, struct dx_loop *loop, int fd,
                           struct dx_tls *tls)
{
    struct dx_tls_session *session = NULL;

    (void)loop;
    if (tls) {
        enum dx_err err = dx_tls_session_new(tls, fd, &session);

        if (err)
            return err;
    }
    *stream = (struct dx_stream){.watch = {.fd = fd}, .tls = session};
    return DX_OK;
}

enum dx_err dx_stream_start_tls(struct dx_stream *stream, struct dx_tls_client *client,
                                const char *host)
{
    return dx_tls_session_new_client(client, stream->watch.fd, host, stream->tls, &stream->tls);
}

bool dx_stream_is_established(const struct dx_stream *stream)
{
    return !stream->tls || dx_tls_session_is_established(stream->tls);
}

enum dx_err dx_stream_read(struct dx_stream *stream, void *bytes, size_t len, size_t *got)
{
    ssize_t count;

    if (stream->tls)
        return dx_tls_session_read(stream->tls, bytes, len, got);
    do {
        count = recv(stream->watch.fd, bytes, len, 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0)
        return dx_err_of_errno(errno);
    if (count == 0)
        return DX_ERR_CLOSED;
    *got = (size_t)count;
    return DX_OK;
}

bool dx_stream_has_pending(const struct dx_stream *stream)
{
    return stream->tls && dx_tls_session_has_pending(stream->tls);
}

enum dx_err dx_stream_write(struct dx_stream *stream, const struct dx_slice *slices, size_t count,
                            size_t *put)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)slices, .msg_iovlen = count};
    ssize_t sent;

    if (stream->tls)
        return dx_tls_session_write(stream->tls, slices, count, put);
    do {
        /* One slice is the usual case, and send is cheaper than sendmsg. */
        sent = count == 1 ? send(stream->watch.fd, slices->data, slices->len, MSG_NOSIGNAL)
                          : sendmsg(stream->watch.fd, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return dx_err_of_errno(errno);
    *put = (size_t)sent;
    return DX_OK;
}

unsigned dx_stream_wants(const struct dx_stream *stream)
{
    return stream->tls ? dx_tls_session_wants(stream->tls) : 0;
}

bool dx_stream_tls_facts(const struct dx_stream *stream, struct dx_tls_facts *facts)
{
    return stream->tls && dx_tls_session_facts(stream->tls, facts);
}

void dx_stream_tls_why(const struct dx_stream *stream, char *why, size_t why_len)
{
    if (why_len > 0)
        why[0] = '\0';
    if (stream->tls)
        dx_tls_session_why(stream->tls, why, why_len);
}

void dx_stream_shutdown(struct dx_stream *stream)
{
    if (stream->tls)
        dx_tls_session_shutdown(stream->tls);
    (void)shutdown(stream->watch.fd, SHUT_WR);
}

void dx_stream_close(struct dx_stream *stream, bool abort)
{
    /* A linger time of 0 makes close send RST and discard unsent data. */
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    if (abort)
        (void)setsockopt(stream->watch.fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    else if (stream->tls)
        dx_tls_session_shutdown(stream->tls);
    dx_tls_session_free(stream->tls);
    stream->tls = NULL;
    close(stream->watch.fd);
    stream->watch.fd = -1;
}
