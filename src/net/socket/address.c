/*
 * address.c - see address.h.
 */
#include "net/socket/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

void dx_address_init(struct dx_address *address, const struct sockaddr_storage *from)
{
    memset(address, 0, sizeof(*address));
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)from;

        address->family = DX_ADDRESS_IPV4;
        memcpy(address->bytes, &in->sin_addr, 4);
        address->port = ntohs(in->sin_port);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

        address->port = ntohs(in6->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
            address->family = DX_ADDRESS_IPV4;
            memcpy(address->bytes, in6->sin6_addr.s6_addr + 12, 4);
        } else {
            address->family = DX_ADDRESS_IPV6;
            memcpy(address->bytes, &in6->sin6_addr, 16);
        }
    }
}

void dx_address_host(const struct dx_address *address, char *text)
{
    if (address->family == DX_ADDRESS_UNIX)
        strcpy(text, "unix");
    else
        (void)inet_ntop(address->family == DX_ADDRESS_IPV4 ? AF_INET : AF_INET6, address->bytes,
                        text, DX_ADDRESS_TEXT_MAX);
}

bool dx_address_is_loopback(const struct dx_address *address)
{
    static const uint8_t one[16] = {[15] = 1};

    switch (address->family) {
    case DX_ADDRESS_IPV4:
        return address->bytes[0] == 127;
    case DX_ADDRESS_IPV6:
        return memcmp(address->bytes, one, sizeof(one)) == 0;
    default:
        return true;
    }
}
