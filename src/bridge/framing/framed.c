/*
 * framed.c - what the framings share: queueing a frame, and freeing a state.
 */
#include "bridge/framing/framing.h"

#include <stdlib.h>
#include <string.h>

void dx_framing_release(struct dx_framing_state *state)
{
    free(state->carry);
    *state = (struct dx_framing_state){0};
}

enum dx_err dx_frame_out(struct dx_endpoint *endpoint, enum dx_opcode opcode, const uint8_t *data,
                         size_t len, bool is_last, struct dx_framed *framed)
{
    size_t room = DX_FRAME_HEADER_MAX + (len <= DX_BLOCK_ROOM - DX_FRAME_HEADER_MAX ? len : 0);
    size_t header_len;
    uint8_t *at;
    enum dx_err err = dx_output_reserve(endpoint->output, room, &at);

    if (err == DX_OK)
        err = dx_endpoint_begin_frame(endpoint, opcode, len, is_last, at, &header_len);
    if (err != DX_OK)
        return err;
    framed->message_count += is_last;
    framed->payload_len += len;
    if (room > DX_FRAME_HEADER_MAX || len == 0) {
        if (len > 0)
            memcpy(at + header_len, data, len);
        dx_output_commit(endpoint->output, header_len + len);
        return DX_OK;
    }
    dx_output_commit(endpoint->output, header_len);
    return dx_output_append(endpoint->output, data, len);
}

struct dx_framing_refusal dx_framing_written(enum dx_err err)
{
    if (err == DX_OK)
        return (struct dx_framing_refusal){0, NULL};
    return (struct dx_framing_refusal){DX_CLOSE_TRY_AGAIN, "out of memory"};
}
