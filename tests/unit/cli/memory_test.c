/*
 * memory_test.c - reading a command line, opening a log and building text with each allocation
 * failing in turn: one complaint, exit status 1, nothing leaked.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "support/test.h"

#include "cli/commands.h"
#include "cli/echo/echo.h"
#include "cli/log/log.h"
#include "cli/options/parse.h"
#include "cli/serve/serve.h"
#include "cli/text/buffer.h"
#include "support/failing/allocator.h"

static const char *const words[] = {
    "--route=/a=cat 'b c'",
    "--route=/b=cat",
    "--static=/x=y",
    "--static=z",
    "--env=A=b",
    "--env=C=d",
    "--origin=same",
    "--origin=null",
    "--host=example.org",
    "--port=0",
    "--listen=unix:/run/x",
    "--subprotocol=a",
    "--subprotocol=b",
    "-v",
    "--ladder=1s,2s,3s",
    "cat",
    NULL,
};

/* Lists that are still empty when the words are read get their defaults: an allocation, too. */
static const char *const few_words[] = {"-q", NULL};

static size_t parse_with_each_failing(const struct cli_command *command, const char *const *line)
{
    struct cli_config *config = test_malloc(command->config_len);
    bool has_failed = true;
    size_t nth = 0;

    while (has_failed) {
        struct cli_complaint complaint = {.exit_status = 0};
        bool is_good;

        failing_allocator_start(++nth);
        is_good = cli_parse(command, cli_commands, (char **)(uintptr_t)line, config, &complaint);
        cli_config_release(config);
        has_failed = failing_allocator_stop();
        assert_int_equal(failing_allocator_live(), 0);
        assert_int_equal(is_good, !has_failed);
        if (has_failed) {
            assert_int_equal(complaint.exit_status, CLI_EXIT_RESOURCE);
            assert_non_null(strstr(complaint.line, ": out of memory"));
        }
    }
    test_free(config);
    return nth - 1;
}

static void parsing_survives(void **state)
{
    size_t injected = parse_with_each_failing(&cli_serve, words);

    (void)state;
    assert_true(injected >= 17);
    injected += parse_with_each_failing(&cli_echo, few_words);
    print_message("%zu allocations failed\n", injected);
}

static void opening_a_log_survives(void **state)
{
    struct cli_log_config config = {.file = "/dev/null"};

    (void)state;
    failing_allocator_start(1);
    errno = 0;
    assert_null(cli_log_open(&config));
    assert_int_equal(errno, ENOMEM);
    assert_true(failing_allocator_stop());
    assert_int_equal(failing_allocator_live(), 0);
}

/* A buffer keeps what it had, and remembers. */
static void building_text_survives(void **state)
{
    struct cli_buffer buffer = {0};

    (void)state;
    cli_buffer_put_text(&buffer, "kept");
    failing_allocator_start(1);
    cli_buffer_printf(&buffer, "%*s", 1000, "");
    assert_true(failing_allocator_stop());
    assert_true(buffer.has_failed);
    assert_int_equal(cli_buffer_len(&buffer), 4);
    assert_memory_equal(cli_buffer_text(&buffer), "kept", 4);
    cli_buffer_release(&buffer);
    assert_false(buffer.has_failed);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsing_survives),
        cmocka_unit_test(opening_a_log_survives),
        cmocka_unit_test(building_text_survives),
    };

    return run_group(tests, NULL, NULL);
}
