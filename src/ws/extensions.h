/*
 * extensions.h - Sec-WebSocket-Extensions: its grammar, and the choice of the first offer that one
 * of our extensions accepts (RFC 6455 9.1).
 *
 * No extension is implemented here. A grammar error fails the handshake; a parameter that an
 * extension refuses declines that offer; unknown extensions are skipped.
 */
#ifndef DX_WS_EXTENSIONS_H
#define DX_WS_EXTENSIONS_H

#include <duplex/error.h>

#include "base/slice.h"

/* One member of the list: an extension and its parameters. Borrows the bytes of the header. */
struct dx_extension {
    struct dx_slice name;
    struct dx_slice rest; /* the parameters that have not been read */
};

struct dx_extension_parameter {
    struct dx_slice name;
    /* without quotes, but with escapes; data is NULL if there is no value */
    struct dx_slice value;
};

enum dx_extension_step {
    DX_EXTENSION_END,
    DX_EXTENSION_PARAMETER,
    DX_EXTENSION_BAD, /* a grammar error */
};

/** Reads the name of a list member. False: it does not begin with one. */
DX_MUST_CHECK bool dx_extension_init(struct dx_extension *extension, struct dx_slice member);

/** Reads the next parameter. */
enum dx_extension_step dx_extension_next(struct dx_extension *extension,
                                         struct dx_extension_parameter *parameter);

/** Whether a list member is well-formed: names are tokens; values are tokens, quoted or not. */
bool dx_extension_is_wellformed(struct dx_slice member);

/** Copies the value without its escapes and adds a NUL. False: it is longer than `room`. */
DX_MUST_CHECK bool dx_extension_value(const struct dx_extension_parameter *parameter, char *text,
                                      size_t room);

/* The longest answer that an extension may give, with its NUL. */
#define DX_EXTENSION_ANSWER_MAX 128

/* An extension that we support. */
struct dx_extension_rule {
    const char *name;
    /*
     * Decides on an offer of that name. True: accepted; writes the whole answer as text
     * ("permessage-deflate; …"). False: declined. The offer is well-formed; the callback walks its
     * parameters.
     */
    bool (*accept)(void *context, struct dx_extension offer, char answer[DX_EXTENSION_ANSWER_MAX]);
    void *context;
};

#endif
