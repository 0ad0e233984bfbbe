/*
 * endpoint_send.c - sending: queues messages, fragments and control frames on the output (RFC 6455
 * 5.1-5.5, 7.1).
 *
 * A frame is queued completely or not at all. When the output is sent is the owner's business.
 */
#include "ws/endpoint_internal.h"

#include <duplex/frame.h>
#include "ws/frame.h"
#include "ws/simd/mask.h"
#include "ws/simd/simd.h"

/*
 * A frame of up to this length is in one piece, so that it is one slice; it wastes at most as much
 * at the end of a block.
 */
#define CONTIGUOUS_MAX 1024

static bool may_not_send(const struct dx_endpoint *endpoint)
{
    return endpoint->close_is_sent || endpoint->is_failed;
}

static void put_payload(uint8_t *to, const uint8_t *data, size_t len, const uint8_t *key,
                        size_t offset)
{
    if (key == NULL)
        memcpy(to, data, len);
    else
        dx_mask_copy(dx_simd_get(), to, data, len,
                     dx_mask_key_advance(dx_mask_key_load(key), offset));
}

static enum dx_err queue_contiguous(struct dx_endpoint *endpoint, uint8_t first,
                                    const uint8_t *data, size_t len, const uint8_t *key)
{
    size_t header_len = dx_frame_header_len(len, key != NULL);
    uint8_t *at;
    enum dx_err err = dx_output_reserve(endpoint->output, header_len + len, &at);

    if (err != DX_OK)
        return err;
    (void)dx_frame_header_write(at, first, len, key);
    if (len > 0)
        put_payload(at + header_len, data, len, key, 0);
    dx_output_commit(endpoint->output, header_len + len);
    return DX_OK;
}

/*
 * Fills the rest of the tail, then block after block, and masks meanwhile. Takes everything back if
 * there is no block.
 */
static enum dx_err queue_spread(struct dx_endpoint *endpoint, uint8_t first, const uint8_t *data,
                                size_t len, const uint8_t *key)
{
    struct dx_output *output = endpoint->output;
    size_t len_before = output->len;
    size_t done = 0;
    uint8_t *at;
    enum dx_err err = dx_output_reserve(output, dx_frame_header_len(len, key != NULL), &at);

    if (err != DX_OK)
        return err;
    dx_output_commit(output, dx_frame_header_write(at, first, len, key));
    while (done < len) {
        size_t room = dx_output_tail_room(output);
        size_t part = room > 0 ? room : DX_BLOCK_ROOM;

        if (part > len - done)
            part = len - done;
        err = dx_output_reserve(output, part, &at);
        if (err != DX_OK)
            break;
        put_payload(at, data + done, part, key, done);
        dx_output_commit(output, part);
        done += part;
    }
    if (err != DX_OK)
        dx_output_truncate(output, len_before);
    return err;
}

static enum dx_err queue_frame(struct dx_endpoint *endpoint, uint8_t first, const void *data,
                               size_t len)
{
    const struct dx_endpoint_config *config = endpoint->config;
    uint8_t key_bytes[DX_FRAME_KEY_LEN];
    const uint8_t *key = NULL;

    if (config->role == DX_ROLE_CLIENT) {
        if (!config->fill_random(key_bytes, sizeof(key_bytes), config->random_user))
            return DX_ERR_SYSTEM;
        key = key_bytes;
    }
    if (len <= CONTIGUOUS_MAX)
        return queue_contiguous(endpoint, first, data, len, key);
    return queue_spread(endpoint, first, data, len, key);
}

static bool is_data_opcode(enum dx_opcode opcode)
{
    return opcode == DX_OP_TEXT || opcode == DX_OP_BINARY;
}

enum dx_err dx_endpoint_send(struct dx_endpoint *endpoint, enum dx_opcode opcode, const void *data,
                             size_t len)
{
    if (!is_data_opcode(opcode))
        return DX_ERR_USAGE;
    if (may_not_send(endpoint))
        return DX_ERR_CLOSED;
    if (endpoint->is_sending)
        return DX_ERR_STATE;
    return queue_frame(endpoint, (uint8_t)(DX_FRAME_FIN | opcode), data, len);
}

/* The first byte of the next frame of a fragmented message. */
static uint8_t fragment_first(const struct dx_endpoint *endpoint, enum dx_opcode opcode,
                              bool is_last)
{
    return (uint8_t)((is_last ? DX_FRAME_FIN : 0) |
                     (endpoint->is_sending ? DX_OP_CONTINUATION : opcode));
}

static enum dx_err judge_fragment(const struct dx_endpoint *endpoint, enum dx_opcode opcode)
{
    if (!endpoint->is_sending && !is_data_opcode(opcode))
        return DX_ERR_USAGE;
    return may_not_send(endpoint) ? DX_ERR_CLOSED : DX_OK;
}

enum dx_err dx_endpoint_send_fragment(struct dx_endpoint *endpoint, enum dx_opcode opcode,
                                      const void *data, size_t len, bool is_last)
{
    enum dx_err err = judge_fragment(endpoint, opcode);

    if (err == DX_OK)
        err = queue_frame(endpoint, fragment_first(endpoint, opcode, is_last), data, len);
    if (err == DX_OK)
        endpoint->is_sending = !is_last;
    return err;
}

enum dx_err dx_endpoint_begin_frame(struct dx_endpoint *endpoint, enum dx_opcode opcode,
                                    uint64_t len, bool is_last, uint8_t *header, size_t *header_len)
{
    enum dx_err err = judge_fragment(endpoint, opcode);

    if (endpoint->config->role == DX_ROLE_CLIENT || len >> 63 != 0)
        return DX_ERR_USAGE;
    if (err != DX_OK)
        return err;
    *header_len =
        dx_frame_header_write(header, fragment_first(endpoint, opcode, is_last), len, NULL);
    endpoint->is_sending = !is_last;
    return DX_OK;
}

static enum dx_err send_control(struct dx_endpoint *endpoint, enum dx_opcode opcode,
                                const void *data, size_t len)
{
    if (len > DX_CONTROL_MAX)
        return DX_ERR_USAGE;
    if (may_not_send(endpoint))
        return DX_ERR_CLOSED;
    return queue_frame(endpoint, (uint8_t)(DX_FRAME_FIN | opcode), data, len);
}

enum dx_err dx_endpoint_ping(struct dx_endpoint *endpoint, const void *data, size_t len)
{
    return send_control(endpoint, DX_OP_PING, data, len);
}

enum dx_err dx_endpoint_pong(struct dx_endpoint *endpoint, const void *data, size_t len)
{
    return send_control(endpoint, DX_OP_PONG, data, len);
}

enum dx_err dx_endpoint_answer(struct dx_endpoint *endpoint, const uint8_t *data, size_t len)
{
    enum dx_err err;

    if (may_not_send(endpoint))
        return DX_OK;
    if (endpoint->is_blocked) {
        struct dx_control *earlier = dx_endpoint_aside(endpoint, ASIDE_PONG);

        if (earlier != NULL)
            earlier->len = 0;
        return dx_endpoint_put_aside(endpoint, ASIDE_PONG, data, len);
    }
    err = dx_endpoint_pong(endpoint, data, len);
    if (err == DX_OK)
        dx_endpoint_drop_aside(endpoint,
                               ASIDE_PONG); /* this one replaces an older one that waited */
    return err;
}

void dx_endpoint_set_blocked(struct dx_endpoint *endpoint, bool blocked)
{
    const struct dx_control *pong = dx_endpoint_aside(endpoint, ASIDE_PONG);

    endpoint->is_blocked = blocked;
    if (!blocked && pong != NULL && dx_endpoint_pong(endpoint, pong->bytes, pong->len) == DX_OK)
        dx_endpoint_drop_aside(endpoint, ASIDE_PONG);
}

enum dx_err dx_endpoint_queue_close(struct dx_endpoint *endpoint, uint16_t code, const char *reason,
                                    size_t reason_len)
{
    uint8_t body[DX_CONTROL_MAX];
    size_t len = 0;
    enum dx_err err;

    if (code != DX_CLOSE_NO_STATUS) {
        body[0] = (uint8_t)(code >> 8);
        body[1] = (uint8_t)code;
        len = 2 + reason_len;
        if (reason_len > 0)
            memcpy(body + 2, reason, reason_len);
    }
    err = queue_frame(endpoint, DX_FRAME_FIN | DX_OP_CLOSE, body, len);
    if (err == DX_OK) {
        endpoint->close_is_sent = true;
        endpoint->is_sending = false;
        dx_endpoint_drop_aside(endpoint, ASIDE_PONG);
    }
    return err;
}

enum dx_err dx_endpoint_close(struct dx_endpoint *endpoint, uint16_t code, const char *reason,
                              size_t reason_len)
{
    if (code == DX_CLOSE_NO_STATUS ? reason_len > 0 : !dx_close_code_is_valid(code))
        return DX_ERR_USAGE;
    if (!dx_utf8_is_valid((const uint8_t *)reason, reason_len))
        return DX_ERR_USAGE;
    if (endpoint->close_is_sent)
        return DX_OK;
    if (reason_len > DX_CLOSE_REASON_MAX)
        reason_len = dx_utf8_cut((const uint8_t *)reason, DX_CLOSE_REASON_MAX);
    return dx_endpoint_queue_close(endpoint, code, reason, reason_len);
}
