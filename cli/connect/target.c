/*
 * target.c - see target.h.
 */
#include "cli/connect/target.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_PORT "8080" /* of --listen (cli/server/options.c) */

/* Digits, then a path or nothing. */
static bool begins_with_port(const char *text)
{
    size_t len = strspn(text, "0123456789");

    return len >= 1 && len <= 5 && strchr("/?", text[len]) != NULL;
}

static bool is_loopback(const char *text)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(names[i]);

        if (strncmp(text, names[i], len) == 0 && strchr(":/?", text[len]))
            return true;
    }
    return false;
}

/* What is missing before the text of a target; NULL: it is none. */
static const char *missing_before(const char *text)
{
    if (strstr(text, "://"))
        return "";
    if (*text == ':' && begins_with_port(text + 1))
        return "ws://localhost";
    if (begins_with_port(text))
        return "ws://localhost:";
    if (*text == '/')
        return "ws://localhost:" DEFAULT_PORT;
    return is_loopback(text) ? "ws://" : NULL;
}

bool cli_target_is_one(const char *text)
{
    return missing_before(text) != NULL;
}

bool cli_target_complete(const char *text, char *url, size_t url_room)
{
    const char *before = missing_before(text);
    int len;

    if (!before)
        return false;
    len = snprintf(url, url_room, "%s%s", before, text);
    return len >= 0 && (size_t)len < url_room;
}
