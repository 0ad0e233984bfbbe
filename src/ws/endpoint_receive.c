/*
 * endpoint_receive.c - receiving: bytes to events, one function for each state (RFC 6455 5, 7 and
 * 8.1).
 *
 * A header is checked byte by byte as it comes, so that the connection fails at the first byte that
 * breaks a rule, before any of the payload is read. What the owner does with events is its own
 * business.
 */
#include "ws/endpoint_internal.h"

#include <duplex/frame.h>
#include "ws/frame.h"
#include "ws/simd/mask.h"
#include "ws/simd/simd.h"

enum step {
    STEP_ON,      /* the state has changed: continue */
    STEP_STARVED, /* more input is needed */
    STEP_EVENT,   /* *event is filled */
};

#define BROKEN(name, text)                                                                         \
 static const struct dx_failure name = {DX_CLOSE_PROTOCOL_ERROR, DX_ERR_PROTOCOL, text}

BROKEN(reserved_bit, "a reserved bit is set and no extension gives it a meaning");
BROKEN(reserved_opcode, "the opcode is reserved");
BROKEN(fragmented_control, "a control frame is fragmented");
BROKEN(long_control, "a control frame is longer than 125 bytes");
BROKEN(nothing_to_continue, "a continuation frame continues no message");
BROKEN(message_in_message, "a message begins inside another one");
BROKEN(not_masked, "a frame from a client is not masked");
BROKEN(masked, "a frame from a server is masked");
BROKEN(not_minimal, "a payload length is not in its shortest form");
BROKEN(length_bit, "the highest bit of a payload length is set");
BROKEN(half_code, "the body of a Close is one byte long");
BROKEN(bad_code, "the close code must not be used");
static const struct dx_failure bad_reason = {DX_CLOSE_INVALID_DATA, DX_ERR_UTF8,
                                             "the close reason is not UTF-8"};
static const struct dx_failure bad_text = {DX_CLOSE_INVALID_DATA, DX_ERR_UTF8,
                                           "a text message is not UTF-8"};
static const struct dx_failure bad_data = {DX_CLOSE_INVALID_DATA, DX_ERR_PROTOCOL,
                                           "a message does not fit the extension that made it"};
static const struct dx_failure too_big = {DX_CLOSE_TOO_BIG, DX_ERR_TOO_BIG,
                                          "a message is larger than the limit"};
static const struct dx_failure too_many = {DX_CLOSE_POLICY, DX_ERR_TOO_MANY,
                                           "a message has more fragments than the limit allows"};
static const struct dx_failure no_memory = {DX_CLOSE_INTERNAL_ERROR, DX_ERR_NOMEM, "out of memory"};
static const struct dx_failure no_room = {DX_CLOSE_INTERNAL_ERROR, DX_ERR_NOMEM,
                                          "the limit of all buffers is reached"};
static const struct dx_failure no_random = {DX_CLOSE_INTERNAL_ERROR, DX_ERR_SYSTEM,
                                            "no randomness for a masking key"};

static enum step fail(struct dx_endpoint *endpoint, struct dx_event *event,
                      const struct dx_failure *failure)
{
    uint16_t code = failure->code;

    dx_endpoint_release(endpoint);
    if (!endpoint->close_is_sent &&
        dx_endpoint_queue_close(endpoint, code, failure->detail, strlen(failure->detail)) != DX_OK)
        code = DX_CLOSE_ABNORMAL;
    endpoint->is_failed = true;
    endpoint->state = STATE_DEAF;
    *event = (struct dx_event){
        .type = DX_EVENT_FAIL,
        .code = code,
        .err = failure->err,
        .detail = failure->detail,
    };
    return STEP_EVENT;
}

/* Moves input to the header until it has `want` bytes. False: there was not enough. */
static bool gather(struct dx_endpoint *endpoint, size_t want)
{
    size_t len = want - endpoint->header_len;

    if (len > endpoint->in_len)
        len = endpoint->in_len;
    if (len > 0) {
        memcpy(endpoint->header + endpoint->header_len, endpoint->in, len);
        endpoint->header_len = (uint8_t)(endpoint->header_len + len);
        endpoint->in += len;
        endpoint->in_len -= len;
    }
    return endpoint->header_len == want;
}

static uint8_t frame_opcode(const struct dx_endpoint *endpoint)
{
    return endpoint->header[0] & DX_FRAME_OPCODE;
}

static bool frame_is_final(const struct dx_endpoint *endpoint)
{
    return (endpoint->header[0] & DX_FRAME_FIN) != 0;
}

static const struct dx_failure *judge_control(const struct dx_endpoint *endpoint)
{
    if (frame_opcode(endpoint) > DX_OP_PONG)
        return &reserved_opcode;
    return frame_is_final(endpoint) ? NULL : &fragmented_control;
}

static const struct dx_failure *judge_data(const struct dx_endpoint *endpoint)
{
    uint8_t opcode = frame_opcode(endpoint);
    bool is_begun = endpoint->fragment_count > 0;

    if (opcode > DX_OP_BINARY)
        return &reserved_opcode;
    if (opcode == DX_OP_CONTINUATION && !is_begun)
        return &nothing_to_continue;
    if (opcode != DX_OP_CONTINUATION && is_begun)
        return &message_in_message;
    return endpoint->fragment_count < endpoint->config->max_fragments ? NULL : &too_many;
}

static const struct dx_failure *judge_reserved_bits(const struct dx_endpoint *endpoint)
{
    uint8_t bits = endpoint->header[0] & (DX_FRAME_RSV1 | DX_FRAME_RSV2 | DX_FRAME_RSV3);
    uint8_t opcode = frame_opcode(endpoint);

    if (endpoint->config->transform != NULL && opcode != DX_OP_CONTINUATION &&
        !dx_opcode_is_control(opcode))
        bits &= (uint8_t)~DX_FRAME_RSV1;
    return bits == 0 ? NULL : &reserved_bit;
}

static void begin_data(struct dx_endpoint *endpoint)
{
    if (endpoint->fragment_count++ > 0)
        return;
    endpoint->opcode = frame_opcode(endpoint);
    endpoint->message_len = 0;
    endpoint->message_is_transformed = (endpoint->header[0] & DX_FRAME_RSV1) != 0;
    if (endpoint->message_is_transformed)
        endpoint->transform_state->decoded_len = 0;
}

static enum step step_first(struct dx_endpoint *endpoint, struct dx_event *event)
{
    const struct dx_failure *failure;
    bool is_control;

    if (!gather(endpoint, 1))
        return STEP_STARVED;
    is_control = dx_opcode_is_control(frame_opcode(endpoint));
    failure = judge_reserved_bits(endpoint);
    if (failure == NULL)
        failure = is_control ? judge_control(endpoint) : judge_data(endpoint);
    if (failure != NULL)
        return fail(endpoint, event, failure);
    if (!is_control)
        begin_data(endpoint);
    endpoint->state = STATE_SECOND;
    return STEP_ON;
}

static const struct dx_failure *judge_second(const struct dx_endpoint *endpoint)
{
    uint8_t second = endpoint->header[1];

    if ((second & DX_FRAME_MASKED) != endpoint->mask_flag)
        return endpoint->mask_flag != 0 ? &not_masked : &masked;
    if (!dx_opcode_is_control(frame_opcode(endpoint)))
        return NULL;
    if ((second & DX_FRAME_LENGTH) > DX_CONTROL_MAX)
        return &long_control;
    if (frame_opcode(endpoint) == DX_OP_CLOSE && (second & DX_FRAME_LENGTH) == 1)
        return &half_code;
    return NULL;
}

static enum step step_second(struct dx_endpoint *endpoint, struct dx_event *event)
{
    const struct dx_failure *failure;

    if (!gather(endpoint, 2))
        return STEP_STARVED;
    failure = judge_second(endpoint);
    if (failure != NULL)
        return fail(endpoint, event, failure);
    endpoint->state = STATE_LENGTH;
    return STEP_ON;
}

static const struct dx_failure *judge_length(const struct dx_endpoint *endpoint)
{
    uint64_t len = dx_frame_payload_len(endpoint->header);

    if (len >> 63 != 0)
        return &length_bit;
    if (!dx_frame_length_is_minimal(endpoint->header))
        return &not_minimal;
    if (dx_opcode_is_control(frame_opcode(endpoint)))
        return NULL;
    return len <= endpoint->config->max_message - endpoint->message_len ? NULL : &too_big;
}

static enum step step_length(struct dx_endpoint *endpoint, struct dx_event *event)
{
    const struct dx_failure *failure;

    if (!gather(endpoint, 2 + dx_frame_extended_len(endpoint->header[1])))
        return STEP_STARVED;
    failure = judge_length(endpoint);
    if (failure != NULL)
        return fail(endpoint, event, failure);
    endpoint->payload_left = dx_frame_payload_len(endpoint->header);
    if (!dx_opcode_is_control(frame_opcode(endpoint)))
        endpoint->message_len += endpoint->payload_left;
    endpoint->state = STATE_KEY;
    return STEP_ON;
}

static enum step step_key(struct dx_endpoint *endpoint, struct dx_event *event)
{
    size_t key_at = 2 + dx_frame_extended_len(endpoint->header[1]);

    (void)event;
    if (endpoint->mask_flag != 0) {
        if (!gather(endpoint, key_at + DX_FRAME_KEY_LEN))
            return STEP_STARVED;
        endpoint->key = dx_mask_key_load(endpoint->header + key_at);
    }
    endpoint->state = dx_opcode_is_control(frame_opcode(endpoint)) ? STATE_CONTROL : STATE_DATA;
    return STEP_ON;
}

/*
 * Takes `len` bytes of payload from the input and unmasks them. True: they are all ASCII. False:
 * maybe not.
 */
static bool take_payload(struct dx_endpoint *endpoint, uint8_t **data, size_t len)
{
    bool is_ascii = false;

    *data = endpoint->in;
    if (endpoint->mask_flag != 0) {
        is_ascii = dx_mask(dx_simd_get(), endpoint->in, len, endpoint->key);
        endpoint->key = dx_mask_key_advance(endpoint->key, len);
    }
    endpoint->in += len;
    endpoint->in_len -= len;
    endpoint->payload_left -= len;
    return is_ascii;
}

static void end_frame(struct dx_endpoint *endpoint)
{
    endpoint->header_len = 0;
    endpoint->state = STATE_FIRST;
    if (frame_is_final(endpoint) && !dx_opcode_is_control(frame_opcode(endpoint)))
        endpoint->fragment_count = 0;
}

static enum step give(struct dx_endpoint *endpoint, struct dx_event *event, uint8_t *data,
                      size_t len, bool is_last)
{
    if (len == 0 && !is_last)
        return STEP_ON;
    *event = (struct dx_event){
        .type = DX_EVENT_DATA,
        .opcode = (enum dx_opcode)endpoint->opcode,
        .is_first = !endpoint->has_piece,
        .is_last = is_last,
        .data = data,
        .len = len,
    };
    endpoint->has_piece = !is_last;
    return STEP_EVENT;
}

/*
 * Gives the owner a piece of a text that may be invalid. The valid part is given first, so that the
 * owner sees the same bytes however the input was cut. If a text ends too early, its last byte is
 * the invalid one.
 */
static enum step give_text(struct dx_endpoint *endpoint, struct dx_event *event, uint8_t *data,
                           size_t len, bool is_last)
{
    size_t valid_len = dx_utf8_feed(&endpoint->utf8, data, len);

    if (valid_len == len) {
        if (!is_last || dx_utf8_is_complete(&endpoint->utf8))
            return give(endpoint, event, data, len, is_last);
        valid_len -= len > 0;
    }
    if (valid_len == 0)
        return fail(endpoint, event, &bad_text);
    endpoint->state = STATE_BAD_TEXT;
    return give(endpoint, event, data, valid_len, false);
}

static enum step give_checked(struct dx_endpoint *endpoint, struct dx_event *event, uint8_t *data,
                              size_t len, bool is_last)
{
    if (endpoint->opcode == DX_OP_TEXT)
        return give_text(endpoint, event, data, len, is_last);
    return give(endpoint, event, data, len, is_last);
}

static enum step step_data(struct dx_endpoint *endpoint, struct dx_event *event)
{
    size_t len = endpoint->in_len;
    bool is_ascii, is_last;
    uint8_t *data;

    if (len > endpoint->payload_left)
        len = (size_t)endpoint->payload_left;
    if (len == 0 && endpoint->payload_left > 0)
        return STEP_STARVED;
    is_ascii = take_payload(endpoint, &data, len);
    if (endpoint->message_is_transformed) {
        endpoint->in = data;
        endpoint->in_len += len;
        endpoint->transform_state->unmasked_len = len;
        endpoint->state = STATE_TRANSFORM;
        return STEP_ON;
    }
    is_last = endpoint->payload_left == 0 && frame_is_final(endpoint);
    if (endpoint->payload_left == 0)
        end_frame(endpoint);
    if (is_ascii && dx_utf8_is_complete(&endpoint->utf8))
        return give(endpoint, event, data, len, is_last);
    return give_checked(endpoint, event, data, len, is_last);
}

static const struct dx_failure *failure_of(enum dx_err err)
{
    switch (err) {
    case DX_ERR_NOMEM:
        return &no_memory;
    case DX_ERR_TOO_MANY:
        return &no_room;
    case DX_ERR_SYSTEM:
        return &no_random;
    default:
        return &bad_data;
    }
}

static enum step step_transform(struct dx_endpoint *endpoint, struct dx_event *event)
{
    struct dx_transform_state *state = endpoint->transform_state;
    bool is_end = endpoint->payload_left == 0 && frame_is_final(endpoint);
    struct dx_transform_step step = {
        .in = endpoint->in, .in_len = state->unmasked_len, .is_end = is_end};
    enum dx_err err = endpoint->config->transform->decode(state->own, &step);

    if (err != DX_OK)
        return fail(endpoint, event, failure_of(err));
    endpoint->in += state->unmasked_len - step.in_len;
    endpoint->in_len -= state->unmasked_len - step.in_len;
    state->unmasked_len = step.in_len;
    if (step.out_len > endpoint->config->max_message - state->decoded_len)
        return fail(endpoint, event, &too_big);
    state->decoded_len += step.out_len;
    if (step.is_done && endpoint->payload_left == 0)
        end_frame(endpoint);
    else if (step.is_done)
        endpoint->state = STATE_DATA;
    return give_checked(endpoint, event, step.out, step.out_len, is_end && step.is_done);
}

static enum step give_ping(struct dx_endpoint *endpoint, struct dx_event *event, uint8_t *data,
                           size_t len)
{
    enum dx_err err = dx_endpoint_answer(endpoint, data, len);

    if (err != DX_OK)
        return fail(endpoint, event, failure_of(err));
    *event = (struct dx_event){.type = DX_EVENT_PING, .data = data, .len = len};
    return STEP_EVENT;
}

static enum step give_close(struct dx_endpoint *endpoint, struct dx_event *event, uint8_t *data,
                            size_t len)
{
    uint16_t code = DX_CLOSE_NO_STATUS;

    if (len > 0) {
        code = (uint16_t)(data[0] << 8 | data[1]);
        data += 2;
        len -= 2;
        if (!dx_close_code_is_valid(code))
            return fail(endpoint, event, &bad_code);
        if (!dx_utf8_is_valid(data, len))
            return fail(endpoint, event, &bad_reason);
    }
    endpoint->close_is_received = true;
    endpoint->state = STATE_DEAF;
    *event = (struct dx_event){.type = DX_EVENT_CLOSE, .code = code, .data = data, .len = len};
    return STEP_EVENT;
}

static enum step give_control(struct dx_endpoint *endpoint, struct dx_event *event, uint8_t *data,
                              size_t len)
{
    uint8_t opcode = frame_opcode(endpoint);

    end_frame(endpoint);
    if (opcode == DX_OP_PING)
        return give_ping(endpoint, event, data, len);
    if (opcode == DX_OP_CLOSE)
        return give_close(endpoint, event, data, len);
    *event = (struct dx_event){.type = DX_EVENT_PONG, .data = data, .len = len};
    return STEP_EVENT;
}

static enum step step_control(struct dx_endpoint *endpoint, struct dx_event *event)
{
    struct dx_control *begun = dx_endpoint_aside(endpoint, ASIDE_FRAME);
    size_t len = (size_t)endpoint->payload_left;
    uint8_t *data;

    if (begun == NULL && endpoint->in_len >= len) {
        (void)take_payload(endpoint, &data, len);
        return give_control(endpoint, event, data, len);
    }
    if (len > endpoint->in_len)
        len = endpoint->in_len;
    if (len == 0)
        return STEP_STARVED;
    (void)take_payload(endpoint, &data, len);
    if (dx_endpoint_put_aside(endpoint, ASIDE_FRAME, data, len) != DX_OK)
        return fail(endpoint, event, &no_memory);
    if (endpoint->payload_left > 0)
        return STEP_STARVED;
    begun = dx_endpoint_aside(endpoint, ASIDE_FRAME);
    return give_control(endpoint, event, begun->bytes, begun->len);
}

static enum step step_bad_text(struct dx_endpoint *endpoint, struct dx_event *event)
{
    return fail(endpoint, event, &bad_text);
}

static enum step step_deaf(struct dx_endpoint *endpoint, struct dx_event *event)
{
    (void)event;
    endpoint->in_len = 0;
    return STEP_STARVED;
}

/*
 * The fast path: a whole unfragmented message of at most 125 bytes is in the input. False:
 * something else is, and nothing is changed.
 */
static inline bool take_small(struct dx_endpoint *endpoint, struct dx_event *event)
{
    uint8_t *in = endpoint->in;
    size_t header_len = endpoint->mask_flag != 0 ? 2 + DX_FRAME_KEY_LEN : 2;
    bool is_ascii = false;
    uint8_t opcode;
    size_t len;

    if (endpoint->state != STATE_FIRST || endpoint->fragment_count > 0 || endpoint->in_len < 2)
        return false;
    opcode = in[0] ^ DX_FRAME_FIN;
    len = (size_t)(in[1] ^ endpoint->mask_flag);
    if ((opcode != DX_OP_TEXT && opcode != DX_OP_BINARY) || len >= DX_FRAME_LENGTH_16 ||
        len > endpoint->config->max_message || endpoint->in_len < header_len + len)
        return false;
    endpoint->in += header_len + len;
    endpoint->in_len -= header_len + len;
    endpoint->opcode = opcode;
    in += header_len;
    if (endpoint->mask_flag != 0)
        is_ascii = dx_mask(dx_simd_get(), in, len, dx_mask_key_load(in - DX_FRAME_KEY_LEN));
    if (is_ascii || opcode == DX_OP_BINARY)
        (void)give(endpoint, event, in, len, true);
    else
        (void)give_text(endpoint, event, in, len, true);
    return true;
}

void dx_endpoint_feed(struct dx_endpoint *endpoint, uint8_t *data, size_t len)
{
    endpoint->in = data;
    endpoint->in_len = len;
}

enum dx_event_type dx_endpoint_next(struct dx_endpoint *endpoint, struct dx_event *event)
{
    static enum step (*const steps[STATE_COUNT])(struct dx_endpoint *, struct dx_event *) = {
        [STATE_FIRST] = step_first,     [STATE_SECOND] = step_second,
        [STATE_LENGTH] = step_length,   [STATE_KEY] = step_key,
        [STATE_DATA] = step_data,       [STATE_TRANSFORM] = step_transform,
        [STATE_CONTROL] = step_control, [STATE_BAD_TEXT] = step_bad_text,
        [STATE_DEAF] = step_deaf,
    };
    enum step step;

    if (endpoint->aside != NULL && endpoint->state != STATE_CONTROL)
        dx_endpoint_drop_aside(endpoint, ASIDE_FRAME); /* its event was handled */
    if (take_small(endpoint, event))
        return event->type;
    do
        step = steps[endpoint->state](endpoint, event);
    while (step == STEP_ON);
    if (step == STEP_STARVED)
        *event = (struct dx_event){.type = DX_EVENT_NONE};
    return event->type;
}
