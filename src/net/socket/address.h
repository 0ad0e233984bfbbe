/*
 * address.h - the address of a peer or a listener: IPv4, IPv6 or a unix socket.
 *
 * Small enough to keep one for each connection. Not responsible for parsing or look-up.
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

/** Converts a socket address. IPv4-mapped IPv6 (a peer at a dual-stack listener) becomes IPv4. */
void dx_address_init(struct dx_address *address, const struct sockaddr_storage *from);

/** Writes "127.0.0.1", "::1" or "unix", without the port. `text` has DX_ADDRESS_TEXT_MAX bytes. */
void dx_address_host(const struct dx_address *address, char *text);

/**
 * True for 127.0.0.0/8, ::1 and unix sockets: such a peer is on this machine, such a listener can
 * only be reached from it.
 */
bool dx_address_is_loopback(const struct dx_address *address);

#endif
