/*
 * url_join.c - see url_join.h. Dots in the path are resolved by dx_url_parse.
 */
#include "http/url/url_join.h"

#include <string.h>

/* In these URLs a backslash counts as a slash (WHATWG URL 4.4). */
static bool is_slash(uint8_t byte)
{
    return byte == '/' || byte == '\\';
}

/* The position after the last slash of the path, where a relative path is appended. */
static size_t folder_len(const struct dx_url *base, const char *normal)
{
    const char *path = normal + base->target_at;
    size_t len = base->path_len;

    while (len > 0 && path[len - 1] != '/')
        len--;
    return base->target_at + len;
}

static bool has_scheme(struct dx_slice reference)
{
    for (size_t i = 0; i < reference.len; i++) {
        if (reference.data[i] == ':')
            return i > 0;
        if (memchr("/\\?#", reference.data[i], 4) != NULL)
            return false;
    }
    return false;
}

/* How much of the base is kept. */
static size_t kept_len(const struct dx_url *base, const char *normal, struct dx_slice reference)
{
    if (has_scheme(reference))
        return 0;
    if (reference.len > 1 && is_slash(reference.data[0]) && is_slash(reference.data[1]))
        return (size_t)(strchr(normal, ':') + 1 - normal);
    if (reference.len == 0 || reference.data[0] == '#')
        return base->len;
    if (is_slash(reference.data[0]))
        return base->target_at;
    return reference.data[0] == '?' ? (size_t)base->target_at + base->path_len
                                    : folder_len(base, normal);
}

bool dx_url_join(const struct dx_url *base, const char *normal, struct dx_slice reference,
                 char *text, size_t room)
{
    size_t kept = kept_len(base, normal, reference);

    if (kept + reference.len >= room)
        return false;
    memcpy(text, normal, kept);
    if (reference.len > 0)
        memcpy(text + kept, reference.data, reference.len);
    text[kept + reference.len] = '\0';
    return true;
}
