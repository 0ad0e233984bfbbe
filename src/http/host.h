/*
 * host.h - hosts and authorities: the Host header, and the host of a URL or an Origin (RFC 9110
 * section 7.2, RFC 3986 section 3.2; numbers as in the host parser of the WHATWG URL standard).
 * Nothing is resolved.
 */
#ifndef DX_HTTP_HOST_H
#define DX_HTTP_HOST_H

#include <duplex/error.h>

#include "base/slice.h"

#define DX_HOST_MAX 254 /* characters of a name, with a last dot */

enum dx_host_kind { DX_HOST_NAME, DX_HOST_IPV4, DX_HOST_IPV6 };

/*
 * A host in its normal form: lower case; IPv4 as four decimal numbers; IPv6 compressed, without
 * brackets.
 */
struct dx_host {
    uint8_t kind;
    uint8_t len;
    uint8_t address[16]; /* IPv4: the first four */
    char text[DX_HOST_MAX + 2];
};

struct dx_authority {
    struct dx_host host;
    uint16_t port; /* 0 without has_port */
    bool has_port;
};

/**
 * Reads a host. IPv6 is in brackets, without a zone. A host that ends in a number is an IPv4
 * address in any notation that the WHATWG parser reads (0x7f.1 is 127.0.0.1), or it is refused.
 * Names are ASCII; others must be given as xn--….
 *
 * False, with a static sentence in `*detail`: empty, too long, a character that no host has, or not
 * an address.
 */
DX_MUST_CHECK bool dx_host_parse(struct dx_slice text, struct dx_host *host, const char **detail);

/**
 * Reads `host` or `host:port` (0 to 65535; an empty port counts as none), as in a Host header: no
 * userinfo. Errors as above.
 */
DX_MUST_CHECK bool dx_authority_parse(struct dx_slice text, struct dx_authority *authority,
                                      const char **detail);

bool dx_host_equal(const struct dx_host *a, const struct dx_host *b);

/** Whether it is localhost, a name that ends in .localhost, in 127.0.0.0/8, or ::1. */
bool dx_host_is_loopback(const struct dx_host *host);

#endif
