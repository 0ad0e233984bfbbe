/*
 * duplex/slice.h - borrowed bytes: where they are and how many.
 */
#ifndef DUPLEX_SLICE_H
#define DUPLEX_SLICE_H

#include <stddef.h>
#include <stdint.h>

struct dx_slice {
    const uint8_t *data; /* may be NULL when len is 0 */
    size_t len;
};

#endif
