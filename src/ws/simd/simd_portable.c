/*
 * simd_portable.c - selects the portable forms, on processors without wide ones.
 */
#include "ws/simd/simd.h"

const struct dx_simd *dx_simd_get(void)
{
    static const struct dx_simd portable = {dx_mask_u64, dx_mask_copy_u64, dx_utf8_prefix_u64};

    return &portable;
}
