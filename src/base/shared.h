/*
 * shared.h - immutable, reference-counted bytes: a frame that is encoded once and sent to many.
 *
 * The only object that threads share by pointer. The count is atomic, and the bytes never change
 * once there is a second reference.
 */
#ifndef DX_BASE_SHARED_H
#define DX_BASE_SHARED_H

#include <duplex/error.h>

#include "base/slice.h"

struct dx_shared;

/**
 * Makes shared bytes (at most UINT32_MAX) with one reference. `*bytes` points to them; they are
 * undefined, and the caller fills them before there is a second reference.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_BIG.
 */
DX_MUST_CHECK enum dx_err dx_shared_new(size_t len, struct dx_shared **shared, uint8_t **bytes);

/** Adds a reference. Any thread that has one. */
void dx_shared_keep(struct dx_shared *shared);

/** Gives a reference back; the last one frees the bytes. NULL is fine. Any thread. */
void dx_shared_drop(struct dx_shared *shared);

/** The bytes, valid while the caller has a reference. */
struct dx_slice dx_shared_slice(const struct dx_shared *shared);

#endif
