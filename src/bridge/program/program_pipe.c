/*
 * program_pipe.c - our end of one of a program's pipes.
 */
#include "bridge/program/program.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* A pipe that is not to be read is not watched at all: epoll would report its hang-up each turn. */
bool dx_program_pipe_want(struct dx_program *program, struct dx_program_pipe *pipe, unsigned wanted)
{
    struct dx_loop *loop = program->shard->loop;

    if (pipe->fd < 0 || pipe->wanted == wanted)
        return true;
    if (wanted == 0)
        dx_watch_stop(loop, &pipe->watch);
    else if (dx_watch_start(loop, &pipe->watch, pipe->fd, wanted, pipe->on_ready) != DX_OK)
        return false;
    pipe->wanted = (uint8_t)wanted;
    return true;
}

void dx_program_pipe_close(struct dx_program *program, struct dx_program_pipe *pipe)
{
    if (pipe->fd < 0)
        return;
    (void)dx_program_pipe_want(program, pipe, 0);
    close(pipe->fd);
    pipe->fd = -1;
}

/*
 * MSG_NOSIGNAL is for sockets only. If the host does not ignore SIGPIPE, the signal is blocked
 * during the call and taken off if the call raised it, at the cost of a few cheap system calls.
 */
ssize_t dx_program_pipe_write(struct dx_program *program, struct dx_program_pipe *pipe,
                              const struct iovec *slices, int count)
{
    const struct timespec no_time = {0, 0};
    sigset_t broken_pipe, before, waiting;
    ssize_t put;
    int error;

    if (program->shard->programs->ignores_sigpipe)
        return writev(pipe->fd, slices, count);
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    sigpending(&waiting);
    put = writev(pipe->fd, slices, count);
    error = errno;
    if (put < 0 && error == EPIPE && !sigismember(&waiting, SIGPIPE))
        (void)sigtimedwait(&broken_pipe, NULL, &no_time);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return put;
}
