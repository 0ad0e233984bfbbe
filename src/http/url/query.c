/*
 * query.c - see query.h.
 */
#include "http/url/query.h"

#include "base/text.h"

/* Takes one byte, decoded if it is escaped. */
static uint8_t take_byte(struct dx_slice *text)
{
    uint8_t byte = text->data[0];
    int high = byte == '%' && text->len > 2 ? dx_text_hex_value(text->data[1]) : -1;
    int low = high >= 0 ? dx_text_hex_value(text->data[2]) : -1;
    size_t len = low >= 0 ? 3 : 1;

    text->data += len;
    text->len -= len;
    if (low >= 0)
        return (uint8_t)(high * 16 + low);
    return byte == '+' ? ' ' : byte;
}

static bool is_named(struct dx_slice encoded, const char *name)
{
    for (; encoded.len > 0; name++) {
        uint8_t byte = take_byte(&encoded);

        /* A NUL in the query does not end a name. */
        if (*name == '\0' || (uint8_t)*name != byte)
            return false;
    }
    return *name == '\0';
}

/* Takes the text up to `end`, which is skipped, or all of it if there is no `end`. */
static struct dx_slice take_until(struct dx_slice *rest, char end)
{
    const uint8_t *found = rest->len > 0 ? memchr(rest->data, end, rest->len) : NULL;
    struct dx_slice taken = {rest->data, found != NULL ? (size_t)(found - rest->data) : rest->len};
    size_t skipped = taken.len + (found != NULL);

    rest->len -= skipped;
    if (skipped > 0)
        rest->data += skipped;
    return taken;
}

bool dx_query_find(struct dx_slice query, const char *name, struct dx_slice *value)
{
    while (query.len > 0) {
        struct dx_slice pair = take_until(&query, '&');
        struct dx_slice found;

        if (pair.len == 0)
            continue;
        found = take_until(&pair, '=');
        if (!is_named(found, name))
            continue;
        *value = pair;
        return true;
    }
    return false;
}

bool dx_query_decode(struct dx_slice value, char *text)
{
    size_t len = 0;

    while (value.len > 0) {
        text[len] = (char)take_byte(&value);
        if (text[len++] == '\0')
            return false;
    }
    text[len] = '\0';
    return dx_text_is_utf8((struct dx_slice){(const uint8_t *)text, len});
}
