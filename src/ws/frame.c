/*
 * frame.c - reading and writing the header of a frame (RFC 6455 5.2). Not responsible for what is allowed.
 */
#include "ws/frame.h"

#include <string.h>

static uint64_t read_big_endian(const uint8_t *at, size_t len)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++)
        value = value << 8 | at[i];
    return value;
}

static void write_big_endian(uint8_t *at, size_t len, uint64_t value)
{
    for (size_t i = len; i > 0; i--) {
        at[i - 1] = (uint8_t)value;
        value >>= 8;
    }
}

uint64_t dx_frame_payload_len(const uint8_t *header)
{
    size_t extended_len = dx_frame_extended_len(header[1]);

    if (extended_len == 0)
        return header[1] & DX_FRAME_LENGTH;
    return read_big_endian(header + 2, extended_len);
}

bool dx_frame_length_is_minimal(const uint8_t *header)
{
    return dx_frame_extended_len(header[1]) + 2 ==
           dx_frame_header_len(dx_frame_payload_len(header), false);
}

size_t dx_frame_header_write(uint8_t *header, uint8_t first, uint64_t payload_len,
                             const uint8_t *key)
{
    size_t len = dx_frame_header_len(payload_len, false);

    header[0] = first;
    if (len == 2) {
        header[1] = (uint8_t)payload_len;
    } else {
        header[1] = len == 4 ? DX_FRAME_LENGTH_16 : DX_FRAME_LENGTH_64;
        write_big_endian(header + 2, len - 2, payload_len);
    }
    if (key != NULL) {
        header[1] |= DX_FRAME_MASKED;
        memcpy(header + len, key, DX_FRAME_KEY_LEN);
        len += DX_FRAME_KEY_LEN;
    }
    return len;
}
