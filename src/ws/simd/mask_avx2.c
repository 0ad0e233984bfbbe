/*
 * mask_avx2.c - the XOR of mask.h, thirty-two bytes at a time. Built with -mavx2; called only if
 * the processor has it.
 */
#include "ws/simd/mask.h"

#include <immintrin.h>

static __m256i load(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

static void store(uint8_t *at, __m256i value)
{
    _mm256_storeu_si256((__m256i *)(void *)at, value);
}

static inline int mask_16_to_32(uint8_t *to, const uint8_t *from, size_t len, uint32_t key)
{
    __m128i head = _mm_loadu_si128((const __m128i *)(const void *)from);
    __m128i tail = _mm_loadu_si128((const __m128i *)(const void *)(from + len - 16));

    head = _mm_xor_si128(head, _mm_set1_epi32((int)key));
    tail = _mm_xor_si128(tail, _mm_set1_epi32((int)dx_mask_key_advance(key, len)));
    _mm_storeu_si128((__m128i *)(void *)to, head);
    _mm_storeu_si128((__m128i *)(void *)(to + len - 16), tail);
    return _mm_movemask_epi8(_mm_or_si128(head, tail));
}

/*
 * The last vector is read before the loop may overwrite some of it, and written after it, so that
 * no loop handles a rest.
 */
static inline int mask_long(uint8_t *to, const uint8_t *from, size_t len, uint32_t key)
{
    __m256i wide = _mm256_set1_epi32((int)key);
    __m256i tail = _mm256_xor_si256(load(from + len - 32),
                                    _mm256_set1_epi32((int)dx_mask_key_advance(key, len)));
    __m256i seen = tail;
    size_t at = 0;

    for (; at + 128 <= len; at += 128) {
        __m256i a = _mm256_xor_si256(load(from + at), wide);
        __m256i b = _mm256_xor_si256(load(from + at + 32), wide);
        __m256i c = _mm256_xor_si256(load(from + at + 64), wide);
        __m256i d = _mm256_xor_si256(load(from + at + 96), wide);

        store(to + at, a);
        store(to + at + 32, b);
        store(to + at + 64, c);
        store(to + at + 96, d);
        seen = _mm256_or_si256(seen, _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d)));
    }
    for (; at + 32 <= len; at += 32) {
        __m256i a = _mm256_xor_si256(load(from + at), wide);

        store(to + at, a);
        seen = _mm256_or_si256(seen, a);
    }
    store(to + len - 32, tail);
    return _mm256_movemask_epi8(seen);
}

bool dx_mask_avx2(uint8_t *data, size_t len, uint32_t key)
{
    if (len < 32)
        return mask_16_to_32(data, data, len, key) == 0;
    return mask_long(data, data, len, key) == 0;
}

void dx_mask_copy_avx2(uint8_t *to, const uint8_t *from, size_t len, uint32_t key)
{
    if (len < 32)
        (void)mask_16_to_32(to, from, len, key);
    else
        (void)mask_long(to, from, len, key);
}
