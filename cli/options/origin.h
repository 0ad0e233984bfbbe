/*
 * origin.h - the spelling of names in a request: Origin, Host, Sec-WebSocket-Protocol. The library
 * matches them.
 */
#ifndef CLI_ORIGIN_H
#define CLI_ORIGIN_H

#include <duplex/error.h>

/**
 * same, any, null, or http(s) with a host that may begin with an asterisk and a dot, and a port.
 * NULL, or what is wrong (see number.h).
 */
DX_MUST_CHECK const char *cli_origin_check(const char *text);

/** A host name, an IPv4 address or [IPv6], without a port. NULL, or what is wrong. */
DX_MUST_CHECK const char *cli_host_check(const char *text);

/** A token (RFC 6455 4.1, RFC 9110 5.6.2). NULL, or what is wrong. */
DX_MUST_CHECK const char *cli_subprotocol_check(const char *text);

#endif
