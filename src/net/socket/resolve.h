/*
 * resolve.h - the addresses of a host, without waiting: literals at the end of the turn, names by getaddrinfo on a thread.
 *
 * Each look-up has a thread of its own, because one that the system keeps for minutes must neither hold up another, nor the end
 * of its loop: what is cancelled is forgotten at once, and its thread frees the rest when the system lets it go.
 */
#ifndef DX_NET_RESOLVE_H
#define DX_NET_RESOLVE_H

#include "net/loop/loop.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define DX_RESOLVE_ADDRESSES_MAX 32 /* a name has more: the rest is left out */
#define DX_RESOLVE_HOST_MAX 255     /* bytes of a name */

union dx_socket_address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

struct dx_resolve;

struct dx_resolved {
    enum dx_err err;    /* DX_OK; DX_ERR_RESOLVE; DX_ERR_NOMEM; DX_ERR_SYSTEM */
    const char *detail; /* when it failed: what the system says, valid during the call */
    const union dx_socket_address
        *addresses; /* in the order to try them (RFC 8305 4): families take turns */
    size_t count;
};

/**
 * Looks `host` up (an IPv4 or bracketless IPv6 literal, with or without zone, "localhost" and what ends in ".localhost" (RFC 6761: always this machine), or a name)
 * for addresses of `family` (AF_UNSPEC, AF_INET, AF_INET6), which get `port`. `on_resolved` comes once, later.
 *
 * Returns DX_OK; DX_ERR_USAGE (an empty or overlong host); DX_ERR_NOMEM; DX_ERR_SYSTEM (no thread).
 */
DX_MUST_CHECK enum dx_err
dx_resolve_start(struct dx_loop *loop, const char *host, uint16_t port, int family,
                 void (*on_resolved)(void *user, const struct dx_resolved *resolved), void *user,
                 struct dx_resolve **resolve);

/** Forgets it: no callback comes. Not after the callback has begun. NULL is fine. */
void dx_resolve_cancel(struct dx_resolve *resolve);

#endif
