/*
 * resolve.h - the addresses of a host, without blocking the loop.
 *
 * Literals and localhost (RFC 6761) are answered in this turn's flush, other names by getaddrinfo.
 * Each of those runs on a thread of its own: one that hangs for minutes delays neither another
 * look-up nor the end of the loop. Not responsible for a deadline: the caller has one.
 */
#ifndef DX_NET_RESOLVE_H
#define DX_NET_RESOLVE_H

#include "net/loop/loop.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define DX_RESOLVE_ADDRESSES_MAX 32 /* further addresses of a name are left out */
#define DX_RESOLVE_HOST_MAX 255     /* bytes of a name */

union dx_socket_address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

struct dx_resolve;

struct dx_resolved {
    /* DX_OK, DX_ERR_RESOLVE, DX_ERR_NOMEM or DX_ERR_SYSTEM. */
    enum dx_err err;

    /* On failure: the host and the system's reason, valid during the callback. */
    const char *detail;

    /* In the order to try them: families alternate (RFC 8305 section 4). Valid as `detail` is. */
    const union dx_socket_address *addresses;
    size_t count;
};

/**
 * Looks up the addresses of a host. `on_resolved` is called once, later.
 *
 * Loop's thread. Keeps the loop running until the callback. A cancelled look-up is forgotten at
 * once; its thread frees the rest when getaddrinfo returns.
 *
 * host      an IPv4 literal, an IPv6 literal without brackets (with or without zone), "localhost"
 *           or a name that ends in ".localhost" (always this machine), or another name; copied
 * port      host order; put into each address
 * family    AF_UNSPEC, AF_INET or AF_INET6
 * resolve   set on DX_OK; valid until `on_resolved` begins or dx_resolve_cancel
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE    the host is empty or longer than DX_RESOLVE_HOST_MAX
 *   DX_ERR_NOMEM    out of memory
 *   DX_ERR_SYSTEM   no thread could be started
 */
DX_MUST_CHECK enum dx_err
dx_resolve_start(struct dx_loop *loop, const char *host, uint16_t port, int family,
                 void (*on_resolved)(void *user, const struct dx_resolved *resolved), void *user,
                 struct dx_resolve **resolve);

/**
 * Cancels a look-up; `on_resolved` is not called. Must not be called after the callback has begun.
 * NULL is fine.
 */
void dx_resolve_cancel(struct dx_resolve *resolve);

#endif
