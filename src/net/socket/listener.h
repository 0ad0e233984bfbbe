/*
 * listener.h - a listening socket on a loop: accepts in bounded runs, and stays calm when descriptors run out.
 *
 * Not responsible for limits on connections, nor for what is said to them.
 */
#ifndef DX_NET_LISTENER_H
#define DX_NET_LISTENER_H

#include "net/socket/address.h"
#include "net/loop/loop.h"
#include "net/loop/watch.h"

#define DX_ACCEPTS_PER_TURN 64
#define DX_ACCEPT_PAUSE_MS 100 /* after the system had no descriptor or memory for one more */

struct dx_listener;

struct dx_listener_handlers {
    /* A new connection: `fd` is the owner's from here on (non-blocking, close-on-exec, no delay). May free the listener. */
    void (*on_accept)(struct dx_listener *listener, int fd, const struct dx_address *peer);
    /* No descriptor is left; this connection was accepted with the one kept in reserve: say a word on it (without waiting)
     * and return; the listener closes it. Comes at most once in DX_ACCEPT_PAUSE_MS. May be NULL. */
    void (*on_refuse)(struct dx_listener *listener, int fd, const struct dx_address *peer);
};

struct dx_listener {
    struct dx_listener *next; /* of those that one address text has made */
    struct dx_watch watch;
    struct dx_timer pause;
    struct dx_loop *loop;
    const struct dx_listener_handlers *handlers;
    void *user;
    struct dx_address address; /* bound; with the port that the system has chosen */
    int reserve_fd;
    char *
        path; /* of a unix socket made here, removed at release when it is still the same; else NULL */
    uint64_t device;
    uint64_t inode;
    bool *is_gone; /* while accepting: set when a callback frees the listener */
};

/**
 * Listens on what `text` says: "PORT" (both loopback addresses), "HOST:PORT" (every address of the name), "[IPv6]:PORT",
 * "*:PORT" (all), "unix:PATH" (mode 0600 from its first moment; a stale one is replaced), "fd:N" (inherited). Port 0 picks
 * one, the same for all. Looking up a name waits. `why` (may be NULL) gets one line for people on failure.
 *
 * Returns DX_OK and a list; DX_ERR_USAGE (not an address, or not a listening socket), DX_ERR_ADDRESS_IN_USE, DX_ERR_ACCESS,
 * DX_ERR_NOT_FOUND (the path's directory), DX_ERR_RESOLVE, DX_ERR_DESCRIPTORS, DX_ERR_NOMEM, DX_ERR_SYSTEM.
 */
DX_MUST_CHECK enum dx_err dx_listener_open(struct dx_loop *loop, const char *text,
                                           const struct dx_listener_handlers *handlers, void *user,
                                           struct dx_listener **listeners, char *why,
                                           size_t why_len);

/** Stops, closes and frees one listener (not those behind `next`). NULL is fine. */
void dx_listener_free(struct dx_listener *listener);

/* ---- between listen.c and listener.c ---- */

/** Makes a listener of a listening socket, which it owns on success. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_DESCRIPTORS, DX_ERR_SYSTEM. */
DX_MUST_CHECK enum dx_err dx_listener_new(struct dx_loop *loop, int fd,
                                          const struct dx_listener_handlers *handlers, void *user,
                                          struct dx_listener **listener);

#endif
