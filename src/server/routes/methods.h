/*
 * methods.h - the methods that a route takes: a list such as "GET, POST", parsed once (RFC 9110
 * section 9.1).
 */
#ifndef DX_SERVER_METHODS_H
#define DX_SERVER_METHODS_H

#include <duplex/error.h>

#include "base/slice.h"

struct dx_methods {
    struct dx_slice *names; /* each once; with GET comes HEAD, right after it */
    size_t count;           /* 0: all methods */
};

/** How many names `text` can have, for dx_methods_parse. */
size_t dx_methods_room(const char *text);

/**
 * Parses `text`, which the names borrow, into methods->names, which has dx_methods_room of it.
 * False: it is not a list of methods, or an empty one.
 */
DX_MUST_CHECK bool dx_methods_parse(struct dx_methods *methods, const char *text);

/** Whether the list has that method. Case matters. */
bool dx_methods_have(const struct dx_methods *methods, struct dx_slice method);

/** Whether a request could have a method of both lists. */
bool dx_methods_overlap(const struct dx_methods *one, const struct dx_methods *other);

#endif
