/*
 * sha1.c - SHA-1 (FIPS 180-4 section 6.1). Simple, not fast: an opening handshake has two blocks.
 */
#include "base/sha1.h"

#include <string.h>

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

/* The function and constant of round `t`. */
static uint32_t mix(unsigned t, uint32_t b, uint32_t c, uint32_t d)
{
    if (t < 20)
        return ((b & c) | (~b & d)) + 0x5a827999;
    if (t < 40)
        return (b ^ c ^ d) + 0x6ed9eba1;
    if (t < 60)
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    return (b ^ c ^ d) + 0xca62c1d6;
}

static void add_block(uint32_t state[5], const uint8_t *block)
{
    uint32_t w[80];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

    for (unsigned t = 0; t < 16; t++, block += 4)
        w[t] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 |
               block[3];
    for (unsigned t = 16; t < 80; t++)
        w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    for (unsigned t = 0; t < 80; t++) {
        uint32_t next = rotate(a, 5) + mix(t, b, c, d) + e + w[t];

        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void dx_sha1_init(struct dx_sha1 *sha1)
{
    *sha1 = (struct dx_sha1){
        .state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0},
    };
}

void dx_sha1_update(struct dx_sha1 *sha1, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    while (len > 0) {
        size_t used = sha1->len % sizeof(sha1->block);
        size_t part = sizeof(sha1->block) - used;

        if (part > len)
            part = len;
        memcpy(sha1->block + used, bytes, part);
        sha1->len += part;
        bytes += part;
        len -= part;
        if (used + part == sizeof(sha1->block))
            add_block(sha1->state, sha1->block);
    }
}

void dx_sha1_final(struct dx_sha1 *sha1, uint8_t digest[DX_SHA1_LEN])
{
    static const uint8_t padding[64] = {0x80};
    uint64_t bits = sha1->len * 8;
    size_t used = sha1->len % sizeof(sha1->block);
    uint8_t tail[8];

    for (unsigned i = 0; i < 8; i++)
        tail[i] = (uint8_t)(bits >> (56 - 8 * i));
    dx_sha1_update(sha1, padding, used < 56 ? 56 - used : 120 - used);
    dx_sha1_update(sha1, tail, sizeof(tail));
    for (unsigned i = 0; i < DX_SHA1_LEN; i++)
        digest[i] = (uint8_t)(sha1->state[i / 4] >> (24 - 8 * (i % 4)));
}
