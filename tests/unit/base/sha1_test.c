/*
 * sha1_test.c - the vectors of FIPS 180 and RFC 6455, whole and in pieces of every size.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha1.h"

#include "support/test.h"

static const char *digest_of(const char *text, size_t len, size_t step)
{
    static char hex[2 * DX_SHA1_LEN + 1];
    uint8_t digest[DX_SHA1_LEN];
    struct dx_sha1 sha1;

    dx_sha1_init(&sha1);
    for (size_t at = 0; at < len; at += step)
        dx_sha1_update(&sha1, text + at, len - at < step ? len - at : step);
    dx_sha1_final(&sha1, digest);
    for (size_t i = 0; i < DX_SHA1_LEN; i++)
        sprintf(hex + 2 * i, "%02x", digest[i]);
    return hex;
}

static void published_vectors(void **state)
{
    static const struct {
        const char *text;
        const char *digest;
    } rows[] = {
        {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
        {"dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
         "b37a4f2cc0624f1690f64606cf385945b2bec4ea"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t step = 1; step < 70; step++)
            assert_string_equal(digest_of(rows[i].text, strlen(rows[i].text), step),
                                rows[i].digest);
}

static void a_million_letters(void **state)
{
    char *text = malloc(1000000);

    (void)state;
    assert_non_null(text);
    memset(text, 'a', 1000000);
    assert_string_equal(digest_of(text, 1000000, 999), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    free(text);
}

/* Every length around the padding's edge agrees with the same bytes given one by one. */
static void every_length_of_padding(void **state)
{
    static char text[200];
    char whole[2 * DX_SHA1_LEN + 1];

    (void)state;
    for (size_t len = 0; len < sizeof(text); len++) {
        strcpy(whole, digest_of(text, len, sizeof(text)));
        assert_string_equal(digest_of(text, len, 1), whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(a_million_letters),
        cmocka_unit_test(every_length_of_padding),
    };

    return run_group(tests, NULL, NULL);
}
