/*
 * output.h - stdout that never blocks the loop: what it does not take is queued here, and the
 * writer is asked to stop.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <duplex/loop.h>

#include "cli/text/buffer.h"

struct cli_output {
    struct dx_loop *loop;
    int fd;
    bool owns_fd;     /* opened again, so that the one that is shared stays as it is */
    bool never_waits; /* write() returns at once: not blocking, or a file */
    bool is_socket;
    bool is_posted;            /* a flush comes at the end of this turn */
    struct cli_buffer waiting; /* begins with `sent` bytes that have left */
    size_t sent;
    struct dx_loop_watch *watch;
    int error; /* errno of what went wrong, 0: nothing */
    void (*on_change)(void *user);
    void *user;
};

/**
 * Writes to stdout. `on_change` is called when it becomes blocked or unblocked, and when it has
 * failed.
 */
void cli_output_init(struct cli_output *output, struct dx_loop *loop, void (*on_change)(void *user),
                     void *user);
/** Writes what was put into `waiting`, at the latest at the end of the turn. */
void cli_output_commit(struct cli_output *output);
/** True while so much is queued that nothing should be added. */
bool cli_output_is_blocked(const struct cli_output *output);
/** Writes all of it now, waiting at most `ms`. False: it has failed, or there is still some. */
bool cli_output_finish(struct cli_output *output, int ms);
void cli_output_release(struct cli_output *output);

#endif
