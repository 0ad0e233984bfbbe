/*
 * mask_test.c - every form of the XOR gives what one byte at a time gives, touches nothing else,
 * and knows ASCII.
 */
#include "ws/simd/mask.h"

#include <stdlib.h>

#include "support/test.h"

#define GUARD 32
#define LONGEST 700

static const struct dx_simd forms[] = {
    {dx_mask_u64, dx_mask_copy_u64, dx_utf8_prefix_u64},
#if defined(__x86_64__)
    {dx_mask_sse2, dx_mask_copy_sse2, dx_utf8_prefix_u64},
    {dx_mask_avx2, dx_mask_copy_avx2, dx_utf8_prefix_avx2},
#endif
};

static size_t form_count(void)
{
    size_t count = sizeof(forms) / sizeof(forms[0]);

    return dx_simd_get()->mask == forms[count - 1].mask ? count : count - 1;
}

static void fill(uint8_t *bytes, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

static void check(const struct dx_simd *form, size_t len, size_t offset)
{
    static const uint8_t key[4] = {0x9d, 0x03, 0xf0, 0x5a};
    uint8_t plain[GUARD + LONGEST + GUARD], wanted[sizeof(plain)], got[sizeof(plain)];
    size_t start = GUARD / 2 + offset;

    fill(plain, sizeof(plain), (unsigned)len);
    memcpy(wanted, plain, sizeof(plain));
    for (size_t i = 0; i < len; i++)
        wanted[start + i] ^= key[i % 4];
    memcpy(got, plain, sizeof(plain));
    dx_mask(form, got + start, len, dx_mask_key_load(key));
    assert_memory_equal(got, wanted, sizeof(plain));
    memcpy(got, plain, sizeof(plain));
    dx_mask_copy(form, got + start, plain + start, len, dx_mask_key_load(key));
    assert_memory_equal(got, wanted, sizeof(plain));
}

static void every_length_is_as_byte_by_byte(void **state)
{
    (void)state;
    for (size_t form = 0; form < form_count(); form++)
        for (size_t len = 0; len <= LONGEST - 8; len++)
            for (size_t offset = 0; offset < 8; offset += 3)
                check(&forms[form], len, offset);
}

static void key_advances_with_the_bytes(void **state)
{
    uint8_t bytes[4] = {1, 2, 3, 4};
    uint32_t key = dx_mask_key_load(bytes);

    (void)state;
    for (size_t len = 0; len < 9; len++) {
        uint8_t turned[4];
        uint32_t advanced = dx_mask_key_advance(key, len);

        memcpy(turned, &advanced, 4);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(turned[i], bytes[(i + len) % 4]);
    }
}

static void one_byte_above_ascii_is_seen_wherever_it_is(void **state)
{
    static const uint8_t key[4] = {0x80, 0x7f, 0xff, 0x01};

    (void)state;
    for (size_t form = 0; form < form_count(); form++) {
        for (size_t len = 0; len < 300; len++) {
            uint8_t data[300];

            for (size_t at = 0; at <= len; at++) { /* at == len: there is none */
                for (size_t i = 0; i < len; i++)
                    data[i] = (uint8_t)((i == at ? 0xc3 : 'a') ^ key[i % 4]);
                assert_int_equal(dx_mask(&forms[form], data, len, dx_mask_key_load(key)),
                                 at == len);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_is_as_byte_by_byte),
        cmocka_unit_test(key_advances_with_the_bytes),
        cmocka_unit_test(one_byte_above_ascii_is_seen_wherever_it_is),
    };

    return run_group(tests, NULL, NULL);
}
