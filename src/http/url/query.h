/*
 * query.h - values in a query, in the form that browsers send (WHATWG URL standard,
 * application/x-www-form-urlencoded): pairs between '&'; '+' is a blank; a malformed escape is kept
 * as it is.
 */
#ifndef DX_HTTP_QUERY_H
#define DX_HTTP_QUERY_H

#include "base/slice.h"

/**
 * Finds the first value of that name, as sent; a name without '=' has an empty value. False: there
 * is none.
 */
bool dx_query_find(struct dx_slice query, const char *name, struct dx_slice *value);

/**
 * Decodes into `text`, which has room for value.len + 1 bytes, and adds a NUL. False: the result is
 * not UTF-8, or has a NUL.
 */
bool dx_query_decode(struct dx_slice value, char *text);

#endif
