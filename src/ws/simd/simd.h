/*
 * simd.h - the two loops that touch every byte, in the widest form this processor has.
 *
 * One file a form, built with its own flags (mask_*.c, utf8_*.c); simd_x86.c or simd_portable.c, as
 * the build picks, chooses among them. Callers use mask.h and utf8.h, not this.
 */
#ifndef DX_WS_SIMD_H
#define DX_WS_SIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From here up the wide forms are called; shorter runs never leave mask.h. */
#define DX_MASK_WIDE_MIN 16

/* From here up dx_utf8 asks the wide form. */
#define DX_UTF8_WIDE_MIN 32

struct dx_simd {
    /* As dx_mask and dx_mask_copy, for len >= DX_MASK_WIDE_MIN. */
    bool (*mask)(uint8_t *data, size_t len, uint32_t key);
    void (*mask_copy)(uint8_t *to, const uint8_t *from, size_t len, uint32_t key);
    /*
     * How many bytes at the start of `data`, which begins at a code point, are surely valid and end
     * at a code point. It may give up early, at the latest where an offence is: the caller goes on
     * from there byte by byte.
     */
    size_t (*utf8_prefix)(const uint8_t *data, size_t len);
};

/** The best form for this processor; the same for every call. Any thread. */
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
