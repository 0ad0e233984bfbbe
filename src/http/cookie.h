/*
 * cookie.h - cookies that a client sends (RFC 6265 section 4.2). Cookies that a server sets are not
 * handled here.
 */
#ifndef DX_HTTP_COOKIE_H
#define DX_HTTP_COOKIE_H

#include "base/slice.h"

/**
 * Finds the first cookie of that name in the value of a Cookie header, as sent: quotes are kept.
 * Names are case-sensitive. False: there is none.
 */
bool dx_cookie_find(struct dx_slice header, const char *name, struct dx_slice *value);

#endif
