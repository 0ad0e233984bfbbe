/*
 * send_file.c - sendfile: from the page cache to the socket without a copy through user space.
 *
 * sendfile has no MSG_NOSIGNAL: if the peer is gone it raises SIGPIPE in the calling thread, which
 * would end a host program that does not ignore it (splice does the same; tried with TCP and unix
 * sockets on Linux 6.18). So this thread blocks the signal during the call and consumes one that
 * the call raised: two cheap system calls for up to 64 KiB. Sending a mapping of the file would
 * need neither, but copies, and waits for the disk at each page.
 */
#include "net/socket/stream.h"
#include "net/loop/system.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/sendfile.h>

static ssize_t send_quietly(int socket_fd, int fd, off_t at, size_t len)
{
    const struct timespec no_time = {0, 0};
    sigset_t broken_pipe, before, waiting;
    bool was_waiting = false;
    ssize_t sent;
    int error;

    (void)sigemptyset(&broken_pipe);
    (void)sigaddset(&broken_pipe, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    /* If the host program blocks the signal, one that is pending already is its own. */
    if (sigismember(&before, SIGPIPE) == 1)
        was_waiting = sigpending(&waiting) == 0 && sigismember(&waiting, SIGPIPE) == 1;
    do
        sent = sendfile(socket_fd, fd, &at, len);
    while (sent < 0 && errno == EINTR);
    error = errno;
    /* sendfile may send a part, then raise the signal, and still return the length of the part. */
    if (!was_waiting && (sent < 0 ? error == EPIPE : (size_t)sent < len))
        (void)sigtimedwait(&broken_pipe, NULL, &no_time);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return sent;
}

enum dx_err dx_stream_send_file(struct dx_stream *stream, int fd, uint64_t at, size_t len,
                                size_t *put)
{
    ssize_t sent;

    if (stream->tls)
        return DX_ERR_STATE;
    sent = send_quietly(stream->watch.fd, fd, (off_t)at, len);
    if (sent == 0)
        return DX_ERR_CLOSED;
    if (sent < 0)
        return errno == EINVAL || errno == ENOSYS ? DX_ERR_STATE : dx_err_of_errno(errno);
    *put = (size_t)sent;
    return DX_OK;
}
