/*
 * lines_ascii_portable.c - lines_ascii.h in plain C: memchr finds the newline; 8 bytes at a time
 * are checked and copied.
 */
#include "bridge/framing/lines_ascii.h"

#include <stdbool.h>
#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* False: a byte is above 127, and what was written does not count. */
static bool copy_ascii(uint8_t *to, const uint8_t *from, size_t len)
{
    uint64_t all = 0;
    size_t at = 0;

    for (; at + sizeof(all) <= len; at += sizeof(all)) {
        uint64_t word;

        memcpy(&word, from + at, sizeof(word));
        memcpy(to + at, &word, sizeof(word));
        all |= word;
    }
    for (; at < len; at++) {
        to[at] = from[at];
        all |= from[at];
    }
    return (all & HIGH_BITS) == 0;
}

static bool put_line(struct dx_packed *packed, const uint8_t *line, size_t taken_len, uint8_t *to,
                     size_t room)
{
    size_t len = taken_len;
    uint8_t *payload = dx_packed_open(packed, line, &len, to, room);

    if (!payload)
        return false;
    if (!copy_ascii(payload, line, len))
        return false;
    dx_packed_close(packed, taken_len, to, payload, len);
    return true;
}

struct dx_packed dx_lines_pack_ascii(const uint8_t *data, size_t len, uint8_t *to, size_t room)
{
    struct dx_packed packed = {0};
    const uint8_t *line = data;

    for (;;) {
        size_t left = len - packed.in_len;
        const uint8_t *newline =
            memchr(line, '\n', left <= DX_ASCII_LINE_MAX ? left : DX_ASCII_LINE_MAX + 2);

        if (!newline || !put_line(&packed, line, (size_t)(newline - line) + 1, to, room))
            return packed;
        line = newline + 1;
    }
}
