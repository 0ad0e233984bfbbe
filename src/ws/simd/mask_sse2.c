/*
 * mask_sse2.c - the XOR of mask.h, sixteen bytes at a time.
 */
#include "ws/simd/mask.h"

#include <emmintrin.h>

static __m128i load(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static void store(uint8_t *at, __m128i value)
{
    _mm_storeu_si128((__m128i *)(void *)at, value);
}

/*
 * The last vector is read before the loop may overwrite some of it, and written after it, so that
 * no loop handles a rest.
 */
static inline __m128i mask_long(uint8_t *to, const uint8_t *from, size_t len, uint32_t key)
{
    __m128i wide = _mm_set1_epi32((int)key);
    __m128i tail =
        _mm_xor_si128(load(from + len - 16), _mm_set1_epi32((int)dx_mask_key_advance(key, len)));
    __m128i seen = tail;
    size_t at = 0;

    for (; at + 64 <= len; at += 64) {
        __m128i a = _mm_xor_si128(load(from + at), wide);
        __m128i b = _mm_xor_si128(load(from + at + 16), wide);
        __m128i c = _mm_xor_si128(load(from + at + 32), wide);
        __m128i d = _mm_xor_si128(load(from + at + 48), wide);

        store(to + at, a);
        store(to + at + 16, b);
        store(to + at + 32, c);
        store(to + at + 48, d);
        seen = _mm_or_si128(seen, _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d)));
    }
    for (; at + 16 <= len; at += 16) {
        __m128i a = _mm_xor_si128(load(from + at), wide);

        store(to + at, a);
        seen = _mm_or_si128(seen, a);
    }
    store(to + len - 16, tail);
    return seen;
}

bool dx_mask_sse2(uint8_t *data, size_t len, uint32_t key)
{
    return _mm_movemask_epi8(mask_long(data, data, len, key)) == 0;
}

void dx_mask_copy_sse2(uint8_t *to, const uint8_t *from, size_t len, uint32_t key)
{
    (void)mask_long(to, from, len, key);
}
