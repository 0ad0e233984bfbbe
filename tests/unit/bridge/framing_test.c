/*
 * framing_test.c - lines and lengths: the same output of a program gives the same messages however
 * its reads are cut. The other direction: framing_write_test.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/test.h"

#include "bridge/framing/framing.h"

#define MESSAGES_MAX 64
#define ROOM DX_FRAMING_ROOM

/* ---- what a client would see ---- */

struct seen {
    char kinds[MESSAGES_MAX];
    uint8_t *data[MESSAGES_MAX];
    size_t len[MESSAGES_MAX];
    size_t count;
    bool is_open; /* the last message is not finished */
    struct dx_endpoint client;
    struct dx_output answers;
    struct dx_pool pool;
};

static void see_init(struct seen *seen)
{
    static const struct dx_endpoint_config config = {
        .role = DX_ROLE_CLIENT, .max_message = UINT64_MAX, .max_fragments = UINT32_MAX};

    *seen = (struct seen){.count = 0};
    dx_pool_init(&seen->pool, 1, SIZE_MAX);
    dx_output_init(&seen->answers, &seen->pool);
    dx_endpoint_init(&seen->client, &config, &seen->answers);
}

static void see_release(struct seen *seen)
{
    for (size_t i = 0; i < seen->count + seen->is_open; i++)
        free(seen->data[i]);
    dx_endpoint_release(&seen->client);
    dx_output_clear(&seen->answers);
    dx_pool_release(&seen->pool);
}

static void see_piece(struct seen *seen, const struct dx_event *event)
{
    size_t at = seen->count;

    assert_true(at < MESSAGES_MAX);
    assert_int_equal(event->is_first, !seen->is_open);
    if (event->is_first) {
        seen->kinds[at] = event->opcode == DX_OP_TEXT ? 't' : 'b';
        seen->data[at] = NULL;
        seen->len[at] = 0;
    }
    seen->data[at] = realloc(seen->data[at], seen->len[at] + event->len + 1);
    memcpy(seen->data[at] + seen->len[at], event->data, event->len);
    seen->len[at] += event->len;
    seen->is_open = !event->is_last;
    seen->count += event->is_last;
}

/*
 * Reads all that is queued with a client's endpoint, which also checks UTF-8 and the order of
 * frames.
 */
static void see(struct dx_output *output, struct seen *seen)
{
    struct dx_slice slice;
    struct dx_event event;

    while (dx_output_peek(output, &slice, 1) == 1) {
        uint8_t *copy = malloc(slice.len);

        memcpy(copy, slice.data, slice.len);
        dx_endpoint_feed(&seen->client, copy, slice.len);
        while (dx_endpoint_next(&seen->client, &event) != DX_EVENT_NONE) {
            assert_int_equal(event.type, DX_EVENT_DATA);
            see_piece(seen, &event);
        }
        free(copy);
        dx_output_consume(output, slice.len);
    }
}

/* ---- a program whose output is cut into reads ---- */

struct run {
    struct dx_pool pool;
    struct dx_output output;
    struct dx_endpoint endpoint;
    struct dx_framing_state state;
    const struct dx_framing_ops *framing;
    enum dx_invalid_utf8 policy;
    struct dx_framed framed;
    enum dx_err err;
};

static void run_init(struct run *run, bool has_lengths, enum dx_invalid_utf8 policy)
{
    static const struct dx_endpoint_config config = {
        .role = DX_ROLE_SERVER, .max_message = 1024, .max_fragments = 16};

    *run = (struct run){.framing = has_lengths ? &dx_framing_length : &dx_framing_lines,
                        .policy = policy};
    dx_pool_init(&run->pool, 4, SIZE_MAX);
    dx_output_init(&run->output, &run->pool);
    dx_endpoint_init(&run->endpoint, &config, &run->output);
}

static void run_release(struct run *run)
{
    dx_framing_release(&run->state);
    dx_output_clear(&run->output);
    dx_endpoint_release(&run->endpoint);
    dx_pool_release(&run->pool);
}

/*
 * One read: the bytes stand in memory of their exact size, so that a sanitizer sees each step
 * outside.
 */
static void run_read(struct run *run, const uint8_t *data, size_t len)
{
    uint8_t *buffer = malloc(ROOM + len);

    if (run->err == DX_OK && len > 0) {
        memcpy(buffer + ROOM, data, len);
        run->err = run->framing->feed(&run->state, &run->endpoint, run->policy, buffer + ROOM, len,
                                      &run->framed);
    }
    free(buffer);
}

static void run_end(struct run *run)
{
    if (run->err == DX_OK)
        run->err =
            run->framing->flush(&run->state, &run->endpoint, run->policy, true, &run->framed);
}

/* ---- the table ---- */

struct expected {
    char kind;
    const char *text;
    size_t len;
};

#define T(text)                                                                                    \
 {                                                                                                 \
  't', text, sizeof(text) - 1                                                                      \
 }
#define B(text)                                                                                    \
 {                                                                                                 \
  'b', text, sizeof(text) - 1                                                                      \
 }
#define IN(text) text, sizeof(text) - 1

static const struct row {
    const char *name;
    const char *in;
    size_t in_len;
    bool has_lengths;
    size_t replaced_count;
    size_t count;
    struct expected expected[6];
} rows[] = {
    {"three lines", IN("1\n2\n3\n"), false, 0, 3, {T("1"), T("2"), T("3")}},
    {"an empty line", IN("\n"), false, 0, 1, {T("")}},
    {"CRLF is cut once", IN("a\r\nb\r\r\n"), false, 0, 2, {T("a"), T("b\r")}},
    {"a lone CR stays", IN("a\rb\n\r"), false, 0, 2, {T("a\rb"), T("\r")}},
    {"the last line without its end", IN("a\nlast"), false, 0, 2, {T("a"), T("last")}},
    {"nothing", IN(""), false, 0, 0, {{0}}},
    {"NUL passes", IN("a\0b\n"), false, 0, 1, {T("a\0b")}},
    {"Chinese",
     IN("\xe8\x80\x81\xe5\xbc\xa0\n\xe6\x97\xa9"),
     false,
     0,
     2,
     {T("\xe8\x80\x81\xe5\xbc\xa0"), T("\xe6\x97\xa9")}},
    {"four bytes", IN("\xf0\x9f\x98\x80\n"), false, 0, 1, {T("\xf0\x9f\x98\x80")}},
    {"a bad byte",
     IN("a\xff"
        "b\nc\n"),
     false,
     1,
     2,
     {T("a\xef\xbf\xbd"
        "b"),
      T("c")}},
    {"a code point cut by a newline",
     IN("\xe8\x80\nx\n"),
     false,
     1,
     2,
     {T("\xef\xbf\xbd"), T("x")}},
    {"a code point cut by the end", IN("x\xe8\x80"), false, 1, 1, {T("x\xef\xbf\xbd")}},
    {"a surrogate", IN("\xed\xa0\x80\n"), false, 3, 1, {T("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")}},
    {"text and binary", IN("t\0\0\0\2hib\0\0\0\3\xff\n\0"), true, 0, 2, {T("hi"), B("\xff\n\0")}},
    {"empty messages", IN("t\0\0\0\0b\0\0\0\0t\0\0\0\1x"), true, 0, 3, {T(""), B(""), T("x")}},
    {"length: a bad byte",
     IN("t\0\0\0\3a\xff"
        "b"),
     true,
     1,
     1,
     {T("a\xef\xbf\xbd"
        "b")}},
    {"length: a code point cut by the end",
     IN("t\0\0\0\2x\xe8t\0\0\0\1y"),
     true,
     1,
     2,
     {T("x\xef\xbf\xbd"), T("y")}},
};

static void check(const struct row *row, struct run *run, const struct seen *seen, size_t cut)
{
    bool is_right = run->err == DX_OK && seen->count == row->count && !seen->is_open &&
                    run->framed.replaced_count == row->replaced_count;

    for (size_t i = 0; is_right && i < row->count; i++)
        is_right = seen->kinds[i] == row->expected[i].kind &&
                   seen->len[i] == row->expected[i].len &&
                   memcmp(seen->data[i], row->expected[i].text, seen->len[i]) == 0;
    if (!is_right)
        fail_msg("%s, cut at %zu: %s, %zu messages, %zu replaced", row->name, cut,
                 dx_err_name(run->err), seen->count, run->framed.replaced_count);
}

/* Cuts at `first` and `second`; a cut at the end is none. With `step`, one byte a read. */
static void run_row(const struct row *row, size_t first, size_t second, bool is_bytewise)
{
    const uint8_t *in = (const uint8_t *)row->in;
    struct seen seen;
    struct run run;

    see_init(&seen);
    run_init(&run, row->has_lengths, DX_INVALID_UTF8_REPLACE);
    for (size_t i = 0; is_bytewise && i < row->in_len; i++)
        run_read(&run, in + i, 1);
    if (!is_bytewise) {
        run_read(&run, in, first);
        run_read(&run, in + first, second - first);
        run_read(&run, in + second, row->in_len - second);
    }
    run_end(&run);
    see(&run.output, &seen);
    check(row, &run, &seen, first);
    assert_null(run.state.carry);
    see_release(&seen);
    run_release(&run);
}

static void no_cut_changes_the_messages(void **state)
{
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run_row(&rows[i], 0, 0, true);
        for (size_t first = 0; first <= rows[i].in_len; first++)
            for (size_t second = first; second <= rows[i].in_len; second++, count++)
                run_row(&rows[i], first, second, false);
    }
    print_message("%zu cuts\n", count);
}

static void close_policy_ends_at_the_first_bad_byte(void **state)
{
    struct seen seen;
    struct run run;

    (void)state;
    run_init(&run, false, DX_INVALID_UTF8_CLOSE);
    run_read(&run, (const uint8_t *)"good\n\xe8", 6);
    assert_int_equal(run.err, DX_OK);
    run_read(&run, (const uint8_t *)"\x80\x81\nbad\xff\nafter\n", 14);
    assert_int_equal(run.err, DX_ERR_UTF8);
    see_init(&seen);
    see(&run.output, &seen);
    assert_int_equal(seen.count, 2); /* what was said before it is not lost */
    assert_memory_equal(seen.data[1], "\xe8\x80\x81", 3);
    assert_int_equal(run.framed.message_count, 2);
    assert_int_equal(run.framed.payload_len, 7);
    see_release(&seen);
    run_release(&run);
}

/*
 * A line of 1 MiB of three-byte characters: fragments, constant memory, never cut inside a
 * character.
 */
static void a_long_line_leaves_as_fragments(void **state)
{
    enum { READ = 65536 - 1, READS = 16 };
    uint8_t *chunk = malloc(READ);
    struct seen seen;
    struct run run;
    size_t fed = 0;

    (void)state;
    see_init(&seen);
    run_init(&run, false, DX_INVALID_UTF8_CLOSE);
    for (int i = 0; i < READS; i++) {
        for (size_t at = 0; at < READ; at++, fed++)
            chunk[at] = (uint8_t) "\xe8\x80\x81"[fed % 3];
        run_read(&run, chunk, READ);
        assert_int_equal(run.err, DX_OK);
        assert_true(run.output.len <= READ + DX_LINES_CARRY_MAX + DX_FRAME_HEADER_MAX);
        assert_true(run.state.carry_len == 0);
        see(&run.output, &seen);
        assert_true(seen.is_open);
    }
    run_read(&run, (const uint8_t *)"\nnext\n", 6);
    see(&run.output, &seen);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.len[0], (size_t)READ * READS);
    assert_int_equal(seen.len[1], 4);
    see_release(&seen);
    run_release(&run);
    free(chunk);
}

static void a_partial_line_can_be_flushed(void **state)
{
    struct seen seen;
    struct run run;

    (void)state;
    see_init(&seen);
    run_init(&run, false, DX_INVALID_UTF8_REPLACE);
    assert_false(run.framing->is_partial(&run.state));
    run_read(&run, (const uint8_t *)"name: \xe8", 7);
    assert_true(run.framing->is_partial(&run.state));
    assert_int_equal(run.framing->flush(&run.state, &run.endpoint, run.policy, false, &run.framed),
                     DX_OK);
    run_read(&run, (const uint8_t *)"\x80\x81\n", 3);
    see(&run.output, &seen);
    assert_int_equal(seen.count, 2);
    assert_memory_equal(seen.data[0], "name: ", 6);
    assert_memory_equal(seen.data[1], "\xe8\x80\x81", 3);
    assert_int_equal(run.framed.replaced_count, 0);
    see_release(&seen);
    run_release(&run);
}

static void a_bad_kind_is_an_error(void **state)
{
    struct run run;

    (void)state;
    run_init(&run, true, DX_INVALID_UTF8_REPLACE);
    run_read(&run, (const uint8_t *)"x", 1);
    assert_int_equal(run.err, DX_ERR_PROTOCOL);
    run_release(&run);
}

static void a_message_cut_by_the_end_is_an_error(void **state)
{
    struct run run;

    (void)state;
    run_init(&run, true, DX_INVALID_UTF8_REPLACE);
    run_read(&run, (const uint8_t *)"t\0\0\0\2h", 6);
    assert_int_equal(run.err, DX_OK);
    run_end(&run);
    assert_int_equal(run.err, DX_ERR_PROTOCOL);
    run_release(&run);
}

/* ---- the short way of ASCII lines against the general one ---- */

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/*
 * A text whose bytes are usual but for one in `oddity`: NUL, CR, a high byte, a whole code point.
 */
static size_t make_text(uint8_t *text, size_t len, uint32_t oddity, uint32_t seed)
{
    static const char *const odd[] = {"\r", "\xff", "\xe8\x80\x81", "\r\n", "\n", "\x7f"};
    size_t at = 0;

    while (at < len) {
        uint32_t line_len = random_next(&seed) % 301;

        for (uint32_t i = 0; i < line_len && at < len; i++) {
            const char *piece = odd[random_next(&seed) % 6];

            if (random_next(&seed) % oddity != 0)
                text[at++] = (uint8_t)(' ' + random_next(&seed) % 95);
            else if (random_next(&seed) % 7 == 0)
                text[at++] = '\0';
            else
                for (; *piece && at < len; piece++)
                    text[at++] = (uint8_t)*piece;
        }
        if (at < len && random_next(&seed) % 5 == 0)
            text[at++] = '\r';
        if (at < len)
            text[at++] = '\n';
    }
    return at;
}

/* All that is queued, in one piece; the output is empty afterwards. */
static uint8_t *take_bytes(struct dx_output *output, size_t *len)
{
    uint8_t *bytes = malloc(output->len + 1);
    struct dx_slice slice;

    *len = 0;
    while (dx_output_peek(output, &slice, 1) == 1) {
        memcpy(bytes + *len, slice.data, slice.len);
        *len += slice.len;
        dx_output_consume(output, slice.len);
    }
    return bytes;
}

/* What comes of one byte a read, for which there is no short way. */
struct reference {
    const uint8_t *in;
    size_t in_len;
    uint8_t *bytes;
    size_t len;
    struct dx_framed framed;
};

static struct reference refer_to(const uint8_t *in, size_t in_len)
{
    struct reference reference = {.in = in, .in_len = in_len};
    struct run run;

    run_init(&run, false, DX_INVALID_UTF8_REPLACE);
    for (size_t i = 0; i < in_len; i++)
        run_read(&run, in + i, 1);
    run_end(&run);
    assert_int_equal(run.err, DX_OK);
    reference.framed = run.framed;
    reference.bytes = take_bytes(&run.output, &reference.len);
    run_release(&run);
    return reference;
}

/* Two reads, with `before` bytes of an earlier frame in the first block of the output. */
static void agree(const struct reference *reference, size_t cut, size_t before)
{
    static const uint8_t earlier[DX_BLOCK_ROOM];
    struct run run;
    uint8_t *bytes;
    size_t len;

    run_init(&run, false, DX_INVALID_UTF8_REPLACE);
    assert_int_equal(dx_output_append(&run.output, earlier, before), DX_OK);
    run_read(&run, reference->in, cut);
    run_read(&run, reference->in + cut, reference->in_len - cut);
    run_end(&run);
    assert_int_equal(run.err, DX_OK);
    bytes = take_bytes(&run.output, &len);
    assert_int_equal(len, before + reference->len);
    assert_memory_equal(bytes + before, reference->bytes, reference->len);
    assert_int_equal(run.framed.message_count, reference->framed.message_count);
    assert_int_equal(run.framed.payload_len, reference->framed.payload_len);
    assert_int_equal(run.framed.replaced_count, reference->framed.replaced_count);
    free(bytes);
    run_release(&run);
}

static void the_short_way_makes_the_same_frames(void **state)
{
    enum { LEN = 1300, LONG_LEN = 40000 };
    static const uint32_t oddities[] = {UINT32_MAX, 2000, 300, 20, 3};
    uint8_t *text = malloc(LONG_LEN);
    struct reference reference;
    uint32_t seed = 0;
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (int round = 0; round < 2; round++) {
            reference = refer_to(text, make_text(text, LEN, oddities[i], seed++));
            for (size_t cut = 0; cut <= LEN; cut++, count++)
                agree(&reference, cut, 0);
            free(reference.bytes);
            /* Lines over the borders of the output's blocks, wherever these come. */
            reference = refer_to(text, make_text(text, LONG_LEN, oddities[i] * 16, seed++));
            for (size_t before = 0; before < DX_BLOCK_ROOM; before += 151, count++)
                agree(&reference, before * 2, before);
            free(reference.bytes);
        }
    print_message("%zu cuts and borders\n", count);
    free(text);
}

/* Lines of one length, around all that the short way treats apart. */
static void lines_of_every_length(void **state)
{
    enum { LENGTH_MAX = 1100, LEN = 3 * (LENGTH_MAX + 1) };
    uint8_t *text = malloc(LEN);

    (void)state;
    for (size_t length = 0; length <= LENGTH_MAX; length += length < 300 || length > 1000 ? 1 : 7) {
        size_t len = length < 300 ? 900 : LEN;
        struct reference reference;

        for (size_t i = 0; i < len; i++)
            text[i] = i % (length + 1) == length ? '\n' : (uint8_t)('a' + i % 26);
        reference = refer_to(text, len);
        agree(&reference, 0, 0);
        agree(&reference, length / 2, DX_BLOCK_ROOM - length);
        free(reference.bytes);
    }
    free(text);
}

/* The short way asks what dx_endpoint_begin_frame would say. */
static void the_short_way_keeps_the_endpoint_s_rules(void **state)
{
    uint8_t text[400];
    struct seen seen;
    struct run run;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[199] = text[399] = '\n';
    run_init(&run, false, DX_INVALID_UTF8_REPLACE);
    assert_int_equal(dx_endpoint_send_fragment(&run.endpoint, DX_OP_TEXT, "begun ", 6, false),
                     DX_OK);
    run_read(&run, text, sizeof(text)); /* the first line ends the message that is begun */
    assert_int_equal(run.err, DX_OK);
    see_init(&seen);
    see(&run.output, &seen);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.len[0], 6 + 199);
    assert_int_equal(seen.len[1], 199);
    see_release(&seen);
    assert_int_equal(dx_endpoint_close(&run.endpoint, 1000, "", 0), DX_OK);
    dx_output_clear(&run.output);
    run_read(&run, text, sizeof(text));
    assert_int_equal(run.err, DX_ERR_CLOSED);
    assert_int_equal(run.output.len, 0);
    run_release(&run);
}

/* Without memory: the error of the general way, and none for what needs no memory of the pool. */
static void the_short_way_has_no_errors_of_its_own(void **state)
{
    uint8_t text[400];
    struct run run;

    (void)state;
    memset(text, 'x', sizeof(text));
    run_init(&run, false, DX_INVALID_UTF8_REPLACE);
    run.pool.limit_len = 0;
    run_read(&run, text, sizeof(text));
    assert_int_equal(run.err, DX_OK);
    assert_int_equal(run.state.carry_len, sizeof(text));
    text[9] = '\n';
    run_read(&run, text, sizeof(text));
    assert_int_equal(run.err, DX_ERR_TOO_MANY);
    run_release(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_cut_changes_the_messages),
        cmocka_unit_test(close_policy_ends_at_the_first_bad_byte),
        cmocka_unit_test(a_long_line_leaves_as_fragments),
        cmocka_unit_test(a_partial_line_can_be_flushed),
        cmocka_unit_test(the_short_way_makes_the_same_frames),
        cmocka_unit_test(lines_of_every_length),
        cmocka_unit_test(the_short_way_keeps_the_endpoint_s_rules),
        cmocka_unit_test(the_short_way_has_no_errors_of_its_own),
        cmocka_unit_test(a_bad_kind_is_an_error),
        cmocka_unit_test(a_message_cut_by_the_end_is_an_error),
    };

    return run_group(tests, NULL, NULL);
}
