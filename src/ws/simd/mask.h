/*
 * mask.h - XOR with a masking key (RFC 6455 5.3), in place or while copying.
 *
 * A key is the four bytes of the frame, loaded into a uint32_t in the order of memory
 * (dx_mask_key_load).
 */
#ifndef DX_WS_MASK_H
#define DX_WS_MASK_H

#include "ws/simd/simd.h"

#include <string.h>

#define DX_MASK_HIGH_BITS 0x8080808080808080u

static inline uint32_t dx_mask_key_load(const uint8_t *bytes)
{
    uint32_t key;

    memcpy(&key, bytes, sizeof(key));
    return key;
}

/** The key for the bytes that follow after `len` bytes. */
static inline uint32_t dx_mask_key_advance(uint32_t key, size_t len)
{
    unsigned bits = 8 * (unsigned)(len & 3);
    bool is_little_endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

    if (bits == 0)
        return key;
    return is_little_endian ? key >> bits | key << (32 - bits) : key << bits | key >> (32 - bits);
}

static inline uint64_t dx_mask_key_twice(uint32_t key)
{
    return (uint64_t)key << 32 | key;
}

/* Both ends are read before one is written, so that they may overlap and no loop handles a rest. */
static inline uint64_t dx_mask_8_to_16(uint8_t *to, const uint8_t *from, size_t len, uint32_t key)
{
    uint64_t head, tail;

    memcpy(&head, from, 8);
    memcpy(&tail, from + len - 8, 8);
    head ^= dx_mask_key_twice(key);
    tail ^= dx_mask_key_twice(dx_mask_key_advance(key, len));
    memcpy(to, &head, 8);
    memcpy(to + len - 8, &tail, 8);
    return head | tail;
}

static inline uint64_t dx_mask_4_to_8(uint8_t *to, const uint8_t *from, size_t len, uint32_t key)
{
    uint32_t head, tail;

    memcpy(&head, from, 4);
    memcpy(&tail, from + len - 4, 4);
    head ^= key;
    tail ^= dx_mask_key_advance(key, len);
    memcpy(to, &head, 4);
    memcpy(to + len - 4, &tail, 4);
    return head | tail;
}

static inline uint64_t dx_mask_1_to_3(uint8_t *to, const uint8_t *from, size_t len, uint32_t key)
{
    uint8_t bytes[4];
    uint8_t first, middle, last;

    memcpy(bytes, &key, 4);
    first = from[0] ^ bytes[0];
    middle = from[len / 2] ^ bytes[len / 2];
    last = from[len - 1] ^ bytes[len - 1];
    to[0] = first;
    to[len / 2] = middle;
    to[len - 1] = last;
    return (uint64_t)(first | middle | last);
}

/**
 * For len < DX_MASK_WIDE_MIN; `to` may be `from`. Returns all resulting bytes, ORed together into
 * bytes of a word.
 */
static inline uint64_t dx_mask_short(uint8_t *to, const uint8_t *from, size_t len, uint32_t key)
{
    if (len >= 8)
        return dx_mask_8_to_16(to, from, len, key);
    if (len >= 4)
        return dx_mask_4_to_8(to, from, len, key);
    return len == 0 ? 0 : dx_mask_1_to_3(to, from, len, key);
}

/**
 * XORs `len` bytes in place. True: all resulting bytes are ASCII, so that text needs no other
 * check.
 */
static inline bool dx_mask(const struct dx_simd *simd, uint8_t *data, size_t len, uint32_t key)
{
    if (len < DX_MASK_WIDE_MIN)
        return (dx_mask_short(data, data, len, key) & DX_MASK_HIGH_BITS) == 0;
    return simd->mask(data, len, key);
}

/** XORs `len` bytes from `from` to `to`, which do not overlap. */
static inline void dx_mask_copy(const struct dx_simd *simd, uint8_t *to, const uint8_t *from,
                                size_t len, uint32_t key)
{
    if (len < DX_MASK_WIDE_MIN)
        (void)dx_mask_short(to, from, len, key);
    else
        simd->mask_copy(to, from, len, key);
}

#endif
