/*
 * spawner_internal.h - the inside of spawner.h, for spawner_*.c only.
 */
#ifndef DX_BRIDGE_SPAWNER_INTERNAL_H
#define DX_BRIDGE_SPAWNER_INTERNAL_H

#include <pthread.h>
#include <sys/types.h>

#include "bridge/spawner/spawner.h"

enum dx_spawner_state {
    DX_SPAWNER_RUNNING,  /* or dead, which has not been noticed yet */
    DX_SPAWNER_CLEANING, /* a thread kills and reaps what the dead spawner has left */
    DX_SPAWNER_LOST,     /* done; a new spawner can be started */
};

/* A program from its START to FAILED or EXITED, whether or not its owner has forgotten it. */
struct dx_spawner_slot {
    struct dx_child *child; /* NULL: forgotten */
    uint32_t generation;    /* distinguishes the ids that one slot has had */
    uint32_t next_free;     /* DX_SPAWNER_NO_SLOT at the end */
    uint32_t next_kill;     /* in the list of slots whose signal has not been sent */
    uint8_t signal;         /* that signal; 0: none is wanted any more */
    bool in_kills;
    bool in_use;
    bool is_started;
};

#define DX_SPAWNER_NO_SLOT UINT32_MAX

/* A START that waits for room in the socket, with copies of its descriptors. */
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
    bool wants_write; /* the last value of on_want_write */
    uint32_t index;
    uint32_t generation; /* of the spawner at the other end of fd */
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
    bool made_subreaper; /* by this spawner, which undoes it */

    pthread_mutex_t lock; /* protects the members from here to the channels */
    enum dx_spawner_state state;
    uint32_t generation;
    pid_t pid;
    int pidfd;
    pthread_t cleaner;
    bool has_cleaner;                       /* the thread must be joined */
    int channel_fds[DX_SPAWN_CHANNELS_MAX]; /* of a new spawner, until each channel takes its own */

    struct dx_spawner_channel channels[];
};

/**
 * A channel has found the spawner of this generation dead. It is ended for good, and the first such
 * call starts the cleaning.
 */
void dx_spawner_lose(struct dx_spawner *spawner, uint32_t generation);

/** Drops the queue and forgets all children, without a callback. */
void dx_spawner_channel_release(struct dx_spawner_channel *channel);

/**
 * Executes `spawner->path` with new channel_fds, and sets pid and pidfd. The lock must be held.
 * Errors as of dx_spawner_start.
 */
enum dx_err dx_spawner_execute(struct dx_spawner *spawner);

/** A close-on-exec pidfd of `pid`; -1 and errno on failure. */
int dx_pidfd_open(pid_t pid);

/** Sends SIGKILL to the process of the pidfd, if it still exists. */
void dx_pidfd_kill(int pidfd);

/**
 * The path of the executable, chosen as dx_spawner_options says; freed by the caller. NULL: out of
 * memory.
 */
char *dx_spawner_locate(const char *path);

/** Kills and reaps all children of this process until none is left, for at most `timeout_ms`. */
void dx_orphans_end(int timeout_ms);

/**
 * Makes the START message of `spec` with `id`, to be queued or sent; without descriptors. Freed by
 * the caller.
 *
 * Returns DX_OK, DX_ERR_USAGE, DX_ERR_TOO_BIG, DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_spawner_message_new(const struct dx_child_spec *spec, uint64_t id,
                                                 struct dx_spawner_queued **out);

/** Sends a message with three descriptors. Returns 0 or errno. */
int dx_spawner_message_send(int fd, const struct dx_spawner_queued *message, const int *fds);

/** Frees the message and closes its descriptors that are not negative. NULL is fine. */
void dx_spawner_message_free(struct dx_spawner_queued *message);

#endif
