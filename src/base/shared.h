/*
 * shared.h - an immutable, reference-counted run of bytes: a frame that is encoded once and sent to
 * many.
 *
 * The only object that threads share by pointer: the count is atomic, and the bytes never change
 * once a second reference exists.
 */
#ifndef DX_BASE_SHARED_H
#define DX_BASE_SHARED_H

#include <duplex/error.h>

#include "base/slice.h"

struct dx_shared;

/**
 * Makes a shared run of `len` bytes (at most UINT32_MAX) with one reference. `*bytes` points to its
 * bytes, undefined yet: the caller fills them before it gives a second reference away, and never
 * changes them afterwards.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_BIG.
 */
DX_MUST_CHECK enum dx_err dx_shared_new(size_t len, struct dx_shared **shared, uint8_t **bytes);

/** Takes one more reference. Any thread that holds one may call it. */
void dx_shared_keep(struct dx_shared *shared);

/** Gives one reference back; the last one frees the bytes. NULL is fine. Any thread. */
void dx_shared_drop(struct dx_shared *shared);

/** The bytes, valid while the caller holds a reference. */
struct dx_slice dx_shared_slice(const struct dx_shared *shared);

#endif
