/*
 * spawner_internal.h - the inside of spawner.h, for its own files (spawner_*.c) only.
 */
#ifndef DX_BRIDGE_SPAWNER_INTERNAL_H
#define DX_BRIDGE_SPAWNER_INTERNAL_H

#include <pthread.h>
#include <sys/types.h>

#include "bridge/spawner/spawner.h"

enum dx_spawner_state {
    DX_SPAWNER_RUNNING,  /* or dead, and nobody has seen it yet */
    DX_SPAWNER_CLEANING, /* a thread kills and reaps what the dead one left */
    DX_SPAWNER_LOST,     /* that is done; a new one can be started */
};

/* One program from its START to FAILED or EXITED, whether or not its owner still wants to know. */
struct dx_spawner_slot {
    struct dx_child *child; /* NULL once forgotten */
    uint32_t generation;    /* tells the ids of one slot apart */
    uint32_t next_free;     /* DX_SPAWNER_NO_SLOT at the end */
    uint32_t next_kill;     /* of the list of those with a signal that is not sent yet */
    uint8_t signal;         /* that signal, 0 if none is wanted any more */
    bool in_kills;
    bool in_use;
    bool is_started;
};

#define DX_SPAWNER_NO_SLOT UINT32_MAX

/* A START that waits for room in the socket, with its own copies of the descriptors. */
struct dx_spawner_queued {
    struct dx_spawner_queued *next;
    int fds[DX_SPAWN_STREAMS];
    size_t len;
    _Alignas(8) char bytes[];
};

struct dx_spawner_channel {
    struct dx_spawner *spawner;
    const struct dx_spawner_channel_callbacks *callbacks;
    void *user;
    int fd;           /* -1: lost */
    bool is_lost;     /* set before fd is closed */
    bool wants_write; /* what the owner was told last */
    uint32_t index;
    uint32_t generation; /* of the spawner that fd leads to */
    struct dx_spawner_slot *slots;
    uint32_t slot_count;
    uint32_t slot_max;
    uint32_t first_free;
    uint32_t first_kill;
    struct dx_spawner_queued *queue;
    struct dx_spawner_queued **queue_end;
    size_t queue_len; /* bytes */
};

struct dx_spawner {
    char *path;
    uint64_t descriptor_limit;
    uint32_t channel_count;
    bool owns_children;
    bool made_subreaper; /* by us: to be undone */

    pthread_mutex_t lock; /* over what follows, up to the channels */
    enum dx_spawner_state state;
    uint32_t generation;
    pid_t pid;
    int pidfd;
    pthread_t cleaner;
    bool has_cleaner;                       /* to be joined */
    int channel_fds[DX_SPAWN_CHANNELS_MAX]; /* of a new spawner, until the channel takes its own */

    struct dx_spawner_channel channels[];
};

/**
 * The channel's spawner, seen dead by it, is ended for good; the first to say so starts the
 * cleaning.
 */
void dx_spawner_lose(struct dx_spawner *spawner, uint32_t generation);

/** Drops what waits and forgets all children, without a callback. */
void dx_spawner_channel_release(struct dx_spawner_channel *channel);

/**
 * Runs `spawner->path` with a new channel_fds each, and sets pid and pidfd. Under the lock. Errors
 * as of dx_spawner_start.
 */
enum dx_err dx_spawner_execute(struct dx_spawner *spawner);

/** A pidfd of `pid`, close-on-exec; -1 with errno. */
int dx_pidfd_open(pid_t pid);

/** Sends SIGKILL to the process of the pidfd, if it still exists. */
void dx_pidfd_kill(int pidfd);

/**
 * The path of the executable (heap, the caller's), by the rule of dx_spawner_options; NULL: out of
 * memory.
 */
char *dx_spawner_locate(const char *path);

/** Kills and reaps every child of this process until none is left, for at most `timeout_ms`. */
void dx_orphans_end(int timeout_ms);

/**
 * The START message for `spec` under `id` as a packet to queue or to send (heap, the caller's;
 * without descriptors). Errors: DX_ERR_USAGE, DX_ERR_TOO_BIG, DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_spawner_message_new(const struct dx_child_spec *spec, uint64_t id,
                                                 struct dx_spawner_queued **out);

/** Sends a packet with three descriptors; 0 or errno. */
int dx_spawner_message_send(int fd, const struct dx_spawner_queued *message, const int *fds);

/** Frees the packet and closes the descriptors that are not negative. NULL is fine. */
void dx_spawner_message_free(struct dx_spawner_queued *message);

#endif
