/*
 * spawner.h - the server's side of duplex-spawner: starts programs, signals them, reports their
 * end.
 *
 * Nothing here blocks a loop: a start is one packet, and answers are read when the channel's
 * descriptor is readable. The caller watches that descriptor, owns the pipes, times the signals,
 * and reopens a lost channel.
 *
 * A process has one `struct dx_spawner`, which is the running executable. It has a channel for each
 * loop; a channel and its children belong to that loop's thread. Everything that waits has a limit:
 * DX_SPAWN_PROGRAMS_MAX programs over all channels, DX_SPAWNER_QUEUE_MAX bytes of starts on each.
 *
 * If one of the two processes is killed, the other ends all descendants within milliseconds. If
 * both are killed at the same moment, only the parent-death signal is left: it ends programs, but
 * not what they have detached.
 */
#ifndef DX_BRIDGE_SPAWNER_H
#define DX_BRIDGE_SPAWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <duplex/error.h>
#include "base/spawn_wire.h"

enum {
    DX_SPAWNER_QUEUE_MAX = 4 * 1024 * 1024, /* bytes of starts that wait for room in the socket */
    DX_SPAWNER_STOP_MS = 2000,  /* the longest time that dx_spawner_stop waits for the process */
    DX_SPAWNER_CLEAN_MS = 5000, /* the longest time for killing what a dead spawner has left */
};

struct dx_spawner;
struct dx_spawner_channel;

struct dx_spawner_options {
    /*
     * The executable. NULL: `duplex-spawner` in the folder of the running program, or where it was
     * installed.
     */
    const char *path;
    uint32_t channel_count; /* 1 to DX_SPAWN_CHANNELS_MAX */
    /*
     * Soft limit of descriptors for programs, usually the limit of the process before it was
     * raised. 0: inherited.
     */
    uint64_t descriptor_limit;
    /*
     * Every child of this process belongs to the spawner. The process becomes a subreaper then, and
     * if the spawner dies, all children that come to it are killed and reaped. Only a program can
     * promise this, not a library inside another one. Without it, only the parent-death signal ends
     * the programs of a dead spawner.
     */
    bool owns_children;
};

/**
 * Starts the spawner, in a session of its own; it keeps stderr. `*out` is freed with
 * dx_spawner_stop. Any thread.
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE       channel_count is out of range
 *   DX_ERR_NOT_FOUND   there is no executable
 *   DX_ERR_ACCESS      the executable must not be run
 *   DX_ERR_SPAWN       the executable could not be run
 *   DX_ERR_DESCRIPTORS, DX_ERR_NOMEM, DX_ERR_SYSTEM
 */
DX_MUST_CHECK enum dx_err dx_spawner_start(const struct dx_spawner_options *options,
                                           struct dx_spawner **out);

/**
 * Kills every program, ends the spawner, and frees it with its channels. Returns within
 * DX_SPAWNER_STOP_MS + DX_SPAWNER_CLEAN_MS, normally within milliseconds. Calls no callback:
 * remaining children are forgotten. No other thread may use a channel any more. NULL is fine.
 */
void dx_spawner_stop(struct dx_spawner *spawner);

/** The process id of the spawner; 0: there is none. Any thread. */
pid_t dx_spawner_pid(struct dx_spawner *spawner);

/** The channel with `index` below channel_count. It lives as long as the spawner. */
struct dx_spawner_channel *dx_spawner_channel(struct dx_spawner *spawner, uint32_t index);

struct dx_spawner_channel_callbacks {
    /*
     * The spawner has died. on_failed or on_exited has been called for each child. Stop watching
     * the descriptor, which is closed when this returns. Reopen later, not from here.
     */
    void (*on_lost)(void *user);
    /* Whether dx_spawner_channel_ready must also be called when the descriptor is writable. */
    void (*on_want_write)(void *user, bool wanted);
};

/**
 * Sets the callbacks, which must outlive the channel. To be called before all else on the channel.
 */
void dx_spawner_channel_attach(struct dx_spawner_channel *channel,
                               const struct dx_spawner_channel_callbacks *callbacks, void *user);

/**
 * The descriptor to watch for reading, level-triggered; -1: the spawner is lost. The channel closes
 * it.
 */
int dx_spawner_channel_fd(const struct dx_spawner_channel *channel);

/**
 * To be called when the descriptor is readable or writable. Calls the callbacks of children, at
 * most a few hundred.
 */
void dx_spawner_channel_ready(struct dx_spawner_channel *channel);

/**
 * After on_lost: gives the channel a new descriptor. The first channel to ask starts a new spawner.
 *
 * Returns DX_OK, or:
 *   DX_ERR_AGAIN   processes of the dead spawner are still being killed; try again in milliseconds
 *   DX_ERR_STATE   the channel is not lost
 *   and as dx_spawner_start
 */
DX_MUST_CHECK enum dx_err dx_spawner_channel_reopen(struct dx_spawner_channel *channel);

struct dx_child;

/*
 * Each start ends with one call of either on_failed or on_exited. The child is unused then: it may
 * be started again, or freed.
 */
struct dx_child_callbacks {
    void (*on_started)(struct dx_child *child); /* child->pid is set */
    void (*on_failed)(struct dx_child *child, int error, enum dx_spawn_step step);
    /* `status` as from wait(2); SIGKILL if the spawner was lost */
    void (*on_exited)(struct dx_child *child, int status);
};

/*
 * A program, embedded in its owner. All zero at first. The owner may read `pid`; the channel uses
 * the rest.
 */
struct dx_child {
    const struct dx_child_callbacks *callbacks;
    void *user;
    pid_t pid; /* 0: it has not started */
    uint32_t slot;
    struct dx_spawner_channel *channel; /* NULL: it is not in use */
};

struct dx_child_spec {
    const char *path;          /* absolute: see dx_program_find */
    char *const *argv;         /* at least one; ends with NULL */
    char *const *env;          /* the whole environment; ends with NULL */
    const char *directory;     /* working directory; NULL: that of the spawner */
    int fds[DX_SPAWN_STREAMS]; /* become stdin, stdout and stderr; may be equal */
};

/**
 * Starts a program in a session of its own. The answer comes by a callback of the child, never
 * within this call. `callbacks` must outlive the child. Everything in `spec` is copied, its
 * descriptors too if they have to wait, so that the caller may free and close all of it right after
 * this call.
 *
 * Returns DX_OK, or:
 *   DX_ERR_STATE         the child is in use
 *   DX_ERR_USAGE         there are no arguments, or the path is not absolute
 *   DX_ERR_TOO_BIG       more than DX_SPAWN_MESSAGE_MAX bytes or DX_SPAWN_STRINGS_MAX strings
 *   DX_ERR_TOO_MANY      the channel's share of DX_SPAWN_PROGRAMS_MAX is in use
 *   DX_ERR_QUEUE_FULL    DX_SPAWNER_QUEUE_MAX: the spawner does not keep up
 *   DX_ERR_CLOSED        the spawner is lost
 *   DX_ERR_DESCRIPTORS   no descriptor is free for the queue, or too many are in flight
 *   DX_ERR_NOMEM, DX_ERR_SYSTEM
 */
DX_MUST_CHECK enum dx_err dx_child_start(struct dx_spawner_channel *channel, struct dx_child *child,
                                         const struct dx_child_callbacks *callbacks, void *user,
                                         const struct dx_child_spec *spec);

/** The `user` of dx_child_start. */
void *dx_child_user(const struct dx_child *child);

/**
 * Sends `signal` to the whole session of the program, after its start. Does nothing if the child is
 * not in use. If the socket has no room, only the last signal is sent.
 */
void dx_child_kill(struct dx_child *child, int signal);

/**
 * For an owner that is freed first: no callback of the child is called any more. Kill the child
 * before.
 */
void dx_child_forget(struct dx_child *child);

/** Whether the child is starting or running. */
bool dx_child_is_active(const struct dx_child *child);

/** The name of a step, for a log line, such as "exec" or "working directory"; never NULL. */
const char *dx_spawn_step_text(enum dx_spawn_step step);

/**
 * Finds the executable file of the command `name`, as execvp would: a name with a slash is relative
 * to the current directory, another is looked up in the colon-separated `path_list` (NULL: the
 * system's default). Writes an absolute path. Blocks on the file system: for start-up, not for each
 * connection.
 *
 * Returns DX_OK, or:
 *   DX_ERR_NOT_FOUND
 *   DX_ERR_ACCESS      the file exists, but is not executable
 *   DX_ERR_TOO_BIG     the path is longer than out_len
 *   DX_ERR_SYSTEM      there is no current directory
 */
DX_MUST_CHECK enum dx_err dx_program_find(const char *name, const char *path_list, char *out,
                                          size_t out_len);

#endif
