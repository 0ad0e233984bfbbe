/*
 * sized.h - structs that begin with their own size, so that a program and a library of different
 * versions understand each other.
 *
 * The one place that judges `size`. Every public struct that a caller fills begins with it, and no
 * such struct contains another by value: members are only ever appended. The rules, for callers and
 * for appending a member, are in docs/architecture.md.
 */
#ifndef DX_BASE_SIZED_H
#define DX_BASE_SIZED_H

#include <duplex/error.h>

/*
 * The length of `type` as it was first published, whose last member was `last`: less cannot be
 * understood.
 */
#define DX_SIZED_FIRST(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

/**
 * Checks the struct `given`, of which this library knows `known` bytes, `first` of them from the
 * beginning. NULL is fine.
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE   its size is below `first` (0: it was not set) or no struct's, or it is longer
 *                  than `known`, by a newer version, and what is not known here is not 0: the
 *                  caller asks for something that this library does not have
 */
DX_MUST_CHECK enum dx_err dx_sized_check(const void *given, size_t known, size_t first);

/**
 * The same, and copies what was given over the defaults that are in `copy`, whose size stays
 * `known`. Where `given` is NULL or ends the defaults stay.
 */
DX_MUST_CHECK enum dx_err dx_sized_copy(void *copy, size_t known, size_t first, const void *given);

/**
 * Copies the facts, `known` bytes that begin with a size, to the caller's struct as far as that
 * goes; its size stays.
 */
void dx_sized_fill(void *out, const void *facts, size_t known);

/* For functions that say why in a line. */
#define DX_SIZED_WHY "the struct has no size, or asks for what this version does not have"

/* The usual calls, where the type says how much is known. */
#define DX_SIZED_CHECK(type, last, given)                                                          \
 dx_sized_check((given), sizeof(type), DX_SIZED_FIRST(type, last))
#define DX_SIZED_COPY(type, last, copy, given)                                                     \
 dx_sized_copy((copy), sizeof(type), DX_SIZED_FIRST(type, last), (given))

#endif
