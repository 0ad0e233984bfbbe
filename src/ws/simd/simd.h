/*
 * simd.h - the two loops that touch every byte, in the widest form that this processor has.
 *
 * Each form is a file with its own compiler flags (mask_*.c, utf8_*.c); simd_x86.c or
 * simd_portable.c, as the build chooses, selects among them. Callers use mask.h and utf8.h.
 */
#ifndef DX_WS_SIMD_H
#define DX_WS_SIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs of this length or more use the wide forms; shorter ones are handled in mask.h. */
#define DX_MASK_WIDE_MIN 16

/* For this length or more, dx_utf8 calls the wide form. */
#define DX_UTF8_WIDE_MIN 32

struct dx_simd {
    /* As dx_mask and dx_mask_copy, for len >= DX_MASK_WIDE_MIN. */
    bool (*mask)(uint8_t *data, size_t len, uint32_t key);
    void (*mask_copy)(uint8_t *to, const uint8_t *from, size_t len, uint32_t key);
    /*
     * How many bytes at the start of `data`, which begins at a code point, are certainly valid and
     * end at a code point. It may stop early, at the latest at an invalid byte: the caller
     * continues byte by byte.
     */
    size_t (*utf8_prefix)(const uint8_t *data, size_t len);
};

/** The best form for this processor; always the same. Any thread. */
const struct dx_simd *dx_simd_get(void);

bool dx_mask_u64(uint8_t *data, size_t len, uint32_t key);
void dx_mask_copy_u64(uint8_t *to, const uint8_t *from, size_t len, uint32_t key);
bool dx_mask_sse2(uint8_t *data, size_t len, uint32_t key);
void dx_mask_copy_sse2(uint8_t *to, const uint8_t *from, size_t len, uint32_t key);
bool dx_mask_avx2(uint8_t *data, size_t len, uint32_t key);
void dx_mask_copy_avx2(uint8_t *to, const uint8_t *from, size_t len, uint32_t key);

size_t dx_utf8_prefix_u64(const uint8_t *data, size_t len);
size_t dx_utf8_prefix_avx2(const uint8_t *data, size_t len);

#endif
