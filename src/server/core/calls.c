/*
 * calls.c - the queue of calls by id of one shard. What the calls do is in connections/by_id.c.
 */
#include "server/core/calls.h"

#include "base/container.h"
#include "server/core/shard.h"

static void clear(struct dx_call_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static void append(struct dx_call_list *list, struct dx_call *call)
{
    call->next = NULL;
    *list->end = call;
    list->end = &call->next;
}

static void move(struct dx_call_list *from, struct dx_call_list *to)
{
    if (from->first == NULL)
        return;
    *to->end = from->first;
    to->end = from->end;
    clear(from);
}

static struct dx_call *take_first(struct dx_call_list *list)
{
    struct dx_call *call = list->first;

    if (call == NULL)
        return NULL;
    list->first = call->next;
    if (list->first == NULL)
        list->end = &list->first;
    return call;
}

enum dx_err dx_calls_init(struct dx_calls *calls)
{
    clear(&calls->waiting);
    clear(&calls->running);
    calls->count = 0;
    calls->len = 0;
    return pthread_mutex_init(&calls->lock, NULL) == 0 ? DX_OK : DX_ERR_SYSTEM;
}

void dx_calls_release(struct dx_calls *calls)
{
    (void)pthread_mutex_destroy(&calls->lock);
}

static void take_all(struct dx_calls *calls)
{
    (void)pthread_mutex_lock(&calls->lock);
    move(&calls->waiting, &calls->running);
    calls->count = 0;
    calls->len = 0;
    (void)pthread_mutex_unlock(&calls->lock);
}

/*
 * A call may free the server. Then the others are gone from the list, and the shard lives until the
 * turn's end.
 */
static void on_posted(void *data)
{
    struct dx_calls *calls = data;
    struct dx_shard *shard = dx_container_of(calls, struct dx_shard, calls);
    struct dx_call *call;

    take_all(calls);
    while ((call = take_first(&calls->running)) != NULL)
        call->run(call, shard, call->id != 0 ? dx_registry_find(&shard->registry, call->id) : NULL);
}

static enum dx_err add(struct dx_shard *shard, struct dx_call *call, size_t max_len)
{
    struct dx_calls *calls = &shard->calls;

    if (calls->count == DX_CALLS_MAX || call->len > max_len || calls->len > max_len - call->len)
        return DX_ERR_QUEUE_FULL;
    if (calls->waiting.first == NULL) {
        enum dx_err err = dx_loop_post(shard->loop, on_posted, calls);

        if (err != DX_OK)
            return err;
    }
    append(&calls->waiting, call);
    calls->count++;
    calls->len += call->len;
    return DX_OK;
}

enum dx_err dx_calls_add(struct dx_shard *shard, struct dx_call *call)
{
    const struct dx_server *server = shard->server;
    enum dx_err err;

    (void)pthread_mutex_lock(&shard->calls.lock);
    err = add(shard, call,
              (size_t)(server->settings.options.max_memory / server->settings.options.threads));
    (void)pthread_mutex_unlock(&shard->calls.lock);
    return err;
}

void dx_calls_drop(struct dx_shard *shard)
{
    struct dx_calls *calls = &shard->calls;
    struct dx_call *call;

    if (shard->loop == NULL)
        return;
    dx_loop_post_cancel(shard->loop, calls);
    take_all(calls);
    while ((call = take_first(&calls->running)) != NULL)
        call->run(call, shard, NULL);
}
