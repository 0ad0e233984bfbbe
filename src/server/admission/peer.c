/*
 * peer.c - writes and compares addresses. It resolves no names.
 */
#include "server/admission/peer.h"

#include <stdio.h>
#include <string.h>

void dx_peer_text(const struct dx_address *peer, char text[DX_PEER_TEXT_ROOM])
{
    char host[DX_ADDRESS_TEXT_MAX];
    bool is_ipv6 = peer->family == DX_ADDRESS_IPV6;

    dx_address_host(peer, host);
    if (peer->family == DX_ADDRESS_UNIX)
        (void)snprintf(text, DX_PEER_TEXT_ROOM, "%s", host);
    else
        (void)snprintf(text, DX_PEER_TEXT_ROOM, "%s%s%s:%u", is_ipv6 ? "[" : "", host,
                       is_ipv6 ? "]" : "", (unsigned)peer->port);
}

bool dx_peer_is_own_address(int fd, const struct dx_host *host)
{
    struct sockaddr_storage storage = {0};
    socklen_t len = sizeof(storage);
    struct dx_address own;

    if (getsockname(fd, (struct sockaddr *)&storage, &len) != 0)
        return false;
    dx_address_init(&own, &storage);
    if (own.family == DX_ADDRESS_IPV4)
        return host->kind == DX_HOST_IPV4 && memcmp(host->address, own.bytes, 4) == 0;
    return own.family == DX_ADDRESS_IPV6 && host->kind == DX_HOST_IPV6 &&
           memcmp(host->address, own.bytes, 16) == 0;
}
