/*
 * binary.c - no framing: each read of the program's output is a binary message, and the program
 * reads the payloads of all messages as one stream.
 */
#include "bridge/framing/framing.h"

static enum dx_err flush(struct dx_framing_state *state, struct dx_endpoint *endpoint,
                         enum dx_invalid_utf8 policy, bool is_end, struct dx_framed *framed)
{
    (void)state;
    (void)endpoint;
    (void)policy;
    (void)is_end;
    (void)framed;
    return DX_OK;
}

static bool is_partial(const struct dx_framing_state *state)
{
    (void)state;
    return false;
}

static struct dx_framing_refusal write_piece(const struct dx_program_options *options,
                                             const struct dx_framing_piece *piece,
                                             struct dx_output *to)
{
    (void)options;
    return dx_framing_written(dx_output_append(to, piece->data, piece->len));
}

const struct dx_framing_ops dx_framing_binary = {
    .flush = flush,
    .is_partial = is_partial,
    .write = write_piece,
};
