/*
 * variable.c - environment variables by name.
 */
#include "cli/serve/variable.h"

#include <string.h>
#include <unistd.h>

static bool name_is_valid(const char *name, size_t len)
{
    static const char bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    return len > 0 && strspn(name, bytes) >= len && (name[0] < '0' || name[0] > '9');
}

const char *cli_variable_parse(const char *text, const char **variable)
{
    size_t name_len = strcspn(text, "=");

    if (!name_is_valid(text, name_len))
        return "not a variable name (write NAME=VALUE; letters, digits and _ in NAME)";
    if (text[name_len] == '=') {
        *variable = text;
        return NULL;
    }
    for (char **entry = environ; entry && *entry; entry++) {
        if (strncmp(*entry, text, name_len) == 0 && (*entry)[name_len] == '=') {
            *variable = *entry;
            return NULL;
        }
    }
    return "not set here (write NAME=VALUE, or set it before)";
}
