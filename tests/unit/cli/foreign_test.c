/*
 * foreign_test.c - the tables of other programs' words: what they name exists here, and no word
 * stands in the way of an option. What is said of some is in tests/project/cli/wrong_use.mjs.
 */
#include <stdint.h>
#include <string.h>

#include "support/test.h"

#include "cli/commands.h"
#include "cli/options/foreign.h"

/* Every option that a text names is one of the command. */
static void assert_names_options(const struct cli_command *command, const char *text)
{
    struct cli_row row;

    for (const char *at = strstr(text, "--"); at; at = strstr(at, "--")) {
        size_t len = strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-0123456789");

        if (!cli_row_find(command, at + 2, len, &row))
            fail_msg("duplex %s has no %.*s", command->name, (int)len + 2, at);
        at += 2 + len;
    }
}

static void assert_is_no_option(const struct cli_command *command, const char *word)
{
    struct cli_row row;
    bool is_option =
        strncmp(word, "--", 2) == 0
            ? cli_row_find(command, word + 2, strlen(word + 2), &row)
            : word[0] == '-' && word[1] && !word[2] && cli_row_find_letter(command, word[1], &row);

    if (is_option)
        fail_msg("duplex %s has an option %s", command->name, word);
}

static void rows_are_true(void **state)
{
    size_t count = 0;

    (void)state;
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        for (const struct cli_foreign *const *list = (*command)->foreign; list && *list; list++) {
            for (const struct cli_foreign *row = *list; row->word; row++, count++) {
                assert_true(!row->ours != !row->note);
                assert_is_no_option(*command, row->word);
                assert_names_options(*command, row->ours ? row->ours : row->note);
                /* The first that matches is this one: none stands twice. */
                assert_ptr_equal(cli_foreign_find(*command, row->word, strlen(row->word)), row);
            }
        }
    }
    assert_true(count > 60);
}

static void finds_words_and_kinds_of_addresses(void **state)
{
    static const struct {
        const char *word;
        const char *entry;
    } rows[] = {
        {"--connect", "--connect"}, {"ws-l:8080", "ws-l:"}, {"ws-l:", "ws-l:"}, {"ws-l", NULL},
        {"--connec", NULL},         {"--connected", NULL},  {"-", "-"},         {"", NULL},
        {"ws://example.org", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct cli_foreign *found =
            cli_foreign_find(cli_command_find("connect"), rows[i].word, strlen(rows[i].word));

        if (rows[i].entry)
            assert_string_equal(found->word, rows[i].entry);
        else
            assert_null(found);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_true),
        cmocka_unit_test(finds_words_and_kinds_of_addresses),
    };

    return run_group(tests, NULL, NULL);
}
