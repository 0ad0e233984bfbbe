/*
 * loop_parts.h - the parts of a loop; only for the files of net/loop. Others include loop.h.
 */
#ifndef DX_NET_LOOP_PARTS_H
#define DX_NET_LOOP_PARTS_H

#include "net/loop/large.h"
#include "net/loop/loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <uv.h>

/* Most events from one epoll_wait; then libuv runs timers and posts before the rest. */
#define DX_EVENTS_PER_TURN 1024

#define DX_MAX_POSTS 65536
#define DX_RANDOM_KEPT 512

struct dx_post {
    void (*call)(void *data); /* NULL: cancelled */
    void *data;
};

/* Calls from other threads: one array is filled under the lock while the other one runs. */
struct dx_posts {
    pthread_mutex_t lock;
    struct dx_post *waiting;
    size_t count;
    size_t room;
    struct dx_post *running; /* used by the loop's thread only, without the lock */
    size_t running_count;
};

struct dx_random {
    uint8_t bytes[DX_RANDOM_KEPT];
    size_t used; /* bytes already handed out */
};

struct dx_loop {
    uv_loop_t *uv; /* own_uv, or the caller's (a guest loop) */
    uv_loop_t own_uv;
    uv_async_t async;
    uv_poll_t poll;
    uv_timer_t timer;
    uv_prepare_t prepare;
    uv_check_t check;
    int handle_count; /* of the five above, in this order: initialised and not yet closed */
    int epoll_fd;
    bool is_running;
    uint64_t armed_ms; /* when uv's timer fires; UINT64_MAX: not set */
    size_t hold_count;
    struct dx_loop_slot *slots; /* of higher layers */
    atomic_bool is_stopped;
    _Atomic(pthread_t) thread; /* see dx_loop_is_here */
    struct dx_turn_task flush; /* heads of circular lists */
    struct dx_turn_task frees;
    struct dx_pool pool;
    struct dx_wheel wheel;
    struct dx_large_store large;
    struct dx_posts posts;
    struct dx_random random;
    size_t before_watch; /* see dx_loop_expect_around_watch */
    size_t behind_watch;
    struct epoll_event events[DX_EVENTS_PER_TURN];
    int event_index; /* the next event of the batch */
    int event_count; /* 0 when no batch is being handled */
    uint8_t read_buffer[DX_READ_ROOM + DX_READ_SIZE];
};

/** Makes a loop on `uv`, or with NULL on a uv loop of its own. Errors as dx_loop_new. */
DX_MUST_CHECK enum dx_err dx_loop_make(uv_loop_t *uv, struct dx_loop **loop);

/** True on the caller's uv loop, which this library neither runs nor closes. */
static inline bool dx_loop_is_guest(const struct dx_loop *loop)
{
    return loop->uv != &loop->own_uv;
}

/** watch.c: calls the watches whose descriptors are ready. */
void dx_loop_poll_watches(struct dx_loop *loop);

/* post.c; posting is dx_loop_post. */

/** Returns DX_OK or DX_ERR_SYSTEM. */
DX_MUST_CHECK enum dx_err dx_posts_init(struct dx_posts *posts);
void dx_posts_release(struct dx_posts *posts);

/** True when calls are queued. Any thread. */
bool dx_posts_are_waiting(struct dx_posts *posts);

/** Runs the calls that are queued now; calls posted meanwhile wait for the next run. */
void dx_posts_run(struct dx_posts *posts);

#endif
