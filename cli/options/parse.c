/*
 * parse.c - reads words, finds their option in the table and stores their value by kind.
 */
#include "cli/options/parse.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text/escape.h"
#include "cli/suggest.h"
#include "cli/options/words.h"

#define SHOWN_MAX 256

struct parser {
    const struct cli_command *command;
    struct cli_config *config;
    struct cli_complaint *complaint;
    char **next; /* the next word */
};

bool cli_complain(struct cli_complaint *complaint, int exit_status, const char *format, ...)
{
    va_list args;

    complaint->exit_status = exit_status;
    va_start(args, format);
    vsnprintf(complaint->line, sizeof(complaint->line), format, args);
    va_end(args);
    return false;
}

/* ---- storing a value: each returns NULL or what is wrong ---- */

static void *field_of(struct cli_config *config, const struct cli_option *option)
{
    return (char *)config + option->field;
}

static const char *store_choice(const struct cli_option *option, const char *text, unsigned *field)
{
    static char problem[SHOWN_MAX];
    int used = snprintf(problem, sizeof(problem), "not a choice (write");

    for (unsigned i = 0; option->choices[i]; i++) {
        if (strcmp(option->choices[i], text) == 0) {
            *field = i;
            return NULL;
        }
    }
    for (unsigned i = 0; option->choices[i]; i++) {
        const char *joint = i == 0 ? " " : option->choices[i + 1] ? ", " : " or ";

        used += snprintf(problem + used, sizeof(problem) - (size_t)used, "%s%s", joint,
                         option->choices[i]);
    }
    snprintf(problem + used, sizeof(problem) - (size_t)used, ")");
    return problem;
}

static void print_number(const struct cli_option *option, uint64_t number,
                         char text[static CLI_NUMBER_TEXT_MAX])
{
    if (option->kind == CLI_DURATION)
        cli_duration_print((uint32_t)number, text);
    else if (option->kind == CLI_SIZE)
        cli_size_print(number, text);
    else
        snprintf(text, CLI_NUMBER_TEXT_MAX, "%" PRIu64, number);
}

static const char *check_range(const struct cli_option *option, uint64_t number)
{
    static char problem[SHOWN_MAX];
    char smallest[CLI_NUMBER_TEXT_MAX];
    char largest[CLI_NUMBER_TEXT_MAX];

    if (number >= option->smallest && (option->largest == 0 || number <= option->largest))
        return NULL;
    print_number(option, option->smallest, smallest);
    print_number(option, option->largest, largest);
    if (option->largest == 0)
        snprintf(problem, sizeof(problem), "too small (at least %s)", smallest);
    else
        snprintf(problem, sizeof(problem), "out of range (write %s to %s)", smallest, largest);
    return problem;
}

static const char *store_number(const struct cli_option *option, const char *text, void *field)
{
    uint32_t narrow = 0;
    uint64_t number = 0;
    const char *problem;

    if (option->kind == CLI_DURATION && option->choices && strcmp(text, option->choices[0]) == 0) {
        *(uint32_t *)field = CLI_FOREVER;
        return NULL;
    }
    if (option->kind == CLI_SIZE)
        problem = cli_size_parse(text, &number);
    else if (option->kind == CLI_DURATION)
        problem = cli_duration_parse(text, &narrow);
    else
        problem = cli_count_parse(text, &narrow);
    if (option->kind != CLI_SIZE)
        number = narrow;
    if (!problem)
        problem = check_range(option, number);
    if (problem)
        return problem;
    if (option->kind == CLI_SIZE)
        *(uint64_t *)field = number;
    else
        *(uint32_t *)field = narrow;
    return NULL;
}

/* Lists are short: growing by one keeps the zeroed object behind the last in place. */
static const char *store_item(const struct cli_option *option, const char *text,
                              struct cli_list *list)
{
    size_t len = option->item->len;
    char *items = realloc(list->items, (list->count + 2) * len);

    if (!items)
        return cli_out_of_memory;
    list->items = items;
    memset(items + list->count * len, 0, 2 * len);

    const char *problem = option->item->parse(text, items + list->count * len);

    if (!problem)
        list->count++;
    return problem;
}

static const char *store(struct cli_config *config, const struct cli_option *option,
                         const char *text)
{
    void *field = field_of(config, option);

    switch (option->kind) {
    case CLI_SET:
        *(unsigned *)field = option->set;
        return NULL;
    case CLI_FLAG:
        *(bool *)field = true;
        return NULL;
    case CLI_TEXT:
        if (*text == '\0')
            return "nothing given";
        *(const char **)field = text;
        return NULL;
    case CLI_CHOICE:
        return store_choice(option, text, field);
    case CLI_STEPS:
        return cli_ladder_parse(text, field);
    case CLI_LIST:
        return store_item(option, text, field);
    case CLI_DURATION:
    case CLI_SIZE:
    case CLI_COUNT:
        break;
    }
    return store_number(option, text, field);
}

/* Defaults are spelled as values are, so that what help shows is what holds. */
static bool store_presets(struct parser *parser, bool lists)
{
    for (const struct cli_option *option = cli_options; option->name; option++) {
        const struct cli_list *list = field_of(parser->config, option);

        if (!(option->on & parser->command->id) || !option->preset ||
            (option->kind == CLI_LIST) != lists || (lists && list->count > 0))
            continue;

        const char *problem = store(parser->config, option, option->preset);

        if (problem)
            return cli_complain(parser->complaint, CLI_EXIT_RESOURCE, "--%s=%s: %s", option->name,
                                option->preset, problem);
    }
    return true;
}

/* ---- words that are wrong ---- */

static bool complain_of_value(struct parser *parser, const struct cli_option *option,
                              const char *text, const char *problem)
{
    char shown[SHOWN_MAX];
    bool is_ours = problem == cli_out_of_memory;

    cli_escape(text, strlen(text), shown, sizeof(shown));
    return cli_complain(parser->complaint, is_ours ? CLI_EXIT_RESOURCE : CLI_EXIT_USAGE,
                        "--%s=%s: %s", option->name, shown, problem);
}

/* Has another command this option? */
static const struct cli_command *other_command_with(const char *name, size_t len)
{
    for (const struct cli_command *command = cli_commands; command->name; command++)
        if (cli_option_find(command, name, len))
            return command;
    return NULL;
}

/* `dashes` is "-" or "--", `name` what was typed behind it. */
static bool complain_of_option(struct parser *parser, const char *dashes, const char *name)
{
    const struct cli_command *command = parser->command;
    struct cli_suggestion suggestion = {.typed = name, .typed_len = strcspn(name, "=")};
    const struct cli_command *other = other_command_with(name, suggestion.typed_len);
    char shown[SHOWN_MAX];

    cli_escape(name, suggestion.typed_len, shown, sizeof(shown));
    for (const struct cli_option *option = cli_options; option->name; option++)
        if (option->on & command->id)
            cli_suggestion_offer(&suggestion, option->name);
    if (suggestion.best)
        return cli_complain(parser->complaint, CLI_EXIT_USAGE,
                            "%s%s: no such option (did you mean --%s?)", dashes, shown,
                            suggestion.best);
    if (other)
        return cli_complain(parser->complaint, CLI_EXIT_USAGE,
                            "%s%s: no such option (it is one of duplex %s)", dashes, shown,
                            other->name);
    return cli_complain(parser->complaint, CLI_EXIT_USAGE,
                        "%s%s: no such option (see duplex %s --help)", dashes, shown,
                        command->name);
}

static bool complain_of_operand(struct parser *parser, const char *word)
{
    char shown[SHOWN_MAX];

    cli_escape(word, strlen(word), shown, sizeof(shown));
    return cli_complain(parser->complaint, CLI_EXIT_USAGE,
                        "%s: not an option (duplex %s takes options only: see duplex %s --help)",
                        shown, parser->command->name, parser->command->name);
}

/* ---- reading words ---- */

static bool parse_long(struct parser *parser, const char *word)
{
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    const struct cli_option *option = cli_option_find(parser->command, name, len);
    const char *value = name[len] == '=' ? name + len + 1 : NULL;

    if (!option)
        return complain_of_option(parser, "--", name);
    if (!option->placeholder && value) {
        char shown[SHOWN_MAX];

        cli_escape(value, strlen(value), shown, sizeof(shown));
        return cli_complain(parser->complaint, CLI_EXIT_USAGE,
                            "--%s=%s: takes no value (write --%s)", option->name, shown,
                            option->name);
    }
    if (option->placeholder && !value) {
        value = *parser->next;
        if (!value)
            return cli_complain(parser->complaint, CLI_EXIT_USAGE,
                                "--%s: needs a value (write --%s=%s)", option->name, option->name,
                                option->placeholder);
        parser->next++;
    }

    const char *problem = store(parser->config, option, value);

    return !problem || complain_of_value(parser, option, value, problem);
}

/* The value of a letter: the rest of its word, or the next one. NULL: there is none. */
static const char *value_of_letter(struct parser *parser, const char *letter)
{
    if (letter[1])
        return letter + 1;
    return *parser->next ? *parser->next++ : NULL;
}

/* One or more letters behind one dash; one that takes a value is the last. */
static bool parse_letters(struct parser *parser, const char *word)
{
    for (const char *letter = word + 1; *letter; letter++) {
        const struct cli_option *option = cli_option_find_letter(parser->command, *letter);

        if (!option) {
            const char only[] = {*letter, '\0'};

            /* "-port" is a long name with a dash missing, "-qx" a slip in x. */
            return complain_of_option(parser, "-", letter == word + 1 ? letter : only);
        }
        if (option->placeholder) {
            const char *value = value_of_letter(parser, letter);
            const char *problem;

            if (!value)
                return cli_complain(parser->complaint, CLI_EXIT_USAGE,
                                    "-%c: needs a value (write -%c %s)", *letter, *letter,
                                    option->placeholder);
            problem = store(parser->config, option, value);
            return !problem || complain_of_value(parser, option, value, problem);
        }
        (void)store(parser->config, option, NULL);
        if (parser->config->wish != CLI_WISH_RUN)
            return true;
    }
    return true;
}

/* Words that are no options. */
static bool parse_operand(struct parser *parser, const char *word)
{
    const char **url = &parser->config->connect.url;
    char shown[SHOWN_MAX];

    if (!parser->command->takes_url)
        return complain_of_operand(parser, word);
    cli_escape(word, strlen(word), shown, sizeof(shown));
    if (*url)
        return cli_complain(parser->complaint, CLI_EXIT_USAGE,
                            "%s: one word too many (write one URL)", shown);
    *url = word;
    return true;
}

static bool parse_words(struct parser *parser)
{
    bool ended = false;

    while (*parser->next && parser->config->wish == CLI_WISH_RUN) {
        char *word = *parser->next++;
        bool ends_options = !ended && strcmp(word, "--") == 0;
        bool is_operand = ended || word[0] != '-' || word[1] == '\0';

        if ((ends_options || is_operand) && parser->command->takes_program) {
            parser->next -= is_operand;
            if (*parser->next)
                parser->config->program = parser->next;
            return true;
        }
        if (ends_options) {
            ended = true;
            continue;
        }
        if (is_operand) {
            if (!parse_operand(parser, word))
                return false;
            continue;
        }
        if (!(word[1] == '-' ? parse_long(parser, word) : parse_letters(parser, word)))
            return false;
    }
    return true;
}

bool cli_parse(const struct cli_command *command, char **argv, struct cli_config *config,
               struct cli_complaint *complaint)
{
    struct parser parser = {
        .command = command, .config = config, .complaint = complaint, .next = argv};

    *config = (struct cli_config){.command = command};
    return store_presets(&parser, false) && parse_words(&parser) && store_presets(&parser, true);
}

void cli_config_release(struct cli_config *config)
{
    for (const struct cli_option *option = cli_options; option->name; option++) {
        if (option->kind != CLI_LIST)
            continue;

        struct cli_list *list = field_of(config, option);

        for (size_t i = 0; option->item->release && i < list->count; i++)
            option->item->release((char *)list->items + i * option->item->len);
        free(list->items);
        *list = (struct cli_list){0};
    }
}
