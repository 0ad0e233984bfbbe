/*
 * man.c - the options of a command as a section of a man page in scdoc's markup (scdoc(5)).
 */
#include <string.h>

#include "cli/gen/gen.h"

/* Plain text with scdoc's special characters escaped, and names of options in bold. */
static void print_plain(FILE *out, const char *text)
{
    for (const char *at = text; *at;) {
        bool begins_word = at == text || at[-1] == ' ' || at[-1] == '(';
        size_t name_len = begins_word && strncmp(at, "--", 2) == 0
                              ? 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-")
                              : 0;

        if (name_len > 2) {
            fprintf(out, "*%.*s*", (int)name_len, at);
            at += name_len;
            continue;
        }
        if (strchr("\\*_<>[]#~.-+", *at))
            fputc('\\', out);
        fputc(*at++, out);
    }
}

static void print_names(FILE *out, const struct cli_option *option)
{
    if (option->letter)
        fprintf(out, "*-%c*, ", option->letter);
    fprintf(out, "*--%s*", option->name);
    if (option->placeholder) {
        fputs("=_", out);
        for (const char *at = option->placeholder; *at; at++)
            fprintf(out, strchr("[]", *at) ? "\\%c" : "%c", *at);
        fputc('_', out);
    }
    fputc('\n', out);
}

static void print_option(FILE *out, const struct cli_option *option)
{
    const char *preset = cli_option_default(option);

    print_names(out, option);
    fputc('\t', out);
    if (option->help[0] >= 'a' && option->help[0] <= 'z') {
        fputc(option->help[0] - 'a' + 'A', out);
        print_plain(out, option->help + 1);
    } else {
        print_plain(out, option->help);
    }
    fputc('.', out);
    if (option->more)
        fprintf(out, " %s", option->more);
    if (preset) {
        fputs(" Default: ", out);
        print_plain(out, preset);
        fputc('.', out);
    }
    fputs("\n\n", out);
}

static void print_options(FILE *out, const struct cli_command *command)
{
    const char *title = NULL;

    for (struct cli_row row = {0}; cli_row_next(command, &row);) {
        if (!title || strcmp(title, row.group->title) != 0)
            fprintf(out, "## %s\n\n", row.group->title);
        title = row.group->title;
        print_option(out, row.option);
    }
}

void gen_man(FILE *out, FILE *template, const struct cli_command *command)
{
    char line[4096];

    while (fgets(line, sizeof(line), template)) {
        if (command && strcmp(line, "@OPTIONS@\n") == 0)
            print_options(out, command);
        else
            fputs(line, out);
    }
}
