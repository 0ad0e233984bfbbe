/*
 * framing_write_test.c - the framings: what a program reads of a client's messages.
 */

#include "support/test.h"

#include "bridge/framing/framing.h"

#define IN(text) text, sizeof(text) - 1

static const struct written_row {
    const char *name;
    const struct dx_framing_ops *framing;
    enum dx_newlines newlines;
    enum dx_opcode opcode;
    const char *message;
    size_t len;
    const char *written; /* NULL: refused */
    size_t written_len;
    uint16_t code;
} written_rows[] = {
    {"lines", &dx_framing_lines, DX_NEWLINES_KEEP, DX_OP_TEXT, IN("a\nb"), IN("a\nb\n"), 0},
    {"escaped", &dx_framing_lines, DX_NEWLINES_ESCAPE, DX_OP_TEXT, IN("\\a\n\r"),
     IN("\\\\a\\n\\r\n"), 0},
    {"rejected", &dx_framing_lines, DX_NEWLINES_REJECT, DX_OP_TEXT, IN("a\nb"), NULL, 0, 1003},
    {"binary to lines", &dx_framing_lines, DX_NEWLINES_KEEP, DX_OP_BINARY, IN("a"), NULL, 0, 1003},
    {"binary", &dx_framing_binary, DX_NEWLINES_REJECT, DX_OP_TEXT, IN("a\n"), IN("a\n"), 0},
    {"length", &dx_framing_length, DX_NEWLINES_REJECT, DX_OP_TEXT, IN("a\n"), IN("t\0\0\0\2a\n"),
     0},
    {"length of nothing", &dx_framing_length, DX_NEWLINES_KEEP, DX_OP_BINARY, IN(""),
     IN("b\0\0\0\0"), 0},
};

static void check_written(const struct written_row *row)
{
    struct dx_program_options options = dx_program_options_init();
    const struct dx_framing_piece piece = {row->opcode, (const uint8_t *)row->message, row->len,
                                           true};
    struct dx_framing_refusal refusal;
    struct dx_output output;
    struct dx_pool pool;
    struct dx_slice slice = {(const uint8_t *)"", 0};

    options.newlines = row->newlines;
    dx_pool_init(&pool, 4, SIZE_MAX);
    dx_output_init(&output, &pool);
    refusal = row->framing->write(&options, &piece, &output);
    (void)dx_output_peek(&output, &slice, 1); /* so little lies in one block */
    if (refusal.code != row->code || output.len != row->written_len ||
        slice.len != row->written_len ||
        memcmp(slice.data, row->written ? row->written : "", slice.len) != 0)
        fail_msg("%s: code %u, %zu bytes", row->name, refusal.code, output.len);
    dx_output_clear(&output);
    dx_pool_release(&pool);
}

static void messages_reach_the_program(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(written_rows) / sizeof(written_rows[0]); i++)
        check_written(&written_rows[i]);
}

/*
 * The length says more than its four bytes can; nothing is written, so that nothing is read of it.
 */
static void a_message_too_long_for_its_length(void **state)
{
    const struct dx_framing_piece piece = {DX_OP_BINARY, (const uint8_t *)"", (size_t)1 << 32,
                                           true};
    struct dx_program_options options = dx_program_options_init();
    struct dx_output output = {0};

    (void)state;
    assert_int_equal(dx_framing_length.write(&options, &piece, &output).code, 1009);
    assert_int_equal(output.len, 0);
}

static void each_value_has_its_framing(void **state)
{
    (void)state;
    assert_ptr_equal(dx_framing_ops(DX_FRAMING_LINES), &dx_framing_lines);
    assert_ptr_equal(dx_framing_ops(DX_FRAMING_BINARY), &dx_framing_binary);
    assert_ptr_equal(dx_framing_ops(DX_FRAMING_LENGTH), &dx_framing_length);
    assert_null(dx_framing_ops((enum dx_program_framing)(DX_FRAMING_LENGTH + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_reach_the_program),
        cmocka_unit_test(a_message_too_long_for_its_length),
        cmocka_unit_test(each_value_has_its_framing),
    };

    return run_group(tests, NULL, NULL);
}
