/*
 * mask_u64.c - the XOR of mask.h, eight bytes at a time, for any processor.
 */
#include "ws/simd/mask.h"

static uint64_t load(const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, 8);
    return word;
}

/*
 * The last eight bytes are read before the loop may overwrite some of them, and written after it.
 */
static inline uint64_t mask_long(uint8_t *to, const uint8_t *from, size_t len, uint32_t key)
{
    uint64_t wide = dx_mask_key_twice(key);
    uint64_t tail = load(from + len - 8) ^ dx_mask_key_twice(dx_mask_key_advance(key, len));
    uint64_t seen = tail;

    for (size_t at = 0; at + 8 <= len; at += 8) {
        uint64_t word = load(from + at) ^ wide;

        seen |= word;
        memcpy(to + at, &word, 8);
    }
    memcpy(to + len - 8, &tail, 8);
    return seen;
}

bool dx_mask_u64(uint8_t *data, size_t len, uint32_t key)
{
    return (mask_long(data, data, len, key) & DX_MASK_HIGH_BITS) == 0;
}

void dx_mask_copy_u64(uint8_t *to, const uint8_t *from, size_t len, uint32_t key)
{
    (void)mask_long(to, from, len, key);
}
