/*
 * send_file.c - sendfile: from the page cache to the socket without a copy through user space.
 *
 * It knows no MSG_NOSIGNAL: at a socket whose peer is gone the call raises SIGPIPE in the calling thread, which would end a host
 * that does not ignore it (so does splice, TCP and unix sockets alike; tried on Linux 6.18). The signal is held back in this
 * thread during the call and taken if the call has raised it. That is two cheap calls more for up to 64 KiB; mapping the file
 * and sending the mapping would need none, but copies, and waits for the disk at each page.
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
    /* One that waits already is the host's: where it blocks the signal itself. */
    if (sigismember(&before, SIGPIPE) == 1)
        was_waiting = sigpending(&waiting) == 0 && sigismember(&waiting, SIGPIPE) == 1;
    do
        sent = sendfile(socket_fd, fd, &at, len);
    while (sent < 0 && errno == EINTR);
    error = errno;
    /* It works in pieces: after some it may meet the closed peer, raise the signal, and still say how much it sent. */
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
