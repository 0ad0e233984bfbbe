/*
 * launch.h - starts one program with vfork and execve, in a session of its own, with three
 * descriptors, default signals and its descriptor limit.
 *
 * The table of programs, and the end of the process, are elsewhere.
 */
#ifndef DX_SPAWNER_LAUNCH_H
#define DX_SPAWNER_LAUNCH_H

#include <stdint.h>
#include <sys/types.h>

#include "base/spawn_wire.h"

struct dx_launch {
    const char *path;      /* absolute */
    const char *directory; /* working directory; NULL: that of the spawner */
    char *const *arguments;
    char *const *variables;
    int streams[DX_SPAWN_STREAMS]; /* become 0, 1 and 2; each must be 3 or above */
    uint64_t descriptor_limit;     /* soft RLIMIT_NOFILE of the program; 0: that of the spawner */
};

struct dx_launch_result {
    pid_t pid;               /* the leader of its session; 0: it failed */
    enum dx_spawn_step step; /* the step that failed */
    int error;               /* errno of that step */
};

/**
 * Starts the program. Returns when it is executed or has failed; a failed child is reaped. All
 * signals must be blocked and have their default dispositions: the program starts with these
 * dispositions and an empty mask.
 */
struct dx_launch_result dx_launch(const struct dx_launch *launch);

#endif
