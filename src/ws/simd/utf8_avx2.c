/*
 * utf8_avx2.c - the prefix of utf8.c, thirty-two bytes at a time. Built with -mavx2; called only if
 * the processor has it.
 *
 * The method of J. Keiser and D. Lemire, "Validating UTF-8 in less than one instruction per byte"
 * (2020): each error that two neighbouring bytes can show is a bit. Three tables of 16 entries,
 * indexed by the halves of the first byte and the upper half of the second, say which errors these
 * halves allow; an error that all three allow is there. Errors that need three or four bytes, a
 * missing or extra continuation, are the difference between "two continuations in a row" and "a
 * long lead byte was two or three places before".
 */
#include "ws/simd/simd.h"

#include <immintrin.h>

/* The errors, as bits of a table entry. */
#define SHORT 0x01      /* lead byte, then no continuation */
#define LONG 0x02       /* ASCII, then a continuation */
#define OVERLONG_3 0x04 /* e0, then below a0 */
#define BEYOND 0x08     /* f4, then 90 or above; f5 and above, then 90 or above */
#define SURROGATE 0x10  /* ed, then a0 or above */
#define OVERLONG_2 0x20 /* c0 or c1 */
#define FOUR_80 0x40    /* f0, or f5 and above, then 8x */
#define TWO 0x80        /* a continuation, then a continuation: valid or not, see above */

/* Errors that do not depend on the lower half of the first byte. */
#define ANY_LOW (SHORT | LONG | TWO)

#define EACH_HALF(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

static __m256i first_upper_table(void)
{
    return EACH_HALF(LONG, LONG, LONG, LONG, LONG, LONG, LONG, LONG, (char)TWO, (char)TWO,
                     (char)TWO, (char)TWO, SHORT | OVERLONG_2, SHORT,
                     SHORT | OVERLONG_3 | SURROGATE, SHORT | BEYOND | FOUR_80);
}

static __m256i first_lower_table(void)
{
    const char zero = (char)(ANY_LOW | OVERLONG_3 | OVERLONG_2 | FOUR_80);
    const char one = (char)(ANY_LOW | OVERLONG_2);
    const char low = (char)ANY_LOW;
    const char four = (char)(ANY_LOW | BEYOND);
    const char high = (char)(ANY_LOW | BEYOND | FOUR_80);
    const char thirteen = (char)(ANY_LOW | BEYOND | FOUR_80 | SURROGATE);

    return EACH_HALF(zero, one, low, low, four, high, high, high, high, high, high, high, high,
                     thirteen, high, high);
}

static __m256i second_upper_table(void)
{
    const char eight = (char)(LONG | TWO | OVERLONG_2 | OVERLONG_3 | FOUR_80);
    const char nine = (char)(LONG | TWO | OVERLONG_2 | OVERLONG_3 | BEYOND);
    const char rest = (char)(LONG | TWO | OVERLONG_2 | SURROGATE | BEYOND);

    return EACH_HALF(SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, eight, nine, rest,
                     rest, SHORT, SHORT, SHORT, SHORT);
}

static __m256i upper_half(__m256i bytes)
{
    return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0f));
}

/* `bytes` moved up by n, the gap filled with the end of `before`. */
#define MOVED_UP(bytes, before, n)                                                                 \
 _mm256_alignr_epi8(bytes, _mm256_permute2x128_si256(before, bytes, 0x21), 16 - (n))

static inline __m256i errors_of(__m256i bytes, __m256i before)
{
    __m256i first = MOVED_UP(bytes, before, 1);
    __m256i lower = _mm256_and_si256(first, _mm256_set1_epi8(0x0f));
    __m256i pair = _mm256_and_si256(
        _mm256_and_si256(_mm256_shuffle_epi8(first_upper_table(), upper_half(first)),
                         _mm256_shuffle_epi8(first_lower_table(), lower)),
        _mm256_shuffle_epi8(second_upper_table(), upper_half(bytes)));
    __m256i third = _mm256_subs_epu8(MOVED_UP(bytes, before, 2), _mm256_set1_epi8(0xe0 - 0x80));
    __m256i fourth = _mm256_subs_epu8(MOVED_UP(bytes, before, 3), _mm256_set1_epi8(0xf0 - 0x80));
    __m256i must_continue =
        _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)TWO));

    return _mm256_xor_si256(must_continue, pair);
}

/*
 * The last position at or before `at` where a code point begins. The bytes before `at` are valid,
 * but may be cut.
 */
static size_t whole_code_points(const uint8_t *data, size_t at)
{
    for (size_t back = 1; back <= 3 && back <= at; back++) {
        uint8_t byte = data[at - back];

        if (byte >= 0xc0) {
            size_t code_point_len = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;

            return code_point_len > back ? at - back : at;
        }
    }
    return at;
}

static inline __m256i load(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

/*
 * One more vector after the blocks, so that fewer than 32 bytes are left for the bytewise loop;
 * this halves the time of a short text.
 */
static size_t add_half_block(const uint8_t *data, size_t at, size_t len, __m256i before)
{
    if (at + 32 <= len) {
        __m256i errors = errors_of(load(data + at), before);

        if (_mm256_testz_si256(errors, errors))
            at += 32;
    }
    return whole_code_points(data, at);
}

size_t dx_utf8_prefix_avx2(const uint8_t *data, size_t len)
{
    __m256i before = _mm256_setzero_si256();
    size_t at = 0;

    for (; at + 64 <= len; at += 64) {
        __m256i low = load(data + at);
        __m256i high = load(data + at + 32);
        __m256i errors;

        /* All ASCII, and the block before did not end inside a code point: no lookup is needed. */
        if (_mm256_movemask_epi8(_mm256_or_si256(low, high)) == 0) {
            if (whole_code_points(data, at) != at)
                return whole_code_points(data, at);
            before = high;
            continue;
        }
        errors = _mm256_or_si256(errors_of(low, before), errors_of(high, low));
        if (!_mm256_testz_si256(errors, errors))
            return whole_code_points(data, at);
        before = high;
    }
    return add_half_block(data, at, len, before);
}
