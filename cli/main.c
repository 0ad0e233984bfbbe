/*
 * main.c - the program `duplex`: finds the command, has its line parsed and checked, and runs it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/connect/connect.h"
#include "cli/connect/target.h"
#include "cli/help.h"
#include "cli/options/foreign.h"
#include "cli/options/parse.h"
#include "cli/options/suggest.h"
#include "cli/text/escape.h"

/*
 * If descriptor 0, 1 or 2 were closed, a client's socket could get its number, and output would go
 * to that client. Open each for the other direction, so that using it fails.
 */
static bool open_standard_streams(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};

    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
            return false;
    return true;
}

static bool wants_bold(void)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    return isatty(STDOUT_FILENO) && !(no_colour && *no_colour) &&
           !(terminal && strcmp(terminal, "dumb") == 0);
}

/* Output that did not reach stdout is a failure: a full disk, a closed descriptor. */
static int finish_stdout(void)
{
    bool failed = ferror(stdout) != 0;

    errno = 0;
    if (fclose(stdout) == 0 && !failed)
        return EXIT_SUCCESS;
    fprintf(stderr, "duplex: stdout: %s (check where the output goes)\n",
            errno ? strerror(errno) : "could not be written");
    return CLI_EXIT_RESOURCE;
}

static int fail(const struct cli_command *command, const struct cli_complaint *complaint)
{
    fprintf(stderr, "duplex%s%s: %s\n", command ? " " : "", command ? command->name : "",
            complaint->line);
    return complaint->exit_status;
}

/* ---- the words before a command ---- */

/* A word of another program, where it has no commands. The last command that knows it counts. */
static bool complain_of_foreign(const char *word, size_t len, const char *what,
                                struct cli_complaint *complaint)
{
    bool is_known = false;

    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        const struct cli_foreign *foreign = cli_foreign_find(*command, word, len);

        if (foreign)
            cli_foreign_complain(foreign, *command, cli_shown_part(word, len).text, what,
                                 complaint);
        is_known = is_known || foreign;
    }
    return is_known;
}

static bool is_websocket_url(const char *word)
{
    return strncasecmp(word, "ws://", 5) == 0 || strncasecmp(word, "wss://", 6) == 0;
}

/* A URL, or a short form of one; a path is rather a program. */
static bool is_target(const char *word)
{
    return *word != '/' && cli_target_is_one(word);
}

/* The command that these words were probably meant for. */
static bool is_meant(const struct cli_command *command, char **words)
{
    bool has_url = false;

    for (; *words; words++)
        has_url = has_url || is_websocket_url(*words);
    return !has_url || command == &cli_connect;
}

static int fail_on_root_option(char **words)
{
    struct cli_complaint complaint;
    size_t dashes = strspn(*words, "-");
    size_t len = strcspn(*words + dashes, "=");
    struct cli_shown shown = cli_shown_part(*words, dashes + len);

    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        struct cli_row row;
        bool has = dashes == 2 ? cli_row_find(*command, *words + 2, len, &row)
                               : len == 1 && cli_row_find_letter(*command, (*words)[1], &row);

        if (has && is_meant(*command, words)) {
            cli_complain(&complaint, CLI_EXIT_USAGE,
                         "%s: goes after the command (write duplex %s %s)", shown.text,
                         (*command)->name, shown.text);
            return fail(NULL, &complaint);
        }
    }
    if (!complain_of_foreign(*words, dashes + len, "no such option", &complaint))
        cli_complain(&complaint, CLI_EXIT_USAGE, "%s: no such option (see duplex --help)",
                     shown.text);
    return fail(NULL, &complaint);
}

static int fail_on_command(const char *word)
{
    struct cli_suggestion suggestion = {.typed = word, .typed_len = strlen(word)};
    struct cli_complaint complaint;
    struct cli_shown shown = cli_shown(word);

    for (const struct cli_command *const *command = cli_commands; *command; command++)
        cli_suggestion_offer(&suggestion, (*command)->name);
    cli_suggestion_offer(&suggestion, "help");
    if (complain_of_foreign(word, strlen(word), "no such command", &complaint))
        return fail(NULL, &complaint);
    if (suggestion.best)
        cli_complain(&complaint, CLI_EXIT_USAGE, "%s: no such command (did you mean duplex %s?)",
                     shown.text, suggestion.best);
    else if (strchr(word, '/'))
        cli_complain(&complaint, CLI_EXIT_USAGE,
                     "%s: no such command (did you mean duplex serve %s?)", shown.text, shown.text);
    else
        cli_complain(&complaint, CLI_EXIT_USAGE, "%s: no such command (see duplex --help)",
                     shown.text);
    return fail(NULL, &complaint);
}

/* duplex help [COMMAND] */
static int help(char **words)
{
    const struct cli_command *command = NULL;

    if (words[0] && strcmp(words[0], "help") != 0) {
        command = cli_command_find(words[0]);
        if (!command)
            return fail_on_command(words[0]);
    }
    if (words[0] && words[1]) {
        struct cli_complaint complaint;

        cli_complain(&complaint, CLI_EXIT_USAGE,
                     "help: %s: one argument too many (write duplex help %s)",
                     cli_shown(words[1]).text, words[0]);
        return fail(NULL, &complaint);
    }
    if (command)
        cli_help_print_command(stdout, command, wants_bold());
    else
        cli_help_print(stdout, wants_bold());
    return finish_stdout();
}

/* ---- a command ---- */

static int run(const struct cli_command *command, char **words)
{
    struct cli_config *config = calloc(1, command->config_len);
    struct cli_complaint complaint;
    int exit_status;

    if (!config) {
        cli_complain(&complaint, CLI_EXIT_RESOURCE, "out of memory");
        return fail(command, &complaint);
    }
    if (!cli_parse(command, cli_commands, words, config, &complaint)) {
        exit_status = fail(command, &complaint);
    } else if (config->wish == CLI_WISH_HELP) {
        cli_help_print_command(stdout, command, wants_bold());
        exit_status = finish_stdout();
    } else if (config->wish == CLI_WISH_VERSION) {
        cli_help_print_version(stdout);
        exit_status = finish_stdout();
    } else if (!command->check(config, &complaint)) {
        exit_status = fail(command, &complaint);
    } else {
        signal(SIGPIPE, SIG_IGN);
        exit_status = command->run(config);
    }
    cli_config_release(config);
    free(config);
    return exit_status;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;

    if (!open_standard_streams())
        return CLI_EXIT_RESOURCE;
    if (!word) {
        cli_help_print(stderr, false);
        return CLI_EXIT_USAGE;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        cli_help_print_version(stdout);
        return finish_stdout();
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return help(argv + argc);
    if (strcmp(word, "help") == 0)
        return help(argv + 2);
    if (word[0] == '-')
        return fail_on_root_option(argv + 1);
    if (is_target(word))
        return run(&cli_connect, argv + 1);

    const struct cli_command *command = cli_command_find(word);

    return command ? run(command, argv + 2) : fail_on_command(word);
}
