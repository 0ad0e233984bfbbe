/*
 * query.h - values in a query, read as browsers write forms (WHATWG URL standard,
 * application/x-www-form-urlencoded): pairs between '&', '+' is a blank, what is not an escape
 * stands for itself.
 */
#ifndef DX_HTTP_QUERY_H
#define DX_HTTP_QUERY_H

#include "base/slice.h"

/**
 * Finds the first value of that name, as sent; "name" without '=' has the empty one. False: there
 * is none.
 */
bool dx_query_find(struct dx_slice query, const char *name, struct dx_slice *value);

/**
 * Decodes into `text`, which has room for value.len + 1 bytes, with a NUL. False: it is not UTF-8,
 * or has a NUL.
 */
bool dx_query_decode(struct dx_slice value, char *text);

#endif
