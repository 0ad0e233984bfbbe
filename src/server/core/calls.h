/*
 * calls.h - what other threads ask of a shard's connections by id: one queue for each shard, run on
 * its loop in order.
 *
 * The queue holds at most DX_CALLS_MAX calls, and of their bytes at most the shard's share of
 * max_memory. A call that was added runs exactly once; when the server is freed before, without a
 * connection.
 */
#ifndef DX_SERVER_CALLS_H
#define DX_SERVER_CALLS_H

#include <duplex/error.h>

#include <pthread.h>

#define DX_CALLS_MAX 65536

struct dx_connection;
struct dx_shard;

/* A call; embedded in what it needs to know. */
struct dx_call {
    struct dx_call *next;
    uint64_t id; /* of the connection; 0: it concerns no particular one */
    size_t len;  /* bytes that it is counted with */
    /*
     * Runs on the shard's loop, or in dx_server_free, and frees the call. `connection` is NULL when
     * none with that id is left.
     */
    void (*run)(struct dx_call *call, struct dx_shard *shard, struct dx_connection *connection);
};

struct dx_call_list {
    struct dx_call *first;
    struct dx_call **end; /* where the next one is linked */
};

struct dx_calls {
    pthread_mutex_t lock;
    struct dx_call_list waiting; /* while it is not empty, a post to the loop is on its way */
    size_t count;                /* of the waiting ones; `len` is their bytes */
    size_t len;
    struct dx_call_list running; /* taken and not yet run; the loop's thread only */
};

/** Returns DX_OK, DX_ERR_SYSTEM. */
DX_MUST_CHECK enum dx_err dx_calls_init(struct dx_calls *calls);

/** Nothing may be left in it. */
void dx_calls_release(struct dx_calls *calls);

/**
 * Adds a call. Any thread.
 *
 * Returns DX_OK, or DX_ERR_NOMEM, DX_ERR_QUEUE_FULL: the call is still the caller's.
 */
DX_MUST_CHECK enum dx_err dx_calls_add(struct dx_shard *shard, struct dx_call *call);

/** Runs what waits without a connection. When no other thread can add calls any more. */
void dx_calls_drop(struct dx_shard *shard);

#endif
