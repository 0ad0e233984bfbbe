/*
 * tls_names.c - host names in certificates and in SNI (RFC 6066 section 3, RFC 6125 section 6.4).
 */
#include "net/tls/tls_names.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_MAX 63
#define NAME_MAX_LEN 253

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Letters must be in lower case already. */
static bool may_be_in_label(char c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* A last label of digits only makes it an address, not a name. */
static bool has_good_labels(const char *name)
{
    bool is_number = false;

    for (;;) {
        size_t len = 0;

        is_number = true;
        for (; may_be_in_label(name[len]); len++)
            is_number = is_number && is_digit(name[len]);
        if (len == 0 || len > LABEL_MAX)
            return false;
        name += len;
        if (*name == '\0')
            return !is_number;
        if (*name++ != '.')
            return false;
    }
}

bool dx_tls_name_normalize(const char *name, size_t len, bool may_be_wild,
                           char normal[DX_TLS_NAME_ROOM])
{
    if (len > 0 && name[len - 1] == '.')
        len--;
    if (len == 0 || len > NAME_MAX_LEN || memchr(name, '\0', len))
        return false;
    for (size_t i = 0; i < len; i++)
        normal[i] = lower(name[i]);
    normal[len] = '\0';
    if (may_be_wild && strncmp(normal, "*.", 2) == 0)
        return strchr(normal + 2, '.') && has_good_labels(normal + 2);
    return has_good_labels(normal);
}

static int compare(const void *a, const void *b)
{
    const struct dx_tls_name *left = a;
    const struct dx_tls_name *right = b;
    int order = strcmp(left->text, right->text);

    if (order)
        return order;
    return left->index < right->index ? -1 : left->index > right->index;
}

void dx_tls_names_sort(struct dx_tls_name *names, size_t count)
{
    if (count > 0)
        qsort(names, count, sizeof(*names), compare);
}

/* Finds the first of equal names. */
static bool find(const struct dx_tls_name *names, size_t count, const char *name, size_t *index)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(names[middle].text, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == count || strcmp(names[low].text, name) != 0)
        return false;
    *index = names[low].index;
    return true;
}

bool dx_tls_names_find(const struct dx_tls_name *names, size_t count, const char *name,
                       size_t *index)
{
    const char *dot = strchr(name, '.');
    char wild[DX_TLS_NAME_ROOM];

    if (find(names, count, name, index))
        return true;
    if (!dot || strlen(dot) + 2 > sizeof(wild))
        return false;
    wild[0] = '*';
    memcpy(wild + 1, dot, strlen(dot) + 1);
    return find(names, count, wild, index);
}
