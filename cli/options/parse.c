/*
 * parse.c - reads words, finds their option in the command's tables and stores the value by kind.
 */
#include "cli/options/parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options/foreign.h"
#include "cli/options/number.h"
#include "cli/options/suggest.h"
#include "cli/text/escape.h"

#define CHOICES_MAX 256
#define NAME_MAX_LEN 32 /* of an option, with dashes */

struct parser {
    const struct cli_command *command;
    const struct cli_command *const *others;
    struct cli_config *config;
    struct cli_complaint *complaint;
    char **next; /* the next word */
};

/* ---- storing a value: false with a complaint ---- */

static bool store_choice(struct parser *parser, const struct cli_option *option, const char *text,
                         unsigned *field)
{
    char list[CHOICES_MAX] = "";
    size_t used = 0;

    for (unsigned i = 0; option->choices[i]; i++) {
        if (strcmp(option->choices[i], text) == 0) {
            *field = i;
            return true;
        }
    }
    for (unsigned i = 0; option->choices[i]; i++) {
        const char *joint = i == 0 ? "" : option->choices[i + 1] ? ", " : " or ";

        used +=
            (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", joint, option->choices[i]);
    }
    return cli_complain_of(parser->complaint, option->name, text, "not a choice (write %s)", list);
}

static void print_number(const struct cli_option *option, uint64_t number,
                         char text[static CLI_NUMBER_TEXT_MAX])
{
    if (option->kind == CLI_DURATION)
        cli_duration_print(number, text);
    else if (option->kind == CLI_SIZE)
        cli_size_print(number, text);
    else
        snprintf(text, CLI_NUMBER_TEXT_MAX, "%" PRIu64, number);
}

static bool check_range(struct parser *parser, const struct cli_option *option, const char *text,
                        uint64_t number)
{
    char smallest[CLI_NUMBER_TEXT_MAX];
    char largest[CLI_NUMBER_TEXT_MAX];

    if (number >= option->smallest && (option->largest == 0 || number <= option->largest))
        return true;
    print_number(option, option->smallest, smallest);
    print_number(option, option->largest, largest);
    if (option->largest == 0)
        return cli_complain_of(parser->complaint, option->name, text, "too small (at least %s)",
                               smallest);
    return cli_complain_of(parser->complaint, option->name, text, "out of range (write %s to %s)",
                           smallest, largest);
}

/* Only a size may be wider than 32 bits: the parsers of the others refuse more. */
static bool store_number(struct parser *parser, const struct cli_option *option, const char *text,
                         void *field)
{
    uint64_t number = 0;
    const char *problem;

    if (option->kind == CLI_DURATION && option->choices && strcmp(text, option->choices[0]) == 0) {
        *(uint32_t *)field = CLI_FOREVER;
        return true;
    }
    if (option->kind == CLI_SIZE)
        problem = cli_size_parse(text, &number);
    else if (option->kind == CLI_DURATION)
        problem = cli_duration_parse(text, &number);
    else
        problem = cli_count_parse(text, &number);
    if (problem)
        return cli_complain_of(parser->complaint, option->name, text, "%s", problem);
    if (!check_range(parser, option, text, number))
        return false;
    if (option->kind == CLI_SIZE)
        *(uint64_t *)field = number;
    else
        *(uint32_t *)field = (uint32_t)number;
    return true;
}

static bool store_item(struct parser *parser, const struct cli_option *option, const char *text,
                       void *object)
{
    const char *problem = NULL;
    enum dx_err err = option->item->parse(text, object, &problem);

    if (err == DX_OK)
        return true;
    cli_complain_of(parser->complaint, option->name, text, "%s",
                    err == DX_ERR_NOMEM ? dx_err_text(err) : problem);
    if (err == DX_ERR_NOMEM)
        parser->complaint->exit_status = CLI_EXIT_RESOURCE;
    return false;
}

/* Lists are short: growing by one keeps a zeroed object after the last. */
static bool store_listed(struct parser *parser, const struct cli_option *option, const char *text,
                         struct cli_list *list)
{
    size_t len = option->item->len;
    char *items = realloc(list->items, (list->count + 2) * len);

    if (!items) {
        cli_complain_of(parser->complaint, option->name, text, "%s", dx_err_text(DX_ERR_NOMEM));
        parser->complaint->exit_status = CLI_EXIT_RESOURCE;
        return false;
    }
    list->items = items;
    memset(items + list->count * len, 0, 2 * len);
    if (!store_item(parser, option, text, items + list->count * len))
        return false;
    list->count++;
    return true;
}

static bool store(struct parser *parser, const struct cli_row *row, const char *text)
{
    const struct cli_option *option = row->option;
    void *field = cli_row_field(row, parser->config);

    switch (option->kind) {
    case CLI_SET:
        *(unsigned *)field = option->set;
        return true;
    case CLI_FLAG:
        *(bool *)field = true;
        return true;
    case CLI_TEXT:
        if (*text == '\0')
            return cli_complain_of(parser->complaint, option->name, text, "the value is empty");
        *(const char **)field = text;
        return true;
    case CLI_CHOICE:
        return store_choice(parser, option, text, field);
    case CLI_ITEM:
        return store_item(parser, option, text, field);
    case CLI_LIST:
        return store_listed(parser, option, text, field);
    case CLI_DURATION:
    case CLI_SIZE:
    case CLI_COUNT:
        break;
    }
    return store_number(parser, option, text, field);
}

/*
 * Defaults are spelled as values are, so that what help shows is what holds. Those of lists come
 * last: a list that was given does not have them.
 */
static bool store_presets(struct parser *parser, bool are_lists)
{
    for (struct cli_row row = {0}; cli_row_next(parser->command, &row);) {
        bool is_list = row.option->kind == CLI_LIST;
        const struct cli_list *list = cli_row_field(&row, parser->config);

        if (!row.option->preset || is_list != are_lists || (is_list && list->count > 0))
            continue;
        if (!store(parser, &row, row.option->preset))
            return false;
    }
    return true;
}

/* ---- words that are wrong ---- */

/* Another command that has this option, or NULL. */
static const struct cli_command *other_command_with(const struct parser *parser, const char *name,
                                                    size_t len)
{
    struct cli_row row;

    for (const struct cli_command *const *other = parser->others; *other; other++)
        if (cli_row_find(*other, name, len, &row))
            return *other;
    return NULL;
}

/* Go's flags have one dash: "-port" is "--port". */
static const struct cli_foreign *find_foreign(const struct parser *parser, const char *word,
                                              size_t len)
{
    const struct cli_foreign *foreign = cli_foreign_find(parser->command, word, len);
    char with_dashes[NAME_MAX_LEN];

    if (foreign || word[1] == '-' || len <= 2 || len + 1 >= sizeof(with_dashes))
        return foreign;
    snprintf(with_dashes, sizeof(with_dashes), "-%.*s", (int)len, word);
    return cli_foreign_find(parser->command, with_dashes, len + 1);
}

/* `word` begins with dashes. */
static bool complain_of_option(struct parser *parser, const char *word)
{
    const char *name = word + strspn(word, "-");
    size_t len = strcspn(word, "=");
    const struct cli_foreign *foreign = find_foreign(parser, word, len);
    struct cli_suggestion suggestion = {.typed = name, .typed_len = strcspn(name, "=")};
    const struct cli_command *other = other_command_with(parser, name, suggestion.typed_len);
    struct cli_shown shown = cli_shown_part(word, len);

    if (foreign)
        return cli_foreign_complain(foreign, parser->command, shown.text, "no such option",
                                    parser->complaint);
    for (struct cli_row row = {0}; cli_row_next(parser->command, &row);)
        cli_suggestion_offer(&suggestion, row.option->name);
    if (suggestion.best)
        return cli_complain(parser->complaint, CLI_EXIT_USAGE,
                            "%s: no such option (did you mean --%s?)", shown.text, suggestion.best);
    if (other)
        return cli_complain(parser->complaint, CLI_EXIT_USAGE,
                            "%s: no such option (it is an option of duplex %s)", shown.text,
                            other->name);
    return cli_complain(parser->complaint, CLI_EXIT_USAGE,
                        "%s: no such option (see duplex %s --help)", shown.text,
                        parser->command->name);
}

/* ---- reading words ---- */

static bool parse_long(struct parser *parser, const char *word)
{
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    struct cli_row row;

    if (!cli_row_find(parser->command, name, len, &row))
        return complain_of_option(parser, word);
    name = row.option->name;
    if (!row.option->placeholder && value)
        return cli_complain_of(parser->complaint, name, value, "takes no value (write --%s)", name);
    if (row.option->placeholder && !value) {
        value = *parser->next;
        if (!value)
            return cli_complain(parser->complaint, CLI_EXIT_USAGE,
                                "--%s: needs a value (write --%s=%s)", name, name,
                                row.option->placeholder);
        parser->next++;
    }
    return store(parser, &row, value);
}

/* The value of a letter: the rest of its word, or the next one. NULL: there is none. */
static const char *value_of_letter(struct parser *parser, const char *letter)
{
    if (letter[1])
        return letter + 1;
    return *parser->next ? *parser->next++ : NULL;
}

/* One or more letters after one dash; one that takes a value is the last. */
static bool parse_letters(struct parser *parser, const char *word)
{
    for (const char *letter = word + 1; *letter; letter++) {
        struct cli_row row;

        if (!cli_row_find_letter(parser->command, *letter, &row)) {
            const char only[] = {'-', *letter, '\0'};

            /* "-port" is a long name with a dash missing, "-qx" a slip in x. */
            return complain_of_option(parser, letter == word + 1 ? word : only);
        }
        if (row.option->placeholder) {
            const char *value = value_of_letter(parser, letter);

            if (!value)
                return cli_complain(parser->complaint, CLI_EXIT_USAGE,
                                    "-%c: needs a value (write -%c %s)", *letter, *letter,
                                    row.option->placeholder);
            return store(parser, &row, value);
        }
        (void)store(parser, &row, NULL);
        if (parser->config->wish != CLI_WISH_RUN)
            return true;
    }
    return true;
}

/* A word that is not an option. */
static bool parse_operand(struct parser *parser, const char *word)
{
    const struct cli_command *command = parser->command;
    const char **field = (const char **)((char *)parser->config + command->operand_field);
    const struct cli_foreign *foreign;

    if (command->operands == CLI_OPERANDS_NONE)
        return cli_complain(
            parser->complaint, CLI_EXIT_USAGE,
            "%s: not an option (duplex %s takes options only: see duplex %s --help)",
            cli_shown(word).text, command->name, command->name);
    foreign = cli_foreign_find(command, word, strlen(word));
    if (foreign) {
        char what[NAME_MAX_LEN];

        snprintf(what, sizeof(what), "not a %s", command->operand_name);
        return cli_foreign_complain(foreign, command, cli_shown(word).text, what,
                                    parser->complaint);
    }
    if (*field)
        return cli_complain(parser->complaint, CLI_EXIT_USAGE,
                            "%s: one argument too many (write one %s)", cli_shown(word).text,
                            command->operand_name);
    *field = word;
    return true;
}

/* All words from `words` on belong to the operand. */
static void take_rest(struct parser *parser, char **words)
{
    if (*words)
        *(char ***)((char *)parser->config + parser->command->operand_field) = words;
}

static bool parse_words(struct parser *parser)
{
    bool takes_rest = parser->command->operands == CLI_OPERANDS_REST;
    bool ended = false;

    while (*parser->next && parser->config->wish == CLI_WISH_RUN) {
        char *word = *parser->next++;
        bool ends_options = !ended && strcmp(word, "--") == 0;
        bool is_operand = ended || word[0] != '-' || word[1] == '\0';

        if ((ends_options || is_operand) && takes_rest) {
            take_rest(parser, parser->next - is_operand);
            return true;
        }
        if (ends_options) {
            ended = true;
            continue;
        }
        if (is_operand ? !parse_operand(parser, word)
                       : !(word[1] == '-' ? parse_long(parser, word) : parse_letters(parser, word)))
            return false;
    }
    return true;
}

bool cli_parse(const struct cli_command *command, const struct cli_command *const *others,
               char **argv, struct cli_config *config, struct cli_complaint *complaint)
{
    struct parser parser = {.command = command,
                            .others = others,
                            .config = config,
                            .complaint = complaint,
                            .next = argv};

    memset(config, 0, command->config_len);
    config->command = command;
    return store_presets(&parser, false) && parse_words(&parser) && store_presets(&parser, true);
}

void cli_config_release(struct cli_config *config)
{
    for (struct cli_row row = {0}; cli_row_next(config->command, &row);) {
        const struct cli_item *item = row.option->item;
        struct cli_list *list = cli_row_field(&row, config);

        if (row.option->kind != CLI_LIST)
            continue;
        for (size_t i = 0; item->release && i < list->count; i++)
            item->release((char *)list->items + i * item->len);
        free(list->items);
        *list = (struct cli_list){0};
    }
}
