/*
 * loop_parts.h - what a loop is made of; for the files of net/ that are parts of it (loop, post, random, watch, timers).
 */
#ifndef DX_NET_LOOP_PARTS_H
#define DX_NET_LOOP_PARTS_H

#include "net/loop/large.h"
#include "net/loop/loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <uv.h>

/* One epoll_wait brings at most so many; then libuv has its turn (timers, posts) before the rest. */
#define DX_EVENTS_PER_TURN 1024

#define DX_MAX_POSTS 65536
#define DX_RANDOM_KEPT 512

struct dx_post {
    void (*call)(void *data); /* NULL: taken back */
    void *data;
};

/* Calls from other threads: one array is filled under the lock while the other one is run. */
struct dx_posts {
    pthread_mutex_t lock;
    struct dx_post *waiting;
    size_t count;
    size_t room;
    struct dx_post *running; /* the loop's thread alone */
    size_t running_count;
};

struct dx_random {
    uint8_t bytes[DX_RANDOM_KEPT];
    size_t used; /* bytes before it were handed out */
};

struct dx_loop {
    uv_loop_t *uv; /* own_uv, or somebody else's */
    uv_loop_t own_uv;
    uv_async_t async;
    uv_poll_t poll;
    uv_timer_t timer;
    uv_prepare_t prepare;
    uv_check_t check;
    int handle_count; /* of these, in this order: on the uv loop and not yet closed */
    int epoll_fd;
    bool is_running;
    uint64_t armed_ms; /* what uv's timer is set to; UINT64_MAX: not set */
    size_t hold_count;
    struct dx_loop_slot *slots; /* of higher rooms */
    atomic_bool is_stopped;
    _Atomic(pthread_t) thread; /* that ran it last, or made it */
    struct dx_turn_task flush; /* heads of circular lists */
    struct dx_turn_task frees;
    struct dx_pool pool;
    struct dx_wheel wheel;
    struct dx_large_store large;
    struct dx_posts posts;
    struct dx_random random;
    size_t before_watch; /* bytes around a watch, to be fetched ahead */
    size_t behind_watch;
    struct epoll_event events[DX_EVENTS_PER_TURN];
    int event_index; /* the next of the batch to be told */
    int event_count; /* 0 outside of a batch */
    uint8_t read_buffer[DX_READ_ROOM + DX_READ_SIZE];
};

/** Makes a loop on `uv`; NULL: on one of its own. */
DX_MUST_CHECK enum dx_err dx_loop_make(uv_loop_t *uv, struct dx_loop **loop);

static inline bool dx_loop_is_guest(const struct dx_loop *loop)
{
    return loop->uv != &loop->own_uv;
}

/* loop_uv.c: ends the handles on a uv loop that is not ours, and frees the loop's memory when uv has let go of the last. */
void dx_loop_leave_uv(struct dx_loop *loop);

/* watch.c: tells the watches of the epoll set what is ready. */
void dx_loop_poll_watches(struct dx_loop *loop);

/* post.c */
DX_MUST_CHECK enum dx_err dx_posts_init(struct dx_posts *posts);
void dx_posts_release(struct dx_posts *posts);
bool dx_posts_are_waiting(struct dx_posts *posts);
void dx_posts_run(struct dx_posts *posts);

#endif
