/*
 * output.h - stdout that never makes the loop wait: what it does not take waits here, and whoever writes is told to stop.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <duplex/loop.h>

#include "cli/text/buffer.h"

struct cli_output {
    struct dx_loop *loop;
    int fd;
    bool owns_fd;     /* opened once more, so as not to change the one that others share */
    bool never_waits; /* write() returns at once: not blocking, or a file */
    bool is_socket;
    bool is_posted;            /* a flush comes at the end of this turn */
    struct cli_buffer waiting; /* behind `sent` bytes that have gone */
    size_t sent;
    struct dx_loop_watch *watch;
    int error; /* errno of what went wrong, 0: nothing */
    void (*on_change)(void *user);
    void *user;
};

/** Writes to stdout. `on_change` comes when it begins or ceases to be blocked, and when it has failed. */
void cli_output_init(struct cli_output *output, struct dx_loop *loop, void (*on_change)(void *user),
                     void *user);
/** What is put into `waiting` leaves with this, at the latest at the end of the turn. */
void cli_output_commit(struct cli_output *output);
/** Does more wait than should? */
bool cli_output_is_blocked(const struct cli_output *output);
/** Writes all of it now, waiting at most `ms`. False: it has failed, or there is still some. */
bool cli_output_finish(struct cli_output *output, int ms);
void cli_output_release(struct cli_output *output);

#endif
