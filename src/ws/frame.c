/*
 * frame.c - reads and writes the header of a frame (RFC 6455 5.2). What is allowed is checked
 * elsewhere.
 */
#include "ws/frame.h"

#include "ws/simd/mask.h"

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

/* ---- for programs that work on frames themselves ---- */

/* What is forbidden in any frame, as far as the first bytes show it (5.2, 5.5). */
static bool is_forbidden(const uint8_t *in, size_t in_len)
{
    uint8_t opcode = in[0] & DX_FRAME_OPCODE;

    if (!dx_opcode_is_control(opcode))
        return opcode > DX_OP_BINARY;
    if (opcode > DX_OP_PONG || !(in[0] & DX_FRAME_FIN))
        return true;
    return in_len > 1 && (in[1] & DX_FRAME_LENGTH) > DX_CONTROL_MAX;
}

enum dx_err dx_frame_read(const uint8_t *in, size_t in_len, struct dx_frame *frame,
                          size_t *header_len)
{
    size_t len;

    if (in_len > 0 && is_forbidden(in, in_len))
        return DX_ERR_PROTOCOL;
    if (in_len < 2 || in_len < 2 + dx_frame_extended_len(in[1]))
        return DX_ERR_AGAIN;
    if (!dx_frame_length_is_minimal(in) || dx_frame_payload_len(in) > INT64_MAX)
        return DX_ERR_PROTOCOL;
    len = 2 + dx_frame_extended_len(in[1]) + (in[1] & DX_FRAME_MASKED ? DX_FRAME_KEY_LEN : 0);
    if (in_len < len)
        return DX_ERR_AGAIN;
    *frame = (struct dx_frame){.opcode = (enum dx_opcode)(in[0] & DX_FRAME_OPCODE),
                               .is_final = (in[0] & DX_FRAME_FIN) != 0,
                               .rsv1 = (in[0] & DX_FRAME_RSV1) != 0,
                               .rsv2 = (in[0] & DX_FRAME_RSV2) != 0,
                               .rsv3 = (in[0] & DX_FRAME_RSV3) != 0,
                               .is_masked = (in[1] & DX_FRAME_MASKED) != 0,
                               .payload_len = dx_frame_payload_len(in)};
    if (frame->is_masked)
        memcpy(frame->key, in + len - DX_FRAME_KEY_LEN, DX_FRAME_KEY_LEN);
    *header_len = len;
    return DX_OK;
}

size_t dx_frame_write(const struct dx_frame *frame, uint8_t header[DX_FRAME_HEADER_MAX])
{
    unsigned first = (unsigned)frame->opcode & DX_FRAME_OPCODE;

    first |= frame->is_final ? DX_FRAME_FIN : 0;
    first |= frame->rsv1 ? DX_FRAME_RSV1 : 0;
    first |= frame->rsv2 ? DX_FRAME_RSV2 : 0;
    first |= frame->rsv3 ? DX_FRAME_RSV3 : 0;
    return dx_frame_header_write(header, (uint8_t)first, frame->payload_len,
                                 frame->is_masked ? frame->key : NULL);
}

void dx_frame_mask(uint8_t *payload, size_t len, const uint8_t key[4], uint64_t at)
{
    uint32_t turned = dx_mask_key_advance(dx_mask_key_load(key), (size_t)(at & 3));

    (void)dx_mask(dx_simd_get(), payload, len, turned);
}
