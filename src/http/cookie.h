/*
 * cookie.h - cookies that a client sends (RFC 6265 section 4.2). Not responsible for those that a
 * server sets.
 */
#ifndef DX_HTTP_COOKIE_H
#define DX_HTTP_COOKIE_H

#include "base/slice.h"

/**
 * Finds the first cookie of that name in a Cookie header's value, as sent: quotes stay. Case
 * matters. False: there is none.
 */
bool dx_cookie_find(struct dx_slice header, const char *name, struct dx_slice *value);

#endif
