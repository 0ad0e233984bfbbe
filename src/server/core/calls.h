/*
 * calls.h - what other threads ask of a shard's connections by id: a queue a shard, run on its loop
 * in the order it was filled.
 *
 * Bounded: DX_CALLS_MAX calls, and of what is to be sent the shard's share of max_memory. A call
 * that was taken in is run once, or dropped once when the server is freed.
 */
#ifndef DX_SERVER_CALLS_H
#define DX_SERVER_CALLS_H

#include <duplex/error.h>

#include <pthread.h>

#define DX_CALLS_MAX 65536

struct dx_connection;
struct dx_shard;

/* Embedded in what a call needs to know. */
struct dx_call {
    struct dx_call *next;
    uint64_t id; /* 0: it is about no connection in particular */
    size_t len;  /* bytes that it counts for */
    /*
     * On the shard's loop, or in dx_server_free; frees. `connection` is NULL when there is none
     * with that id any more.
     */
    void (*run)(struct dx_call *call, struct dx_shard *shard, struct dx_connection *connection);
};

struct dx_call_list {
    struct dx_call *first;
    struct dx_call **end; /* where the next one is to be linked */
};

struct dx_calls {
    pthread_mutex_t lock;
    struct dx_call_list waiting; /* while it is not empty, the loop has a post */
    size_t count;                /* of those that wait, and their bytes */
    size_t len;
    struct dx_call_list running; /* the loop's thread alone: taken, and not yet run */
};

/** Returns DX_OK, DX_ERR_SYSTEM. */
DX_MUST_CHECK enum dx_err dx_calls_init(struct dx_calls *calls);

/** Nothing may wait in it. */
void dx_calls_release(struct dx_calls *calls);

/**
 * Takes a call in. Any thread. Returns DX_OK; DX_ERR_NOMEM, DX_ERR_QUEUE_FULL: it is the caller's
 * still.
 */
DX_MUST_CHECK enum dx_err dx_calls_add(struct dx_shard *shard, struct dx_call *call);

/** Drops what waits: each is run without a connection. When no other thread can add any more. */
void dx_calls_drop(struct dx_shard *shard);

#endif
