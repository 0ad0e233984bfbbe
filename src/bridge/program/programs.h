/*
 * programs.h - the inside of <duplex/program.h>: the spawner, a shard for each loop, the routes.
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

/* The part of one loop. Only that loop's thread uses it. */
struct dx_programs_shard {
    struct dx_programs *programs;
    struct dx_loop *loop;
    struct dx_spawner_channel *channel;
    struct dx_watch watch;
    struct dx_timer timer;    /* tries again what failed for want of memory or of a spawner */
    struct dx_program *first; /* all programs of this loop */
    bool is_open;
    bool failure_is_logged; /* that the spawner cannot be started has been logged */
    bool wants_write;       /* starts wait for room in the channel */
    bool close_is_posted;   /* only the server's own loop uses it */
};

/*
 * Shared by the loops. Each route holds a reference, because another thread's loop may still bring
 * a request after dx_programs_free; it finds its shard closed.
 */
struct dx_programs {
    struct dx_server *server;
    size_t reference_count; /* routes, and the user until dx_programs_free */
    struct dx_programs_options options;
    struct dx_spawner *spawner;
    struct dx_programs_shard *shards;
    size_t shard_count;
    atomic_size_t count; /* programs */
    bool ignores_sigpipe;
    struct dx_loop *loop; /* the server's own */

    /*
     * Closing. Only the server's own loop uses these, except for those that are atomic or locked.
     */
    atomic_bool is_closing; /* dx_programs_close was called: loops report their progress */
    void (*on_closed)(void *user);
    void *user;
    struct dx_timer close_timer; /* calls advance, at once or after a failed post */
    void (*advance)(void *programs);
    pthread_mutex_t lock;
    pthread_cond_t all_closed;
    size_t open_count; /* locked: shards that are not closed */
    bool is_freeing;   /* locked: dx_programs_free waits, so that no report is needed */
};

/* A route with its options, resolved and copied. */
struct dx_program_route {
    struct dx_programs *programs;
    struct dx_route route;
    struct dx_program_options options; /* pointers lead to the copies below */
    const struct dx_framing_ops *framing;
    char *path; /* of the executable, absolute */
    char **argv;
    struct dx_environment environment; /* without the request's variables */
    char *directory;
};

/* shard.c */
/** The shard of a loop. */
struct dx_programs_shard *dx_programs_shard_of(struct dx_programs *programs, struct dx_loop *loop);
/** Prepares the shard of the server's loop `index`, and opens it, on its own thread. */
void dx_programs_shard_init(struct dx_programs *programs, size_t index);
void dx_programs_shard_open(void *shard);
/** Reports that the shard is closed. Afterwards all of this may have been freed. */
void dx_programs_shard_closed(struct dx_programs_shard *shard);
/** Counts one more program, unless there are max_programs (false). Counts one less. */
bool dx_programs_enter(struct dx_programs *programs);
void dx_programs_leave(struct dx_programs_shard *shard);
/** Puts a program into the list of its shard. Takes it out, if it is in. */
void dx_programs_list(struct dx_program *program);
void dx_programs_unlist(struct dx_program *program);

/* programs.c */
/** Gives a reference back; the last one frees the memory. On the server's loop. */
void dx_programs_unref(struct dx_programs *programs);

#endif
