/*
 * listener.h - a listening socket on a loop.
 *
 * Accepts a bounded number of connections per turn and pauses when descriptors run out. Not
 * responsible for connection limits, nor for what is sent to refused clients.
 */
#ifndef DX_NET_LISTENER_H
#define DX_NET_LISTENER_H

#include "net/socket/address.h"
#include "net/loop/loop.h"
#include "net/loop/watch.h"

#define DX_ACCEPTS_PER_TURN 64
#define DX_ACCEPT_PAUSE_MS 100 /* pause after accept failed for lack of descriptors or memory */

struct dx_listener;

struct dx_listener_handlers {
    /*
     * A new connection. The handler owns `fd` (non-blocking, close-on-exec, TCP_NODELAY). It may
     * free the listener.
     */
    void (*on_accept)(struct dx_listener *listener, int fd, const struct dx_address *peer);

    /*
     * No descriptor is left; this connection was accepted with the reserved one. The handler may
     * send a short refusal without blocking; the listener closes `fd` when it returns. At most
     * once per DX_ACCEPT_PAUSE_MS. May be NULL.
     */
    void (*on_refuse)(struct dx_listener *listener, int fd, const struct dx_address *peer);
};

struct dx_listener {
    struct dx_listener *next; /* the next listener of the same dx_listener_open call */
    struct dx_watch watch;
    struct dx_timer pause;
    struct dx_loop *loop;
    const struct dx_listener_handlers *handlers;
    void *user;
    struct dx_address address; /* bound address, with the port that the system chose */
    int reserve_fd;

    /*
     * Path of a unix socket that this listener created, else NULL. Removed on free if it is still
     * the same file (device, inode).
     */
    char *path;
    uint64_t device;
    uint64_t inode;

    bool *is_gone; /* set while accepting; becomes true when a callback frees the listener */
};

/**
 * Opens the listening sockets that an address text names.
 *
 * Loop's thread. Blocks while a host name is looked up. Keeps the loop running.
 *
 * text           "PORT" (both loopback addresses), "HOST:PORT" (every address of the name),
 *                "[IPv6]:PORT", "*:PORT" (all addresses), "unix:PATH" (created with mode 0600; a
 *                stale socket is replaced) or "fd:N" (inherited). With port 0 the system chooses
 *                one port for all sockets.
 * handlers       borrowed; must outlive the listeners
 * listeners      set on DX_OK: a list linked by `next`; free each one
 * why, why_len   on failure gets one line for people; may be NULL
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE            not an address, or fd:N is not a listening socket
 *   DX_ERR_ADDRESS_IN_USE   another socket listens there
 *   DX_ERR_ACCESS           permission denied
 *   DX_ERR_NOT_FOUND        the directory of a unix socket's path does not exist
 *   DX_ERR_RESOLVE          the host name has no address
 *   DX_ERR_DESCRIPTORS      the descriptor limit is reached
 *   DX_ERR_NOMEM, DX_ERR_SYSTEM
 */
DX_MUST_CHECK enum dx_err dx_listener_open(struct dx_loop *loop, const char *text,
                                           const struct dx_listener_handlers *handlers, void *user,
                                           struct dx_listener **listeners, char *why,
                                           size_t why_len);

/** Stops, closes and frees one listener, not the rest of its list. NULL is fine. */
void dx_listener_free(struct dx_listener *listener);

/* ---- between listen.c and listener.c ---- */

/**
 * Makes a listener of a listening socket. It owns `fd` on DX_OK only.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_DESCRIPTORS, DX_ERR_SYSTEM.
 */
DX_MUST_CHECK enum dx_err dx_listener_new(struct dx_loop *loop, int fd,
                                          const struct dx_listener_handlers *handlers, void *user,
                                          struct dx_listener **listener);

#endif
