/*
 * url_join.h - references relative to a URL (RFC 3986 section 5.2): redirects, and a page's own
 * URLs.
 */
#ifndef DX_HTTP_URL_JOIN_H
#define DX_HTTP_URL_JOIN_H

#include "http/url/url.h"

/**
 * Writes the URL that `reference` means at `base`, whose normal form is `normal`, with a NUL; not
 * in its normal form: dx_url_parse reads it. A fragment stays. False: more than `room` bytes.
 */
DX_MUST_CHECK bool dx_url_join(const struct dx_url *base, const char *normal,
                               struct dx_slice reference, char *text, size_t room);

#endif
