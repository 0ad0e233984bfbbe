/*
 * sized.h - structs that begin with their own size, so that a program and a library of different
 * versions understand each other.
 *
 * This is the only code that judges `size`. docs/architecture.md, "Structs of the API", has the
 * rules for such structs.
 */
#ifndef DX_BASE_SIZED_H
#define DX_BASE_SIZED_H

#include <duplex/error.h>

/* The length of `type` in its first published version, whose last member was `last`. */
#define DX_SIZED_FIRST(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

/**
 * Checks the size of a struct. NULL is fine.
 *
 * given   the caller's struct, or NULL
 * known   its length in this version of the library, in bytes
 * first   its length in the first version (DX_SIZED_FIRST)
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE   the size is below `first` (0: nothing has set it), or not the length of a struct
 *   DX_ERR_USAGE   the struct is longer than `known`, and what is not known here is not 0: the
 *                  caller asks for something that this version does not have
 */
DX_MUST_CHECK enum dx_err dx_sized_check(const void *given, size_t known, size_t first);

/**
 * Checks the struct `given` as dx_sized_check does, and copies it over the defaults in `copy`.
 * Members that `given` does not have keep their defaults, and so do all when it is NULL.
 *
 * Errors as dx_sized_check; `copy` is unchanged then.
 */
DX_MUST_CHECK enum dx_err dx_sized_copy(void *copy, size_t known, size_t first, const void *given);

/** Copies `facts`, which begin with a size, to the caller's struct, as far as its size covers. */
void dx_sized_fill(void *out, const void *facts, size_t known);

/* The reason, for functions that give one. */
#define DX_SIZED_WHY "the struct has no size, or asks for what this version does not have"

/* For structs of type `type`, whose first version ended with the member `last`. */
#define DX_SIZED_CHECK(type, last, given)                                                          \
 dx_sized_check((given), sizeof(type), DX_SIZED_FIRST(type, last))
#define DX_SIZED_COPY(type, last, copy, given)                                                     \
 dx_sized_copy((copy), sizeof(type), DX_SIZED_FIRST(type, last), (given))

#endif
