/*
 * url_join.h - references that are relative to a URL (RFC 3986 section 5.2): redirects, and URLs of
 * a page.
 */
#ifndef DX_HTTP_URL_JOIN_H
#define DX_HTTP_URL_JOIN_H

#include "http/url/url.h"

/**
 * Writes the URL that `reference` means relative to `base`, whose normal form is `normal`, with a
 * NUL. It is not in normal form yet: pass it to dx_url_parse. A fragment is kept. False: it is
 * longer than `room` bytes.
 */
DX_MUST_CHECK bool dx_url_join(const struct dx_url *base, const char *normal,
                               struct dx_slice reference, char *text, size_t room);

#endif
