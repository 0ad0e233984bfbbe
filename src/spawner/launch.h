/*
 * launch.h - starts one program: vfork, a clean place to stand in, execve.
 *
 * Not responsible for the table of programs nor for what becomes of the process.
 */
#ifndef DX_SPAWNER_LAUNCH_H
#define DX_SPAWNER_LAUNCH_H

#include <stdint.h>
#include <sys/types.h>

#include "base/spawn_wire.h"

struct dx_launch {
    const char *path;      /* absolute */
    const char *directory; /* working directory, NULL for the spawner's own */
    char *const *arguments;
    char *const *variables;
    int streams[DX_SPAWN_STREAMS]; /* become 0, 1 and 2; none of them may lie below 3 */
    uint64_t descriptor_limit;     /* soft RLIMIT_NOFILE of the program, 0: as the spawner's */
};

struct dx_launch_result {
    pid_t pid;               /* of the program, leader of its session; 0 if it failed */
    enum dx_spawn_step step; /* where it failed */
    int error;               /* errno of that step */
};

/**
 * Starts the program and returns once it is executed or has failed; a failed child is reaped. All
 * signals must be blocked and all dispositions default, as the program starts with these
 * dispositions and an empty mask.
 */
struct dx_launch_result dx_launch(const struct dx_launch *launch);

#endif
