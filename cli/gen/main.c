/*
 * main.c - duplex-gen: prints a man page's source, the completions of a shell, or the table of
 * options, on stdout.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/gen/gen.h"

enum gen_values gen_values_of(const struct cli_option *option)
{
    if (option->choices)
        return GEN_WORDS;
    if (!option->placeholder)
        return GEN_NONE;
    if (strcmp(option->placeholder, "FILE") == 0)
        return GEN_FILES;
    return strstr(option->placeholder, "DIR") ? GEN_DIRECTORIES : GEN_NONE;
}

void gen_options(FILE *out)
{
    static const char *const kinds[] = {"set",   "flag",   "text", "duration", "size",
                                        "count", "choice", "item", "list"};

    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        for (struct cli_row row = {0}; cli_row_next(*command, &row);) {
            const struct cli_option *option = row.option;
            const char letter[] = {option->letter ? option->letter : '-', '\0'};
            const char *preset = cli_option_default(option);

            fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", (*command)->name, option->name, letter,
                    option->placeholder ? option->placeholder : "-", preset ? preset : "-",
                    kinds[option->kind]);
        }
    }
}

static int print_man(const char *command_name, const char *path)
{
    const struct cli_command *command = cli_command_find(command_name);
    FILE *template = fopen(path, "re");

    if (!template) {
        perror(path);
        return EXIT_FAILURE;
    }
    gen_man(stdout, template, command);
    fclose(template);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    int exit_status = EXIT_SUCCESS;

    if (strcmp(what, "options") == 0) {
        gen_options(stdout);
    } else if (strcmp(what, "bash") == 0) {
        gen_bash(stdout);
    } else if (strcmp(what, "zsh") == 0) {
        gen_zsh(stdout);
    } else if (strcmp(what, "fish") == 0) {
        gen_fish(stdout);
    } else if (strcmp(what, "man") == 0 && argc == 4) {
        exit_status = print_man(argv[2], argv[3]);
    } else {
        fputs("usage: duplex-gen options|bash|zsh|fish|man COMMAND TEMPLATE\n", stderr);
        return 2;
    }
    return fclose(stdout) == 0 ? exit_status : EXIT_FAILURE;
}
