/*
 * connect.h - a connection to the first of several addresses that answers (happy eyeballs, RFC 8305 section 5).
 *
 * An attempt begins each time the last one has failed, or has said nothing for 250 ms; the first that is connected wins and the
 * others are closed. Not responsible for a deadline over all: who asks has one.
 */
#ifndef DX_NET_CONNECT_H
#define DX_NET_CONNECT_H

#include "net/socket/resolve.h"

#define DX_CONNECT_ATTEMPT_DELAY_MS 250 /* RFC 8305 8 */

struct dx_connect;

struct dx_connected {
    enum dx_err
        err; /* DX_OK; DX_ERR_CONNECT (nobody accepts); DX_ERR_DESCRIPTORS, DX_ERR_ACCESS, DX_ERR_NOMEM, DX_ERR_SYSTEM: of the last attempt */
    int system_error;   /* errno of that */
    const char *detail; /* when it failed: where and why, valid during the call */
    int fd;             /* DX_OK: the caller's (non-blocking, close-on-exec, no delay); else -1 */
};

/**
 * Connects to one of `count` addresses (1 to DX_RESOLVE_ADDRESSES_MAX; copied). `on_connected` comes once, later.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_USAGE.
 */
DX_MUST_CHECK enum dx_err
dx_connect_start(struct dx_loop *loop, const union dx_socket_address *addresses, size_t count,
                 void (*on_connected)(void *user, const struct dx_connected *connected), void *user,
                 struct dx_connect **connect);

/** The same for a unix socket (`path` longer than 107 bytes: DX_ERR_USAGE). */
DX_MUST_CHECK enum dx_err
dx_connect_start_unix(struct dx_loop *loop, const char *path,
                      void (*on_connected)(void *user, const struct dx_connected *connected),
                      void *user, struct dx_connect **connect);

/** Closes all attempts: no callback comes. Not after the callback has begun. NULL is fine. */
void dx_connect_cancel(struct dx_connect *connect);

#endif
