/*
 * length.c - messages with a kind and a length, in both directions:
 *
 *     1 byte    't' text or 'b' binary
 *     4 bytes   length of the payload, big-endian
 *     payload
 */
#include "bridge/framing/framing.h"

#include <stdlib.h>

static uint32_t big_endian_32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Takes bytes of the header. True: it is complete. */
static bool take_header(struct dx_framing_state *state, const uint8_t **data, size_t *len)
{
    while (*len > 0 && state->header_len < DX_LENGTH_HEADER) {
        state->header[state->header_len++] = *(*data)++;
        (*len)--;
        if (state->header_len == DX_LENGTH_HEADER)
            state->left = big_endian_32(state->header + 1);
    }
    return state->header_len == DX_LENGTH_HEADER;
}

static enum dx_err send_piece(struct dx_framing_state *state, struct dx_endpoint *endpoint,
                              enum dx_opcode opcode, const uint8_t *data, size_t len, bool is_last,
                              struct dx_framed *framed)
{
    enum dx_err err;

    if (len == 0 && !is_last)
        return DX_OK; /* only a partial code point */
    err = dx_frame_out(endpoint, opcode, data, len, is_last, framed);
    if (err == DX_OK)
        state->is_in_message = !is_last;
    return err;
}

static enum dx_err send_payload(struct dx_framing_state *state, struct dx_endpoint *endpoint,
                                enum dx_invalid_utf8 policy, uint8_t *data, size_t len,
                                struct dx_framed *framed)
{
    bool is_last = len == state->left;
    struct dx_text_piece piece;
    enum dx_err err;

    if (state->header[0] == 'b') {
        err = send_piece(state, endpoint, DX_OP_BINARY, data, len, is_last, framed);
    } else {
        err = dx_text_pass(&state->text, policy, data, len, is_last, 0, &piece);
        if (err != DX_OK)
            return err;
        framed->replaced_count += piece.replaced_count;
        err = send_piece(state, endpoint, DX_OP_TEXT, piece.data, piece.len, is_last, framed);
        free(piece.owned);
    }
    state->left -= (uint32_t)len;
    if (is_last)
        state->header_len = 0;
    return err;
}

static enum dx_err feed(struct dx_framing_state *state, struct dx_endpoint *endpoint,
                        enum dx_invalid_utf8 policy, uint8_t *data, size_t len,
                        struct dx_framed *framed)
{
    while (len > 0) {
        const uint8_t *at = data;
        size_t payload_len;
        enum dx_err err;
        bool is_whole = take_header(state, &at, &len);

        data += at - data;
        if (state->header[0] != 't' && state->header[0] != 'b')
            return DX_ERR_PROTOCOL;
        if (!is_whole)
            return DX_OK;
        if (len == 0 && state->left > 0)
            return DX_OK;
        payload_len = len < state->left ? len : state->left;
        err = send_payload(state, endpoint, policy, data, payload_len, framed);
        if (err != DX_OK)
            return err;
        data += payload_len;
        len -= payload_len;
    }
    return DX_OK;
}

/*
 * A message that is cut by the end of file breaks the framing. Nothing can be sent before its end.
 */
static enum dx_err flush(struct dx_framing_state *state, struct dx_endpoint *endpoint,
                         enum dx_invalid_utf8 policy, bool is_end, struct dx_framed *framed)
{
    (void)endpoint;
    (void)policy;
    (void)framed;
    return is_end && state->header_len > 0 ? DX_ERR_PROTOCOL : DX_OK;
}

static bool is_partial(const struct dx_framing_state *state)
{
    (void)state;
    return false;
}

static struct dx_framing_refusal write_message(const struct dx_program_options *options,
                                               const struct dx_framing_piece *piece,
                                               struct dx_output *to)
{
    const size_t len = piece->len;
    const uint8_t header[DX_LENGTH_HEADER] = {piece->opcode == DX_OP_TEXT ? 't' : 'b',
                                              (uint8_t)(len >> 24), (uint8_t)(len >> 16),
                                              (uint8_t)(len >> 8), (uint8_t)len};
    enum dx_err err;

    (void)options;
    if (len > UINT32_MAX)
        return (struct dx_framing_refusal){DX_CLOSE_TOO_BIG,
                                           "longer than the length framing allows"};
    err = dx_output_append(to, header, sizeof(header));
    if (err == DX_OK)
        err = dx_output_append(to, piece->data, len);
    return dx_framing_written(err);
}

const struct dx_framing_ops dx_framing_length = {
    .feed = feed,
    .flush = flush,
    .is_partial = is_partial,
    .write = write_message,
    .wants_whole_messages = true,
};
