/*
 * program_pipe.c - the server's end of one of a program's pipes.
 */
#include "bridge/program.h"

#include <unistd.h>

/*
 * A pipe that nobody wants to read is not watched at all: epoll would report its hang-up for ever.
 */
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
