/*
 * post.c - calls from other threads. Besides uv's async handle, the only part of a loop that they
 * touch.
 */
#include "net/loop/loop_parts.h"

#include <stdlib.h>

#define FIRST_ROOM 64
#define KEPT_ROOM 4096 /* a larger array is freed after its run */

enum dx_err dx_posts_init(struct dx_posts *posts)
{
    *posts = (struct dx_posts){.waiting = NULL};
    return pthread_mutex_init(&posts->lock, NULL) == 0 ? DX_OK : DX_ERR_SYSTEM;
}

void dx_posts_release(struct dx_posts *posts)
{
    free(posts->waiting);
    pthread_mutex_destroy(&posts->lock);
}

bool dx_posts_are_waiting(struct dx_posts *posts)
{
    bool are_waiting;

    pthread_mutex_lock(&posts->lock);
    are_waiting = posts->count > 0;
    pthread_mutex_unlock(&posts->lock);
    return are_waiting;
}

static enum dx_err add(struct dx_posts *posts, struct dx_post post)
{
    if (posts->count == DX_MAX_POSTS)
        return DX_ERR_QUEUE_FULL;
    if (posts->count == posts->room) {
        size_t room = posts->room ? posts->room * 2 : FIRST_ROOM;
        struct dx_post *grown = realloc(posts->waiting, room * sizeof(*grown));

        if (!grown)
            return DX_ERR_NOMEM;
        posts->waiting = grown;
        posts->room = room;
    }
    posts->waiting[posts->count++] = post;
    return DX_OK;
}

enum dx_err dx_loop_post(struct dx_loop *loop, void (*call)(void *data), void *data)
{
    struct dx_posts *posts = &loop->posts;
    enum dx_err err;
    bool is_first;

    pthread_mutex_lock(&posts->lock);
    is_first = posts->count == 0;
    err = add(posts, (struct dx_post){call, data});
    /* Under the lock: once it is released the loop may run the call, and be freed after it. */
    if (!err && is_first)
        uv_async_send(&loop->async);
    pthread_mutex_unlock(&posts->lock);
    return err;
}

static void forget(struct dx_post *posts, size_t count, const void *data)
{
    for (size_t i = 0; i < count; i++)
        if (posts[i].data == data)
            posts[i].call = NULL;
}

void dx_loop_post_cancel(struct dx_loop *loop, const void *data)
{
    struct dx_posts *posts = &loop->posts;

    forget(posts->running, posts->running_count, data);
    pthread_mutex_lock(&posts->lock);
    forget(posts->waiting, posts->count, data);
    pthread_mutex_unlock(&posts->lock);
}

void dx_posts_run(struct dx_posts *posts)
{
    struct dx_post *batch;
    size_t count;
    size_t room;

    pthread_mutex_lock(&posts->lock);
    batch = posts->waiting;
    count = posts->count;
    room = posts->room;
    posts->waiting = NULL;
    posts->count = 0;
    posts->room = 0;
    pthread_mutex_unlock(&posts->lock);

    posts->running = batch;
    posts->running_count = count;
    for (size_t i = 0; i < count; i++)
        if (batch[i].call)
            batch[i].call(batch[i].data);
    posts->running = NULL;
    posts->running_count = 0;

    pthread_mutex_lock(&posts->lock);
    if (!posts->waiting && room <= KEPT_ROOM) {
        posts->waiting = batch;
        posts->room = room;
        batch = NULL;
    }
    pthread_mutex_unlock(&posts->lock);
    free(batch);
}
