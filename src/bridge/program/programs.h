/*
 * programs.h - the inside of <duplex/program.h>: the spawner, one channel a loop, the cap, the routes.
 */
#ifndef DX_BRIDGE_PROGRAMS_H
#define DX_BRIDGE_PROGRAMS_H

#include <pthread.h>
#include <stdatomic.h>

#include <duplex/program.h>

#include "bridge/framing/framing.h"
#include "bridge/program/environment.h"
#include "bridge/spawner/spawner.h"
#include "net/loop/watch.h"
#include "server/server.h"

struct dx_program;

/* What one loop has: touched by its thread only. */
struct dx_programs_shard {
    struct dx_programs *programs;
    struct dx_loop *loop;
    struct dx_spawner_channel *channel;
    struct dx_watch watch;
    struct dx_timer timer;    /* tries again what has failed for want of memory or of a spawner */
    struct dx_program *first; /* all programs of this loop */
    bool is_open;
    bool failure_is_told; /* that the spawner cannot be started */
    bool wants_write;     /* starts wait for room in the channel */
    bool is_told;         /* to close; the server's loop's */
};

/*
 * Shared by the loops, each of which has a shard. Its routes hold a reference each: a late request
 * on another thread's loop finds its shard closed.
 */
struct dx_programs {
    struct dx_server *server;
    size_t
        reference_count; /* the routes, and the user until dx_programs_free; the server's loop's */
    struct dx_programs_options options;
    struct dx_spawner *spawner;
    struct dx_programs_shard *shards;
    size_t shard_count;
    atomic_size_t count; /* programs */
    bool ignores_sigpipe;
    struct dx_loop *loop; /* the server's own: what follows belongs to it, but for what is locked */

    /* the closing */
    atomic_bool is_closing; /* on_closed is due: loops report what it waits for */
    void (*on_closed)(void *user);
    void *user;
    struct dx_timer close_timer; /* looks at once, or again where memory was short */
    void (*advance)(void *programs);
    pthread_mutex_t lock;
    pthread_cond_t all_closed;
    size_t open_count; /* locked: shards that have not been closed */
    bool is_freeing;   /* locked: dx_programs_free waits, so that no report is needed */
};

/* A route's options, resolved and copied. */
struct dx_program_route {
    struct dx_programs *programs;
    struct dx_route route;
    struct dx_program_options options; /* its pointers are the copies below */
    const struct dx_framing_ops *framing;
    char *path; /* of the executable, absolute */
    char **argv;
    struct dx_environment environment; /* what each program gets, before its request's */
    char *directory;
};

/* shard.c */
/** The shard of a loop. */
struct dx_programs_shard *dx_programs_shard_of(struct dx_programs *programs, struct dx_loop *loop);
/** Prepares the shard of the server's loop `index`, which is opened on its own thread. */
void dx_programs_shard_init(struct dx_programs *programs, size_t index);
void dx_programs_shard_open(void *shard);
/** Reports that the shard is closed, at last; afterwards all of this may be gone. */
void dx_programs_shard_closed(struct dx_programs_shard *shard);
/** Takes a place under max_programs; false when none is free. Gives it back. */
bool dx_programs_enter(struct dx_programs *programs);
void dx_programs_leave(struct dx_programs_shard *shard);
/** Puts a program on its shard's list, and takes it off. */
void dx_programs_list(struct dx_program *program);
void dx_programs_unlist(struct dx_program *program);

/* programs.c */
/** Gives a reference back; the last one frees the memory. On the server's loop. */
void dx_programs_unref(struct dx_programs *programs);

#endif
