/*
 * lengths.c - reads and writes the length framing.
 */
#include "bridge/framing/lengths.h"

#include <stdlib.h>

static uint32_t big_endian_32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

void dx_lengths_header_write(uint8_t header[DX_LENGTHS_HEADER], enum dx_opcode opcode, uint32_t len)
{
    header[0] = opcode == DX_OP_TEXT ? 't' : 'b';
    header[1] = (uint8_t)(len >> 24);
    header[2] = (uint8_t)(len >> 16);
    header[3] = (uint8_t)(len >> 8);
    header[4] = (uint8_t)len;
}

bool dx_lengths_is_partial(const struct dx_lengths *lengths)
{
    return lengths->header_len > 0;
}

/* Takes bytes of the header; true when it is whole. */
static bool take_header(struct dx_lengths *lengths, const uint8_t **data, size_t *len)
{
    while (lengths->header_len<DX_LENGTHS_HEADER && * len> 0) {
        lengths->header[lengths->header_len++] = *(*data)++;
        (*len)--;
        if (lengths->header_len == DX_LENGTHS_HEADER)
            lengths->left = big_endian_32(lengths->header + 1);
    }
    return lengths->header_len == DX_LENGTHS_HEADER;
}

static enum dx_err send_piece(struct dx_lengths *lengths, struct dx_endpoint *endpoint,
                              enum dx_opcode opcode, const uint8_t *data, size_t len, bool is_last,
                              struct dx_framed *framed)
{
    enum dx_err err;

    if (len == 0 && !is_last)
        return DX_OK; /* nothing but the begin of a code point */
    err = dx_frame_out(endpoint, opcode, data, len, is_last, framed);
    if (err == DX_OK)
        lengths->is_in_message = !is_last;
    return err;
}

static enum dx_err send_payload(struct dx_lengths *lengths, struct dx_endpoint *endpoint,
                                enum dx_invalid_utf8 policy, uint8_t *data, size_t len,
                                struct dx_framed *framed)
{
    bool is_last = len == lengths->left;
    struct dx_text_piece piece;
    enum dx_err err;

    if (lengths->header[0] == 'b') {
        err = send_piece(lengths, endpoint, DX_OP_BINARY, data, len, is_last, framed);
    } else {
        err = dx_text_pass(&lengths->text, policy, data, len, is_last, 0, &piece);
        if (err != DX_OK)
            return err;
        framed->replaced_count += piece.replaced_count;
        err = send_piece(lengths, endpoint, DX_OP_TEXT, piece.data, piece.len, is_last, framed);
        free(piece.owned);
    }
    lengths->left -= (uint32_t)len;
    if (is_last)
        lengths->header_len = 0;
    return err;
}

enum dx_err dx_lengths_feed(struct dx_lengths *lengths, struct dx_endpoint *endpoint,
                            enum dx_invalid_utf8 policy, uint8_t *data, size_t len,
                            struct dx_framed *framed)
{
    while (len > 0) {
        const uint8_t *at = data;
        size_t payload_len;
        enum dx_err err;
        bool is_whole = take_header(lengths, &at, &len);

        data += at - data;
        if (lengths->header[0] != 't' && lengths->header[0] != 'b')
            return DX_ERR_PROTOCOL;
        if (!is_whole)
            return DX_OK;
        if (len == 0 && lengths->left > 0)
            return DX_OK;
        payload_len = len < lengths->left ? len : lengths->left;
        err = send_payload(lengths, endpoint, policy, data, payload_len, framed);
        if (err != DX_OK)
            return err;
        data += payload_len;
        len -= payload_len;
    }
    return DX_OK;
}
