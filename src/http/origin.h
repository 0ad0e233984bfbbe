/*
 * origin.h - which web pages may connect: the Origin header (RFC 6454, RFC 6455 section 10.2) is
 * compared with the Host of the request and a list of patterns.
 *
 * An Origin counts only in the form that browsers write: lower case, no userinfo, no path, xn--…
 * for other scripts. Any other form is refused as malformed, so that it cannot be read in two ways.
 */
#ifndef DX_HTTP_ORIGIN_H
#define DX_HTTP_ORIGIN_H

#include "http/head.h"
#include "http/host.h"

struct dx_origin {
    bool is_null; /* "null": a page from a file or in a sandbox; any site can send it */
    struct dx_slice scheme;
    struct dx_host host;
    uint16_t port; /* the default of the scheme if none is given; 0: the scheme has none */
};

/**
 * Reads the value of an Origin header. `scheme` points into it.
 *
 * False, with a static sentence in `*detail`: empty, userinfo, path, upper case, not ASCII, or
 * several origins.
 */
DX_MUST_CHECK bool dx_origin_parse(struct dx_slice value, struct dx_origin *origin,
                                   const char **detail);

/**
 * Whether the page came from the host and port of this request. A Host without a port has the
 * default port of the scheme of the origin.
 */
bool dx_origin_is_same(const struct dx_origin *origin, const struct dx_authority *authority);

/** Whether dx_origin_matches can read `pattern`: an origin, or one whose host begins with `*.`. */
bool dx_origin_is_pattern(struct dx_slice pattern);

/**
 * Whether the origin matches a pattern: scheme, host and port are equal; `*.example.org` matches
 * every name below example.org, at any depth, but not example.org itself. "null" matches only
 * "null".
 */
bool dx_origin_matches(const struct dx_origin *origin, struct dx_slice pattern);

struct dx_origin_rules {
    bool allow_any;
    bool allow_same;
    /* any page from this machine: for listeners that only this machine can reach */
    bool allow_loopback;
    const char *const *patterns; /* "null" is allowed only if it is in the list */
    size_t pattern_count;
};

/**
 * Decides on a request. Without an Origin it is admitted, since it is no browser. False, with the
 * refusal filled: two Origins (400); unless any is allowed, also a malformed one (400), and one
 * that no rule admits (403).
 */
DX_MUST_CHECK bool dx_origin_judge(const struct dx_head *head, const struct dx_authority *authority,
                                   const struct dx_origin_rules *rules, struct dx_refusal *refusal);

#endif
