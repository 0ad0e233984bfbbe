/*
 * cookie.c - see cookie.h. Servers read what browsers send, which is not always the grammar: blanks
 * around a pair are ignored, and so is a pair without '='.
 */
#include "http/cookie.h"

#include "base/text.h"

bool dx_cookie_find(struct dx_slice header, const char *name, struct dx_slice *value)
{
    while (header.len > 0) {
        const uint8_t *end = memchr(header.data, ';', header.len);
        size_t len = end != NULL ? (size_t)(end - header.data) : header.len;
        struct dx_slice pair = dx_text_trim((struct dx_slice){header.data, len});
        const uint8_t *equals = pair.len > 0 ? memchr(pair.data, '=', pair.len) : NULL;

        if (end != NULL)
            len++;
        header.data += len;
        header.len -= len;
        if (equals == NULL ||
            !dx_slice_is((struct dx_slice){pair.data, (size_t)(equals - pair.data)}, name))
            continue;
        *value = (struct dx_slice){equals + 1, pair.len - (size_t)(equals - pair.data) - 1};
        return true;
    }
    return false;
}
