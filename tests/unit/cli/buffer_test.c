/*
 * buffer_test.c - text that is built piece by piece, whole at any length.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#include "cli/text/buffer.h"

static void assert_text(const struct cli_buffer *buffer, const char *expected)
{
    assert_int_equal(cli_buffer_len(buffer), strlen(expected));
    assert_memory_equal(cli_buffer_text(buffer), expected, strlen(expected));
}

static void grows(void **state)
{
    struct cli_buffer buffer = {0};

    (void)state;
    cli_buffer_put(&buffer, "", 0);
    assert_null(cli_buffer_text(&buffer));
    cli_buffer_put_text(&buffer, "one");
    cli_buffer_put(&buffer, " two!", 4);
    cli_buffer_printf(&buffer, ", %d%s", 3, "");
    cli_buffer_printf(&buffer, "%s", "");
    assert_text(&buffer, "one two, 3");
    cli_buffer_drop(&buffer, 4);
    assert_text(&buffer, "two, 3");
    cli_buffer_drop(&buffer, 0);
    cli_buffer_drop(&buffer, 6);
    assert_text(&buffer, "");
    assert_false(buffer.has_failed);
    cli_buffer_release(&buffer);
}

/* Every length around what a buffer has room for, and a long one. */
static void prints_any_length(void **state)
{
    static const size_t lens[] = {1, 62, 63, 64, 65, 510, 511, 512, 513, 4095, 4096, 1000000};

    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct cli_buffer buffer = {0};
        char *text = malloc(lens[i] + 1);

        assert_non_null(text);
        memset(text, 'x', lens[i]);
        text[lens[i]] = '\0';
        cli_buffer_printf(&buffer, "<%s>", text);
        assert_int_equal(cli_buffer_len(&buffer), lens[i] + 2);
        assert_memory_equal(cli_buffer_text(&buffer) + 1, text, lens[i]);
        assert_int_equal(cli_buffer_text(&buffer)[lens[i] + 1], '>');
        free(text);
        cli_buffer_release(&buffer);
    }
}

static void gives_much_memory_back(void **state)
{
    struct cli_buffer buffer = {0};

    (void)state;
    cli_buffer_put_text(&buffer, "little");
    cli_buffer_clear(&buffer);
    assert_non_null(cli_buffer_text(&buffer));
    assert_non_null(cli_buffer_reserve(&buffer, 1 << 20));
    cli_buffer_commit(&buffer, 1);
    cli_buffer_clear(&buffer);
    assert_null(cli_buffer_text(&buffer));
    assert_int_equal(cli_buffer_len(&buffer), 0);
    cli_buffer_release(&buffer);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows),
        cmocka_unit_test(prints_any_length),
        cmocka_unit_test(gives_much_memory_back),
    };

    return run_group(tests, NULL, NULL);
}
