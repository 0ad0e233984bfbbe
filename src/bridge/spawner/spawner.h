/*
 * spawner.h - the server's side of duplex-spawner: start programs, signal them, learn of their end.
 *
 * Nothing here blocks a loop: a start is one packet out, and everything that comes back comes when
 * the channel's descriptor is readable. Not responsible for watching that descriptor, for the pipes
 * of a program, for the ladder of signals, or for restarting anything by itself.
 *
 * A `struct dx_spawner` is one for the process: it is the running executable. It has a number of
 * channels, one for each loop; a channel and its children belong to that loop's thread. Everything
 * that waits has a bound: DX_SPAWN_PROGRAMS_MAX programs over all channels, DX_SPAWNER_QUEUE_MAX
 * bytes of starts a channel.
 *
 * Whichever of the two processes is killed, the other ends every descendant in milliseconds. If
 * both are killed at the same moment only the parent-death signal is left: programs end, but not
 * what they have detached.
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
    DX_SPAWNER_STOP_MS = 2000,              /* dx_spawner_stop gives the spawner this long */
    DX_SPAWNER_CLEAN_MS = 5000,             /* and so long may killing what a dead one left take */
};

struct dx_spawner;
struct dx_spawner_channel;

struct dx_spawner_options {
    /*
     * The executable. NULL: `duplex-spawner` beside the program that runs, else where it was
     * installed.
     */
    const char *path;
    uint32_t channel_count; /* 1 to DX_SPAWN_CHANNELS_MAX */
    /*
     * Soft limit of descriptors that programs get, usually the process's own before it was raised;
     * 0: inherited.
     */
    uint64_t descriptor_limit;
    /*
     * Every child of this process belongs to the spawner. Then the process becomes a subreaper, and
     * if the spawner dies all children that come to it are killed and reaped. Only the program
     * itself can promise this, never a library that runs inside somebody else's process. Without it
     * only the parent-death signal ends programs then.
     */
    bool owns_children;
};

/**
 * Starts the spawner. It leaves the terminal's session, and keeps stderr. On success *out is the
 * caller's, for dx_spawner_stop. Any thread.
 *
 * DX_ERR_USAGE: channel_count is out of range. DX_ERR_NOT_FOUND, DX_ERR_ACCESS, DX_ERR_SPAWN: no
 * executable, not allowed to run it, it could not be run. DX_ERR_DESCRIPTORS, DX_ERR_NOMEM,
 * DX_ERR_SYSTEM: as they say.
 */
DX_MUST_CHECK enum dx_err dx_spawner_start(const struct dx_spawner_options *options,
                                           struct dx_spawner **out);

/**
 * Kills every program, ends the spawner, and frees it with its channels; returns within
 * DX_SPAWNER_STOP_MS + DX_SPAWNER_CLEAN_MS, normally in milliseconds. No callback is called:
 * children still known are forgotten. No channel may be in use on another thread any more. NULL is
 * fine.
 */
void dx_spawner_stop(struct dx_spawner *spawner);

/** The process id of the spawner, 0 while there is none. Any thread. */
pid_t dx_spawner_pid(struct dx_spawner *spawner);

/** The channel with `index` below channel_count. It lives as long as the spawner. */
struct dx_spawner_channel *dx_spawner_channel(struct dx_spawner *spawner, uint32_t index);

struct dx_spawner_channel_callbacks {
    /*
     * The spawner died. Each child has had its on_failed or on_exited. Stop watching the
     * descriptor: it is closed when this returns. Reopen later, not from here.
     */
    void (*on_lost)(void *user);
    /*
     * Call dx_spawner_channel_ready when the descriptor is writable, too (true), or no more
     * (false).
     */
    void (*on_want_write)(void *user, bool wanted);
};

/** Names who is told. `callbacks` must outlive the channel. Before anything else on the channel. */
void dx_spawner_channel_attach(struct dx_spawner_channel *channel,
                               const struct dx_spawner_channel_callbacks *callbacks, void *user);

/**
 * The descriptor to watch for reading, level-triggered; -1 while the spawner is lost. The channel
 * closes it.
 */
int dx_spawner_channel_fd(const struct dx_spawner_channel *channel);

/**
 * The descriptor is readable or writable: calls the children's callbacks, at most a few hundred a
 * call.
 */
void dx_spawner_channel_ready(struct dx_spawner_channel *channel);

/**
 * After on_lost: gives the channel a descriptor again. The first channel to ask starts a new
 * spawner.
 *
 * DX_ERR_AGAIN: what the dead one left is still being killed; ask again in some milliseconds.
 * DX_ERR_STATE: the channel is not lost. Else as dx_spawner_start.
 */
DX_MUST_CHECK enum dx_err dx_spawner_channel_reopen(struct dx_spawner_channel *channel);

struct dx_child;

/*
 * Each start ends in exactly one of on_failed and on_exited. In both the child is free already: it
 * may be started anew, or its memory given back.
 */
struct dx_child_callbacks {
    void (*on_started)(struct dx_child *child); /* child->pid is set */
    void (*on_failed)(struct dx_child *child, int error, enum dx_spawn_step step);
    /* `status` as of wait(2); SIGKILL if the spawner was lost. */
    void (*on_exited)(struct dx_child *child, int status);
};

/*
 * A program, embedded in what it belongs to. Zero it first; `pid` may be read, the rest is the
 * channel's.
 */
struct dx_child {
    const struct dx_child_callbacks *callbacks;
    void *user;
    pid_t pid; /* 0 until it has started */
    uint32_t slot;
    struct dx_spawner_channel *channel; /* NULL unless it is starting or running */
};

struct dx_child_spec {
    const char *path;          /* absolute; dx_program_find makes it so */
    char *const *argv;         /* NULL at the end, at least one */
    char *const *env;          /* NULL at the end: the whole environment */
    const char *directory;     /* NULL: that of the server when it started the spawner */
    int fds[DX_SPAWN_STREAMS]; /* become stdin, stdout, stderr; two may be the same */
};

/**
 * Starts a program in a session of its own; the answer comes by a callback of the child, never from
 * within this call. `callbacks` must outlive the child. Everything in `spec` is copied, its
 * descriptors too where they must wait: all of it is still the caller's to close and free, right
 * after this call.
 *
 * DX_ERR_STATE: the child is in use. DX_ERR_USAGE: no arguments, or the path is not absolute.
 * DX_ERR_TOO_BIG: over DX_SPAWN_MESSAGE_MAX bytes or DX_SPAWN_STRINGS_MAX strings. DX_ERR_TOO_MANY:
 * the channel's share of DX_SPAWN_PROGRAMS_MAX is in use. DX_ERR_QUEUE_FULL: the spawner does not
 * keep up. DX_ERR_CLOSED: it is lost. DX_ERR_NOMEM. DX_ERR_DESCRIPTORS: none is free to wait in the
 * queue, or too many are in flight. DX_ERR_SYSTEM.
 */
DX_MUST_CHECK enum dx_err dx_child_start(struct dx_spawner_channel *channel, struct dx_child *child,
                                         const struct dx_child_callbacks *callbacks, void *user,
                                         const struct dx_child_spec *spec);

/** What was given to dx_child_start as `user`. */
void *dx_child_user(const struct dx_child *child);

/**
 * Sends `signal` to the program's whole session, in order with its start. Nothing happens if the
 * child is not in use. While the socket has no room the last signal wins.
 */
void dx_child_kill(struct dx_child *child, int signal);

/**
 * The owner goes away first: no callback of the child is called any more. Kill it before; its end
 * is dropped.
 */
void dx_child_forget(struct dx_child *child);

/** Whether the child is starting or running. */
bool dx_child_is_active(const struct dx_child *child);

/** Words for a step, for a log line: "exec", "working directory", never NULL. */
const char *dx_spawn_step_text(enum dx_spawn_step step);

/**
 * Finds the executable file for the command `name`, as execvp would: with a slash in it, taken from
 * the current directory; else in the colon-separated `path_list` (NULL: the system's default).
 * Writes an absolute path.
 *
 * DX_ERR_NOT_FOUND, DX_ERR_ACCESS (there, but not executable), DX_ERR_TOO_BIG (longer than
 * out_len), DX_ERR_SYSTEM (no current directory). Blocks on the file system: at start-up, not for
 * each connection.
 */
DX_MUST_CHECK enum dx_err dx_program_find(const char *name, const char *path_list, char *out,
                                          size_t out_len);

#endif
