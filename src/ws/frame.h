/*
 * frame.h - the header of a frame as bytes (RFC 6455 5.2): its bits and its length, reading and
 * writing.
 *
 * Which headers are allowed, and when, is checked by the endpoint.
 */
#ifndef DX_WS_FRAME_H
#define DX_WS_FRAME_H

#include <duplex/endpoint.h>
#include <duplex/frame.h>

/* Bits of the first byte, without the opcode. */
#define DX_FRAME_FIN 0x80
#define DX_FRAME_RSV1 0x40
#define DX_FRAME_RSV2 0x20
#define DX_FRAME_RSV3 0x10
#define DX_FRAME_OPCODE 0x0f

/* Bits of the second byte, and the two values of its length that announce a longer one. */
#define DX_FRAME_MASKED 0x80
#define DX_FRAME_LENGTH 0x7f
#define DX_FRAME_LENGTH_16 126
#define DX_FRAME_LENGTH_64 127

#define DX_FRAME_KEY_LEN 4

static inline bool dx_opcode_is_control(uint8_t opcode)
{
    return (opcode & 0x8) != 0;
}

/** How many bytes of extended payload length follow this second byte: 0, 2 or 8. */
static inline size_t dx_frame_extended_len(uint8_t second)
{
    uint8_t length = second & DX_FRAME_LENGTH;

    return length < DX_FRAME_LENGTH_16 ? 0 : length == DX_FRAME_LENGTH_16 ? 2 : 8;
}

/** The length of the header of a frame with `payload_len` bytes: 2 .. DX_FRAME_HEADER_MAX. */
static inline size_t dx_frame_header_len(uint64_t payload_len, bool is_masked)
{
    size_t length_len = payload_len < DX_FRAME_LENGTH_16 ? 0 : payload_len <= UINT16_MAX ? 2 : 8;

    return 2 + length_len + (is_masked ? DX_FRAME_KEY_LEN : 0);
}

/**
 * The payload length that a header announces. Its first two bytes and extended length must be
 * complete.
 */
uint64_t dx_frame_payload_len(const uint8_t *header);

/**
 * Whether the length would fit a shorter form (RFC 6455 5.2: the minimal number of bytes MUST be
 * used).
 */
bool dx_frame_length_is_minimal(const uint8_t *header);

/**
 * Writes a header. `first` is the whole first byte; `key` the masking key, or NULL for an unmasked
 * frame. `header` has room for dx_frame_header_len bytes. Returns its length.
 */
size_t dx_frame_header_write(uint8_t *header, uint8_t first, uint64_t payload_len,
                             const uint8_t *key);

#endif
