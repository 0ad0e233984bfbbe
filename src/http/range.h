/*
 * range.h - which part of a representation a Range header asks for (RFC 9110 section 14). If it
 * asks for several parts, the whole is sent.
 */
#ifndef DX_HTTP_RANGE_H
#define DX_HTTP_RANGE_H

#include "http/head.h"

enum dx_range_kind {
    DX_RANGE_WHOLE,         /* none, another unit, malformed, or several: 200 */
    DX_RANGE_PART,          /* 206 */
    DX_RANGE_UNSATISFIABLE, /* 416 */
};

/**
 * Reads the Range of a request for a representation of `len` bytes. For DX_RANGE_PART, `*at` and
 * `*count` (1 or more) are its bytes, all within `len`; otherwise they are not set. Takes time
 * linear in the header, and no memory, however many ranges it lists.
 */
enum dx_range_kind dx_range_read(const struct dx_head *head, uint64_t len, uint64_t *at,
                                 uint64_t *count);

#endif
