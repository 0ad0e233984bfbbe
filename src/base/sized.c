/*
 * sized.c - see sized.h.
 */
#include "base/sized.h"

#include <string.h>

/* No struct grows by more than this: a larger size is uninitialised memory. */
#define GROWTH_MAX 4096

static size_t size_of(const void *given)
{
    size_t size;

    memcpy(&size, given, sizeof(size));
    return size;
}

enum dx_err dx_sized_check(const void *given, size_t known, size_t first)
{
    const unsigned char *bytes = given;
    size_t size;

    if (given == NULL)
        return DX_OK;
    size = size_of(given);
    /* They are aligned as a size is, and so is what follows each in an array. */
    if (size < first || size > known + GROWTH_MAX || size % sizeof(size) != 0)
        return DX_ERR_USAGE;
    for (size_t at = known; at < size; at++)
        if (bytes[at] != 0)
            return DX_ERR_USAGE;
    return DX_OK;
}

enum dx_err dx_sized_copy(void *copy, size_t known, size_t first, const void *given)
{
    enum dx_err err = dx_sized_check(given, known, first);
    size_t size;

    if (err != DX_OK || given == NULL)
        return err;
    size = size_of(given);
    memcpy(copy, given, size < known ? size : known);
    memcpy(copy, &known, sizeof(known));
    return DX_OK;
}

void dx_sized_fill(void *out, const void *facts, size_t known)
{
    size_t size = size_of(out);
    size_t len = size < known ? size : known;

    if (len > sizeof(size))
        memcpy((char *)out + sizeof(size), (const char *)facts + sizeof(size), len - sizeof(size));
}
