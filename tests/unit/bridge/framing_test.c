/*
 * framing_test.c - lines and lengths: the same output of a program gives the same messages however its reads are cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bridge/lengths.h"

#define MESSAGES_MAX 64
#define ROOM DX_LINES_ROOM

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

/* Reads all that is queued with a client's endpoint, which also checks UTF-8 and the order of frames. */
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
    struct dx_lines lines;
    struct dx_lengths lengths;
    enum dx_invalid_utf8 policy;
    bool has_lengths;
    struct dx_framed framed;
    enum dx_err err;
};

static void run_init(struct run *run, bool has_lengths, enum dx_invalid_utf8 policy)
{
    static const struct dx_endpoint_config config = {
        .role = DX_ROLE_SERVER, .max_message = 1024, .max_fragments = 16};

    *run = (struct run){.has_lengths = has_lengths, .policy = policy};
    dx_pool_init(&run->pool, 4, SIZE_MAX);
    dx_output_init(&run->output, &run->pool);
    dx_endpoint_init(&run->endpoint, &config, &run->output);
}

static void run_release(struct run *run)
{
    dx_lines_release(&run->lines);
    dx_output_clear(&run->output);
    dx_endpoint_release(&run->endpoint);
    dx_pool_release(&run->pool);
}

/* One read: the bytes stand in memory of their exact size, so that a sanitizer sees each step outside. */
static void run_read(struct run *run, const uint8_t *data, size_t len)
{
    uint8_t *buffer = malloc(ROOM + len);

    if (run->err == DX_OK && len > 0) {
        memcpy(buffer + ROOM, data, len);
        run->err = run->has_lengths ? dx_lengths_feed(&run->lengths, &run->endpoint, run->policy,
                                                      buffer + ROOM, len, &run->framed)
                                    : dx_lines_feed(&run->lines, &run->endpoint, run->policy,
                                                    buffer + ROOM, len, &run->framed);
    }
    free(buffer);
}

static void run_end(struct run *run)
{
    if (run->err == DX_OK && !run->has_lengths)
        run->err = dx_lines_flush(&run->lines, &run->endpoint, run->policy, true, &run->framed);
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
    assert_null(run.lines.carry);
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

/* A line of 1 MiB of three-byte characters: fragments, constant memory, never cut inside a character. */
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
        assert_true(run.lines.carry_len == 0);
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
    assert_false(dx_lines_is_partial(&run.lines));
    run_read(&run, (const uint8_t *)"name: \xe8", 7);
    assert_true(dx_lines_is_partial(&run.lines));
    assert_int_equal(dx_lines_flush(&run.lines, &run.endpoint, run.policy, false, &run.framed),
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

static void the_header_to_the_program(void **state)
{
    uint8_t header[DX_LENGTHS_HEADER];

    (void)state;
    dx_lengths_header_write(header, DX_OP_TEXT, 0x01020304);
    assert_memory_equal(header, "t\1\2\3\4", 5);
    dx_lengths_header_write(header, DX_OP_BINARY, 0);
    assert_memory_equal(header, "b\0\0\0\0", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_cut_changes_the_messages),
        cmocka_unit_test(close_policy_ends_at_the_first_bad_byte),
        cmocka_unit_test(a_long_line_leaves_as_fragments),
        cmocka_unit_test(a_partial_line_can_be_flushed),
        cmocka_unit_test(a_bad_kind_is_an_error),
        cmocka_unit_test(the_header_to_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
