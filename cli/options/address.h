/*
 * address.h - the spelling of addresses to listen on. The library resolves names and binds sockets.
 */
#ifndef CLI_ADDRESS_H
#define CLI_ADDRESS_H

#include <stdint.h>

#include <duplex/error.h>

enum cli_address_kind {
    CLI_ADDRESS_LOOPBACK, /* PORT: 127.0.0.1 and ::1 */
    CLI_ADDRESS_HOST,     /* HOST:PORT or [IPv6]:PORT */
    CLI_ADDRESS_ANY,      /* *:PORT: all addresses */
    CLI_ADDRESS_UNIX,     /* unix:PATH */
    CLI_ADDRESS_FD,       /* fd:N, inherited */
};

struct cli_address {
    enum cli_address_kind kind;
    uint16_t port; /* of the first three */
    int fd;        /* of fd:N, else -1 */
};

/** NULL, or what is wrong (see number.h). */
DX_MUST_CHECK const char *cli_address_parse(const char *text, struct cli_address *address);

/**
 * Whether the text of `len` bytes is a host: a name of labels (letters, digits, - and _), an IPv4
 * address in its usual form, or an IPv6 address in brackets.
 */
bool cli_host_is_valid(const char *text, size_t len);

/** Whether the text of `len` bytes is an IPv6 address without brackets; a zone (%eth0) is fine. */
bool cli_ipv6_is_valid(const char *text, size_t len);

#endif
