/*
 * address.h - where a peer or a listener is: IPv4, IPv6 or a unix socket, small enough to keep for each connection.
 */
#ifndef DX_NET_ADDRESS_H
#define DX_NET_ADDRESS_H

#include <duplex/error.h>

#include <sys/socket.h>

#define DX_ADDRESS_TEXT_MAX 64 /* bytes of the longest text with its NUL */

enum dx_address_family { DX_ADDRESS_UNIX = 0, DX_ADDRESS_IPV4 = 4, DX_ADDRESS_IPV6 = 6 };

struct dx_address {
    uint8_t family; /* enum dx_address_family */
    uint8_t bytes[16];
    uint16_t port; /* host order; 0 for unix sockets */
};

/** From the system's form. An IPv4 address mapped into IPv6 (a listener for both) becomes IPv4. */
void dx_address_init(struct dx_address *address, const struct sockaddr_storage *from);

/** "127.0.0.1", "::1", "unix", without the port. `text` has room for DX_ADDRESS_TEXT_MAX bytes. */
void dx_address_host(const struct dx_address *address, char *text);

/** 127.0.0.0/8, ::1, and unix sockets: the peer is on this machine, or the listener reachable from it only. */
bool dx_address_is_loopback(const struct dx_address *address);

#endif
