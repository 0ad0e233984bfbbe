/*
 * connect.h - connects to the first of several addresses that accepts (RFC 8305 section 5).
 *
 * The next attempt starts when the previous one has failed or has been pending for 250 ms. The
 * first to connect wins, the others are closed. Not responsible for an overall deadline: the
 * caller has one.
 */
#ifndef DX_NET_CONNECT_H
#define DX_NET_CONNECT_H

#include "net/socket/resolve.h"

#define DX_CONNECT_ATTEMPT_DELAY_MS 250 /* RFC 8305 section 8 */

struct dx_connect;

struct dx_connected {
    /*
     * DX_OK, or the error of the last attempt: DX_ERR_CONNECT (refused or unreachable),
     * DX_ERR_DESCRIPTORS, DX_ERR_ACCESS, DX_ERR_NOMEM, DX_ERR_SYSTEM.
     */
    enum dx_err err;

    /* errno of that attempt. */
    int system_error;

    /* On failure: address and reason, valid during the callback. */
    const char *detail;

    /* On DX_OK: owned by the caller; non-blocking, close-on-exec, TCP_NODELAY. Else -1. */
    int fd;
};

/**
 * Starts to connect to one of `count` addresses. `on_connected` is called once, in a later flush.
 *
 * Loop's thread. Keeps the loop running until the callback.
 *
 * addresses, count   1 to DX_RESOLVE_ADDRESSES_MAX; copied
 * connect            set on DX_OK; valid until `on_connected` begins or dx_connect_cancel
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE   count is 0 or above DX_RESOLVE_ADDRESSES_MAX
 *   DX_ERR_NOMEM   out of memory
 */
DX_MUST_CHECK enum dx_err
dx_connect_start(struct dx_loop *loop, const union dx_socket_address *addresses, size_t count,
                 void (*on_connected)(void *user, const struct dx_connected *connected), void *user,
                 struct dx_connect **connect);

/** The same for a unix socket. DX_ERR_USAGE when `path` is empty or longer than 107 bytes. */
DX_MUST_CHECK enum dx_err
dx_connect_start_unix(struct dx_loop *loop, const char *path,
                      void (*on_connected)(void *user, const struct dx_connected *connected),
                      void *user, struct dx_connect **connect);

/**
 * Closes all attempts; `on_connected` is not called. Must not be called after the callback has
 * begun. NULL is fine.
 */
void dx_connect_cancel(struct dx_connect *connect);

#endif
