/*
 * parse_test.c - words into a config: spellings, order, defaults, where options end. Wrong words
 * are in tests/project/cli.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#include "cli/commands.h"
#include "cli/echo/echo.h"
#include "cli/options/parse.h"
#include "cli/serve/serve.h"

#define WORDS_MAX 12

/* Parses words for a command into its config; a complaint fails the test. */
static void parse(const struct cli_command *command, const char *const words[WORDS_MAX],
                  struct cli_config *config)
{
    struct cli_complaint complaint;

    if (!cli_parse(command, cli_commands, (char **)(uintptr_t)words, config, &complaint))
        fail_msg("%s", complaint.line);
}

static struct cli_serve_config parse_serve(const char *const words[WORDS_MAX])
{
    struct cli_serve_config config;

    parse(&cli_serve, words, &config.general);
    return config;
}

static struct cli_echo_config parse_echo(const char *const words[WORDS_MAX])
{
    struct cli_echo_config config;

    parse(&cli_echo, words, &config.general);
    return config;
}

static const char *string_at(const struct cli_list *list, size_t index)
{
    return ((const char *const *)list->items)[index];
}

static void fills_in_defaults_of_serve(void **state)
{
    struct cli_serve_config config = parse_serve((const char *const[WORDS_MAX]){"cat"});

    (void)state;
    assert_int_equal(config.general.wish, CLI_WISH_RUN);
    assert_string_equal(config.program[0], "cat");
    assert_int_equal(config.server.listen.count, 1);
    assert_string_equal(string_at(&config.server.listen, 0), "8080");
    assert_null(string_at(&config.server.listen, 1));
    assert_null(config.server.tls.cert);
    assert_int_equal(config.framing, DX_FRAMING_LINES);
    assert_int_equal(config.newlines, DX_NEWLINES_KEEP);
    assert_int_equal(config.flush_after_ms, 0);
    assert_int_equal(config.stderr_to, DX_STDERR_LOG);
    assert_int_equal(config.invalid_utf8, DX_INVALID_UTF8_REPLACE);
    assert_null(config.env.items);
    assert_int_equal(config.server.admission.origins.count, 0);
    assert_int_equal(config.server.admission.hosts.count, 0);
    assert_true(config.server.limits.max_message == 1048576);
    assert_int_equal(config.server.limits.max_fragments, 131072);
    assert_int_equal(config.server.limits.max_connections, 0);
    assert_int_equal(config.max_programs, 256);
    assert_true(config.server.limits.max_queue == 1048576);
    assert_true(config.server.limits.max_memory == 268435456);
    assert_int_equal(config.server.times.handshake_ms, 10000);
    assert_int_equal(config.server.times.message_ms, 60000);
    assert_int_equal(config.server.times.write_ms, 30000);
    assert_int_equal(config.server.times.close_ms, 5000);
    assert_int_equal(config.server.times.ping_interval_ms, 30000);
    assert_int_equal(config.server.times.pong_ms, 30000);
    assert_int_equal(config.ladder.step_ms[0], 1000);
    assert_int_equal(config.ladder.step_ms[2], 1000);
    assert_int_equal(config.server.times.drain_ms, 0);
    assert_int_equal(config.server.threads, 1);
    assert_false(config.answers_text_ping);
    assert_int_equal(config.server.log.level, DX_LOG_INFO);
    assert_int_equal(config.server.log.format, CLI_LOG_TEXT);
    assert_null(config.server.log.file);
    cli_config_release(&config.general);
}

static void fills_in_defaults_of_echo(void **state)
{
    struct cli_echo_config config = parse_echo((const char *const[WORDS_MAX]){NULL});

    (void)state;
    assert_true(config.server.limits.max_message == 16777216);
    assert_int_equal(config.server.admission.origins.count, 1);
    assert_string_equal(string_at(&config.server.admission.origins, 0), "any");
    cli_config_release(&config.general);
}

static void given_lists_replace_their_default(void **state)
{
    struct cli_echo_config config = parse_echo((const char *const[WORDS_MAX]){
        "--origin=same", "--origin", "null", "--port=0", "--listen=unix:x", "--port", "1"});

    (void)state;
    assert_int_equal(config.server.admission.origins.count, 2);
    assert_string_equal(string_at(&config.server.admission.origins, 1), "null");
    assert_int_equal(config.server.listen.count, 3);
    assert_string_equal(string_at(&config.server.listen, 0), "0");
    assert_string_equal(string_at(&config.server.listen, 1), "unix:x");
    assert_string_equal(string_at(&config.server.listen, 2), "1");
    assert_null(string_at(&config.server.listen, 3));
    cli_config_release(&config.general);
}

static void reads_both_spellings(void **state)
{
    struct cli_serve_config config = parse_serve((const char *const[WORDS_MAX]){
        "--framing=length", "--newlines", "reject", "--ladder", "1s,2s,3s", "--text-pong",
        "--env=A=b=c", "--max-message", "2M", "cat"});

    (void)state;
    assert_int_equal(config.framing, DX_FRAMING_LENGTH);
    assert_int_equal(config.newlines, DX_NEWLINES_REJECT);
    assert_int_equal(config.ladder.step_ms[2], 3000);
    assert_true(config.answers_text_ping);
    assert_string_equal(string_at(&config.env, 0), "A=b=c");
    assert_true(config.server.limits.max_message == 2097152);
    assert_string_equal(config.program[0], "cat");
    cli_config_release(&config.general);
}

static void the_last_of_a_scalar_wins(void **state)
{
    struct cli_serve_config config = parse_serve(
        (const char *const[WORDS_MAX]){"--binary", "--framing=lines", "-q", "-v",
                                       "--log-level=warn", "--threads=2", "--threads=3", "cat"});

    (void)state;
    assert_int_equal(config.framing, DX_FRAMING_LINES);
    assert_int_equal(config.server.log.level, DX_LOG_WARN);
    assert_int_equal(config.server.threads, 3);
    cli_config_release(&config.general);
    config = parse_serve((const char *const[WORDS_MAX]){"--framing=lines", "--binary", "-vq"});
    assert_int_equal(config.framing, DX_FRAMING_BINARY);
    assert_int_equal(config.server.log.level, DX_LOG_ERROR);
    cli_config_release(&config.general);
}

static void serve_stops_at_its_command(void **state)
{
    static const char *const words[][WORDS_MAX] = {
        {"-q", "cat", "-v", "--port=1", "--", "-h"},
        {"-q", "--", "cat", "-v", "--port=1", "--", "-h"},
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct cli_serve_config config = parse_serve(words[i]);

        assert_string_equal(config.program[0], "cat");
        assert_string_equal(config.program[1], "-v");
        assert_string_equal(config.program[3], "--");
        assert_string_equal(config.program[4], "-h");
        assert_null(config.program[5]);
        assert_int_equal(config.server.log.level, DX_LOG_ERROR);
        assert_int_equal(config.general.wish, CLI_WISH_RUN);
        cli_config_release(&config.general);
    }
}

static void takes_programs_with_odd_names(void **state)
{
    struct cli_serve_config config =
        parse_serve((const char *const[WORDS_MAX]){"--", "--help", "x"});

    (void)state;
    assert_string_equal(config.program[0], "--help");
    cli_config_release(&config.general);
    config = parse_serve((const char *const[WORDS_MAX]){"-", "--help"});
    assert_string_equal(config.program[0], "-");
    cli_config_release(&config.general);
    config = parse_serve((const char *const[WORDS_MAX]){"--route=/a=b c", "--"});
    assert_null(config.program);
    assert_string_equal(((struct cli_route *)config.routes.items)->argv[1], "c");
    cli_config_release(&config.general);
}

static void help_and_version_end_it(void **state)
{
    struct cli_serve_config config =
        parse_serve((const char *const[WORDS_MAX]){"-vh", "--no-such-option"});
    struct cli_echo_config echo;

    (void)state;
    assert_int_equal(config.general.wish, CLI_WISH_HELP);
    cli_config_release(&config.general);
    echo = parse_echo((const char *const[WORDS_MAX]){"--version", "operand"});
    assert_int_equal(echo.general.wish, CLI_WISH_VERSION);
    cli_config_release(&echo.general);
}

static void complaints_are_one_safe_line(void **state)
{
    static const char *const words[WORDS_MAX] = {"--port=\x1b[2J\n\xe2\x80\xae"};
    struct cli_echo_config config;
    struct cli_complaint complaint;

    (void)state;
    assert_false(
        cli_parse(&cli_echo, cli_commands, (char **)(uintptr_t)words, &config.general, &complaint));
    assert_int_equal(complaint.exit_status, CLI_EXIT_USAGE);
    assert_string_equal(complaint.line, "--port=\\x1b[2J\\x0a\\xe2\\x80\\xae: not a port (write a "
                                        "number from 0 to 65535)");
    cli_config_release(&config.general);
}

static void frees_what_it_took_before_a_complaint(void **state)
{
    static const char *const words[WORDS_MAX] = {"--route=/a=b", "--static=/x=y", "--env=A=b",
                                                 "--route=/c=d", "--port=x"};
    struct cli_serve_config config;
    struct cli_complaint complaint;

    (void)state;
    assert_false(cli_parse(&cli_serve, cli_commands, (char **)(uintptr_t)words, &config.general,
                           &complaint));
    assert_int_equal(config.routes.count, 2);
    cli_config_release(&config.general);
    assert_int_equal(config.routes.count, 0);
    assert_null(config.routes.items);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_in_defaults_of_serve),
        cmocka_unit_test(fills_in_defaults_of_echo),
        cmocka_unit_test(given_lists_replace_their_default),
        cmocka_unit_test(reads_both_spellings),
        cmocka_unit_test(the_last_of_a_scalar_wins),
        cmocka_unit_test(serve_stops_at_its_command),
        cmocka_unit_test(takes_programs_with_odd_names),
        cmocka_unit_test(help_and_version_end_it),
        cmocka_unit_test(complaints_are_one_safe_line),
        cmocka_unit_test(frees_what_it_took_before_a_complaint),
    };

    return run_group(tests, NULL, NULL);
}
