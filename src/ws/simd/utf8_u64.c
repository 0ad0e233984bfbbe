/*
 * utf8_u64.c - the prefix of utf8.c for any processor: ASCII at the start, four words at a time.
 */
#include "ws/simd/simd.h"

#include <string.h>

size_t dx_utf8_prefix_u64(const uint8_t *data, size_t len)
{
    size_t at = 0;

    for (; at + 32 <= len; at += 32) {
        uint64_t words[4];

        memcpy(words, data + at, sizeof(words));
        if (((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080u) != 0)
            break;
    }
    return at;
}
