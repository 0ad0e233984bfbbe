/*
 * endpoint.c - fuzz target: frames of a hostile peer, for both roles.
 *
 * The first byte chooses the endpoint (ENDPOINT_… below), the second where the input is cut; the
 * rest is what the peer sends. Besides not crashing: whole and cut, the events and the bytes out
 * are the same; what goes out are whole frames, none after a Close; no message is larger than the
 * limit, no text is other than UTF-8, nothing comes after the end. The same bytes are repaired as
 * text, and masked by each form of that loop.
 */
#include "check.h"

#include "base/text.h"
#include "ws/endpoint.h"
#include "ws/simd/simd.h"

#define ENDPOINT_CLIENT 0x01
#define ENDPOINT_SMALL_LIMITS 0x02
#define ENDPOINT_BLOCKED 0x04
#define ENDPOINT_TRANSFORM 0x08
#define ENDPOINT_FRAGMENTS 0x10 /* it answers in fragments */
#define ENDPOINT_LARGE 0x20     /* it answers a hundredfold */

#define ANSWER_MAX 256 /* longer messages get no answer, nor do empty ones */

struct bytes {
    uint8_t *data;
    size_t len;
    size_t room;
};

/* One run: what it saw, and what it sent. */
struct run {
    struct dx_endpoint_config config;
    struct dx_pool pool;
    struct dx_output output;
    struct dx_endpoint endpoint;
    struct dx_transform_state transform_state;
    struct bytes seen;
    struct bytes message;
    struct bytes sent;
    bool is_inside;
    bool has_ended;
    uint8_t options;
};

static void append(struct bytes *bytes, const void *data, size_t len)
{
    if (bytes->len + len > bytes->room) {
        bytes->room = (bytes->len + len) * 2;
        bytes->data = realloc(bytes->data, bytes->room);
        CHECK(bytes->data != NULL);
    }
    if (len > 0)
        memcpy(bytes->data + bytes->len, data, len);
    bytes->len += len;
}

/* The first `len` bytes once more behind the last. */
static void append_again(struct bytes *bytes, size_t len)
{
    uint8_t copy[ANSWER_MAX];

    memcpy(copy, bytes->data, len);
    append(bytes, copy, len);
}

static bool fill_key(uint8_t *bytes, size_t len, void *context)
{
    (void)context;
    memset(bytes, 0x5c, len);
    return true;
}

/* A transform that swaps the case of letters, one byte a call, and refuses a zero byte. */
static enum dx_err swap_case(void *own, struct dx_transform_step *step)
{
    uint8_t *out = own;

    step->out = out;
    step->out_len = 0;
    if (step->in_len > 0) {
        if (*step->in == 0)
            return DX_ERR_PROTOCOL;
        *out = *step->in >= 'A' && (*step->in | 0x20) <= 'z' ? *step->in ^ 0x20 : *step->in;
        step->in++;
        step->in_len--;
        step->out_len = 1;
    }
    step->is_done = step->in_len == 0;
    return DX_OK;
}

static void send_fragment(struct run *run, enum dx_opcode opcode, size_t len, bool is_last)
{
    uint8_t header[DX_FRAME_HEADER_MAX];
    size_t header_len;

    if (run->config.role == DX_ROLE_CLIENT) {
        CHECK(dx_endpoint_send_fragment(&run->endpoint, opcode, run->message.data, len, is_last) ==
              DX_OK);
        return;
    }
    CHECK(dx_endpoint_begin_frame(&run->endpoint, opcode, len, is_last, header, &header_len) ==
          DX_OK);
    CHECK(dx_output_append(&run->output, header, header_len) == DX_OK);
    CHECK(dx_output_append(&run->output, run->message.data, len) == DX_OK);
}

static void answer(struct run *run, enum dx_opcode opcode)
{
    size_t len = run->message.len;

    for (int i = 0; (run->options & ENDPOINT_LARGE) != 0 && i < 99; i++) {
        append_again(&run->message, len);
    }
    if ((run->options & ENDPOINT_FRAGMENTS) == 0) {
        CHECK(dx_endpoint_send(&run->endpoint, opcode, run->message.data, run->message.len) ==
              DX_OK);
        return;
    }
    send_fragment(run, opcode, len, false);
    CHECK(dx_endpoint_send(&run->endpoint, opcode, NULL, 0) == DX_ERR_STATE);
    CHECK(dx_endpoint_ping(&run->endpoint, run->message.data, len < 126 ? len : 125) == DX_OK);
    send_fragment(run, opcode, run->message.len, true);
}

static void see_data(struct run *run, const struct dx_event *event)
{
    CHECK(event->opcode == DX_OP_TEXT || event->opcode == DX_OP_BINARY);
    CHECK(event->is_first == !run->is_inside);
    CHECK(event->len > 0 || event->is_last);
    if (event->is_first) {
        append(&run->seen, &event->opcode, 1);
        run->message.len = 0;
    }
    append(&run->seen, event->data, event->len);
    append(&run->message, event->data, event->len);
    CHECK(run->message.len <= run->config.max_message);
    run->is_inside = !event->is_last;
    if (!event->is_last)
        return;
    append(&run->seen, "]", 1);
    if (event->opcode == DX_OP_TEXT)
        CHECK(dx_text_is_utf8((struct dx_slice){run->message.data, run->message.len}));
    if (run->message.len > 0 && run->message.len <= ANSWER_MAX)
        answer(run, event->opcode);
}

static void see(struct run *run, const struct dx_event *event)
{
    CHECK(!run->has_ended);
    if (event->type == DX_EVENT_DATA) {
        see_data(run, event);
        return;
    }
    CHECK(event->len <= DX_CONTROL_MAX);
    append(&run->seen, &event->type, 1);
    append(&run->seen, &event->code, sizeof(event->code));
    append(&run->seen, event->data, event->len);
    if (event->type == DX_EVENT_CLOSE) {
        CHECK(dx_text_is_utf8((struct dx_slice){event->data, event->len}));
        CHECK(dx_endpoint_close(&run->endpoint, event->code, (const char *)event->data,
                                event->len) == DX_OK);
        run->has_ended = true;
    }
    if (event->type == DX_EVENT_FAIL) {
        CHECK(event->code == 1002 || event->code == 1007 || event->code == 1008 ||
              event->code == 1009);
        CHECK(event->detail != NULL && event->err != DX_OK);
        run->has_ended = true;
    }
}

/* From a copy that ends where the bytes end, so that one byte too far is seen by the sanitizer. */
static void feed(struct run *run, const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    struct dx_event event;

    CHECK(copy != NULL);
    memcpy(copy + 1, data, len);
    dx_endpoint_feed(&run->endpoint, copy + 1, len);
    while (dx_endpoint_next(&run->endpoint, &event) != DX_EVENT_NONE)
        see(run, &event);
    CHECK(dx_endpoint_next(&run->endpoint, &event) == DX_EVENT_NONE);
    CHECK(run->has_ended ==
          (dx_endpoint_is_failed(&run->endpoint) || dx_endpoint_close_is_received(&run->endpoint)));
    CHECK(!run->has_ended || !dx_endpoint_is_in_message(&run->endpoint));
    free(copy);
}

static void drain(struct run *run)
{
    struct dx_slice slice;

    while (dx_output_peek(&run->output, &slice, 1) > 0) {
        append(&run->sent, slice.data, slice.len);
        dx_output_consume(&run->output, slice.len);
    }
    CHECK(run->output.len == 0);
}

/* Whole frames, masked as they must be, and nothing after a Close. */
static void check_sent(const struct run *run)
{
    const uint8_t *at = run->sent.data, *end = at == NULL ? NULL : at + run->sent.len;
    size_t mask_len = run->config.role == DX_ROLE_CLIENT ? 4 : 0;
    bool is_closed = false;

    while (at < end) {
        uint64_t len;
        size_t header_len = 2;

        CHECK(!is_closed && end - at >= 2 && (at[0] & 0x70) == 0);
        CHECK((at[1] & 0x80) == (mask_len > 0 ? 0x80 : 0));
        is_closed = at[0] == 0x88;
        len = at[1] & 0x7f;
        if (len >= 126) {
            size_t field = len == 126 ? 2 : 8;

            CHECK(is_closed == false && (size_t)(end - at) >= 2 + field);
            len = 0;
            for (size_t i = 0; i < field; i++)
                len = len << 8 | at[2 + i];
            header_len += field;
        }
        CHECK((uint64_t)(end - at) >= header_len + mask_len + len);
        at += header_len + mask_len + len;
    }
    CHECK(is_closed == run->has_ended);
}

static void run_with(struct run *run, uint8_t options, const uint8_t *data, size_t len, size_t cut)
{
    static const struct dx_transform transform = {swap_case};
    static uint8_t transform_out;

    *run = (struct run){.options = options};
    run->config = (struct dx_endpoint_config){
        .role = (options & ENDPOINT_CLIENT) != 0 ? DX_ROLE_CLIENT : DX_ROLE_SERVER,
        .max_message = (options & ENDPOINT_SMALL_LIMITS) != 0 ? 40 : 1 << 20,
        .max_fragments = (options & ENDPOINT_SMALL_LIMITS) != 0 ? 3 : 1000,
        .fill_random = fill_key,
        .transform = (options & ENDPOINT_TRANSFORM) != 0 ? &transform : NULL,
    };
    dx_pool_init(&run->pool, 4, 64 << 20);
    dx_output_init(&run->output, &run->pool);
    dx_endpoint_init(&run->endpoint, &run->config, &run->output);
    run->transform_state.own = &transform_out;
    dx_endpoint_set_transform_state(&run->endpoint, &run->transform_state);
    dx_endpoint_set_blocked(&run->endpoint, (options & ENDPOINT_BLOCKED) != 0);
    for (size_t at = 0; at < len; at += cut)
        feed(run, data + at, len - at < cut ? len - at : cut);
    dx_endpoint_set_blocked(&run->endpoint, false);
    drain(run);
    check_sent(run);
}

static void run_release(struct run *run)
{
    dx_endpoint_release(&run->endpoint);
    dx_output_clear(&run->output);
    dx_pool_release(&run->pool);
    CHECK(run->pool.used_len == 0);
    free(run->seen.data);
    free(run->message.data);
    free(run->sent.data);
}

static bool is_same(const struct bytes *a, const struct bytes *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* Whatever it was, repaired it is valid, and the same however it came. */
static void check_repair(const uint8_t *data, size_t len, size_t cut)
{
    uint8_t *whole = malloc(DX_UTF8_REPAIR_ROOM(len)), *pieces = malloc(DX_UTF8_REPAIR_ROOM(len));
    size_t whole_count = 0, pieces_count = 0, whole_len, pieces_len = 0;
    struct dx_utf8_repair repair = {0};

    CHECK(whole != NULL && pieces != NULL);
    whole_len = dx_utf8_repair(&repair, data, len, true, whole, &whole_count);
    for (size_t at = 0; at < len; at += cut)
        pieces_len += dx_utf8_repair(&repair, data + at, len - at < cut ? len - at : cut,
                                     at + cut >= len, pieces + pieces_len, &pieces_count);
    CHECK(whole_len == pieces_len && memcmp(whole, pieces, whole_len) == 0);
    CHECK(whole_count == pieces_count && dx_utf8_is_valid(whole, whole_len));
    CHECK(dx_text_is_utf8((struct dx_slice){whole, whole_len}));
    CHECK((whole_count == 0) == dx_text_is_utf8((struct dx_slice){data, len}));
    CHECK(dx_utf8_is_valid(data, len) == (whole_count == 0));
    free(whole);
    free(pieces);
}

/* Every form of the wide loops says the same. */
static void check_forms(const uint8_t *data, size_t len)
{
    const struct dx_simd *simd = dx_simd_get();
    uint8_t *best = malloc(len), *plain = malloc(len);
    bool is_ascii;

    CHECK(best != NULL && plain != NULL);
    memcpy(best, data, len);
    memcpy(plain, data, len);
    is_ascii = simd->mask(best, len, 0x00c0ffee);
    CHECK(is_ascii == dx_mask_u64(plain, len, 0x00c0ffee));
    CHECK(memcmp(best, plain, len) == 0);
    dx_mask_copy_u64(plain, best, len, 0x00c0ffee);
    CHECK(memcmp(plain, data, len) == 0);
    CHECK(dx_utf8_is_valid(data, dx_utf8_prefix_u64(data, len)));
    CHECK(dx_utf8_is_valid(data, simd->utf8_prefix(data, len)));
    free(best);
    free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct run whole, cut;

    if (len < 2)
        return 0;
    if (len > 2)
        check_repair(data + 2, len - 2, 1 + data[1] % 40u);
    if (len >= DX_MASK_WIDE_MIN)
        check_forms(data, len);
    run_with(&whole, data[0], data + 2, len - 2, len);
    run_with(&cut, data[0], data + 2, len - 2, 1 + data[1] % 40u);
    CHECK(is_same(&whole.seen, &cut.seen));
    CHECK(is_same(&whole.sent, &cut.sent));
    run_release(&whole);
    run_release(&cut);
    return 0;
}
