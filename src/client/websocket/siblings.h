/*
 * siblings.h - what the websockets of one loop have to do with one another: the end of their loop,
 * and turns at connecting to a host (RFC 6455 section 4.1: one connection to a host at a time).
 */
#ifndef DX_CLIENT_SIBLINGS_H
#define DX_CLIENT_SIBLINGS_H

#include "net/loop/loop.h"

struct dx_siblings; /* of one loop */
struct dx_sibling;

struct dx_sibling_handlers {
    /* The turn that it waited for has come. */
    void (*on_turn)(struct dx_sibling *sibling);
    /*
     * The loop is being freed: releases what it holds there. It may leave at any time from now on.
     */
    void (*on_loop_free)(struct dx_sibling *sibling);
};

/* Embedded in its owner. */
struct dx_sibling {
    const struct dx_sibling_handlers *handlers;
    struct dx_siblings *all; /* NULL: it has not joined */
    struct dx_sibling *previous;
    struct dx_sibling *next;
    const char *host; /* while it has a turn or waits for one */
    bool has_turn;
};

/** Joins the others of its loop, until it leaves. Returns DX_OK, DX_ERR_NOMEM. */
DX_MUST_CHECK enum dx_err dx_sibling_join(struct dx_sibling *sibling, struct dx_loop *loop,
                                          const struct dx_sibling_handlers *handlers);
void dx_sibling_leave(struct dx_sibling *sibling);

/**
 * Whether it may connect to `host` now; if not, on_turn comes. `host` is borrowed until the turn is
 * given back.
 */
bool dx_sibling_take_turn(struct dx_sibling *sibling, const char *host);

/** It has connected, or does not want to any more. Calls on_turn of the next that waits. */
void dx_sibling_give_turn(struct dx_sibling *sibling);

#endif
