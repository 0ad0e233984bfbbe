/*
 * simd_x86.c - the choice on x86-64: AVX2 where the processor has it, else SSE2, which all of them
 * have.
 *
 * AVX-512 was measured and left out: 0.95-1.6 times AVX2 on runs over 1 KiB, slower on runs under
 * 128 bytes.
 */
#include "ws/simd/simd.h"

const struct dx_simd *dx_simd_get(void)
{
    static const struct dx_simd avx2 = {dx_mask_avx2, dx_mask_copy_avx2, dx_utf8_prefix_avx2};
    static const struct dx_simd sse2 = {dx_mask_sse2, dx_mask_copy_sse2, dx_utf8_prefix_u64};

    return __builtin_cpu_supports("avx2") ? &avx2 : &sse2;
}
