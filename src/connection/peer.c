/*
 * peer.c - the peer's address, read from the system on each call, and what TLS negotiated with it.
 */
#include "connection/connection_parts.h"

#include "base/sized.h"
#include "net/socket/address.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

_Static_assert(DX_HOST_ROOM >= INET6_ADDRSTRLEN + 1 + IF_NAMESIZE &&
                   DX_HOST_ROOM >= DX_ADDRESS_TEXT_MAX,
               "an address with its zone fits");

/* A link-local address needs its zone (RFC 4007 section 11): the interface's name or number. */
static void add_zone(const struct sockaddr_storage *from, char host[DX_HOST_ROOM])
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
    size_t len = strlen(host);
    char name[IF_NAMESIZE];

    if (from->ss_family != AF_INET6 || in6->sin6_scope_id == 0 ||
        !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
        return;
    if (if_indextoname(in6->sin6_scope_id, name))
        (void)snprintf(host + len, DX_HOST_ROOM - len, "%%%s", name);
    else
        (void)snprintf(host + len, DX_HOST_ROOM - len, "%%%u", (unsigned)in6->sin6_scope_id);
}

enum dx_err dx_connection_peer(const struct dx_connection *connection, char host[DX_HOST_ROOM],
                               uint16_t *port)
{
    struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(from);
    struct dx_address address;

    if (connection->is_dead)
        return DX_ERR_CLOSED;
    if (getpeername(connection->stream.watch.fd, (struct sockaddr *)&from, &len) != 0)
        return errno == ENOTCONN || errno == EINVAL ? DX_ERR_CLOSED : DX_ERR_SYSTEM;
    dx_address_init(&address, &from);
    dx_address_host(&address, host);
    add_zone(&from, host);
    *port = address.port;
    return DX_OK;
}

bool dx_connection_tls(const struct dx_connection *connection, struct dx_tls_facts *facts)
{
    struct dx_tls_facts own;

    if (!dx_stream_tls_facts(&connection->stream, &own))
        return false;
    dx_sized_fill(facts, &own, sizeof(own));
    return true;
}
