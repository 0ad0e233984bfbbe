/*
 * extensions.h - Sec-WebSocket-Extensions: its grammar, and picking the first offer that one of
 * ours accepts (RFC 6455 9.1).
 *
 * It knows no extension. A grammar error fails the handshake; a parameter that an extension does
 * not like declines that offer; unknown extensions are skipped.
 */
#ifndef DX_WS_EXTENSIONS_H
#define DX_WS_EXTENSIONS_H

#include <duplex/error.h>

#include "base/slice.h"

/* One member of the list: an extension and its parameters. Borrowed from the header's bytes. */
struct dx_extension {
    struct dx_slice name;
    struct dx_slice rest; /* the parameters that were not read yet */
};

struct dx_extension_parameter {
    struct dx_slice name;
    /* without quotes, escapes still in it; data is NULL when there is no value */
    struct dx_slice value;
};

enum dx_extension_step {
    DX_EXTENSION_END,
    DX_EXTENSION_PARAMETER,
    DX_EXTENSION_BAD, /* not the grammar */
};

/** Reads the name of a list member; false when it does not begin with one. */
DX_MUST_CHECK bool dx_extension_init(struct dx_extension *extension, struct dx_slice member);

/** Reads the next parameter. */
enum dx_extension_step dx_extension_next(struct dx_extension *extension,
                                         struct dx_extension_parameter *parameter);

/** Whether all of a list member is right (names are tokens; values are tokens, quoted or not). */
bool dx_extension_is_wellformed(struct dx_slice member);

/**
 * Copies the value without its escapes and ends it with a NUL; false when it does not fit `room`.
 */
DX_MUST_CHECK bool dx_extension_value(const struct dx_extension_parameter *parameter, char *text,
                                      size_t room);

/* The longest answer that an extension may give, its NUL included. */
#define DX_EXTENSION_ANSWER_MAX 128

/* An extension of ours. */
struct dx_extension_rule {
    const char *name;
    /*
     * Judges one offer of that name: true and the whole answer as text ("permessage-deflate; …"),
     * or false: declined. The offer is well-formed; the callback walks its parameters.
     */
    bool (*accept)(void *context, struct dx_extension offer, char answer[DX_EXTENSION_ANSWER_MAX]);
    void *context;
};

#endif
