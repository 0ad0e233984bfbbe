/*
 * zsh.c - completion for zsh: one _arguments call per command.
 */
#include <string.h>

#include "cli/gen/gen.h"

/* Text inside '…[…]…' of an _arguments specification. */
static void print_quoted(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else if (strchr("[]\\:", *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

static void print_action(FILE *out, const struct cli_option *option)
{
    fputc(':', out);
    print_quoted(out, option->placeholder);
    fputc(':', out);
    switch (gen_values_of(option)) {
    case GEN_WORDS:
        fputc('(', out);
        for (size_t i = 0; option->choices[i]; i++)
            fprintf(out, "%s%s", i ? " " : "", option->choices[i]);
        fputc(')', out);
        break;
    case GEN_FILES:
        fputs("_files", out);
        break;
    case GEN_DIRECTORIES:
        fputs("_files -/", out);
        break;
    case GEN_NONE:
        fputc(' ', out);
        break;
    }
}

static void print_spec(FILE *out, const struct cli_row *row, const char *name, bool is_long)
{
    const struct cli_option *option = row->option;
    bool ends = row->group->options == cli_general_options;

    fprintf(out, "                '%s%s%s",
            ends                       ? "(- *)"
            : option->kind == CLI_LIST ? "*"
                                       : "",
            name, is_long && option->placeholder ? "=" : "");
    fputc('[', out);
    print_quoted(out, option->help);
    fputc(']', out);
    if (option->placeholder)
        print_action(out, option);
    fputs("' \\\n", out);
}

static void print_command(FILE *out, const struct cli_command *command)
{
    fprintf(out, "        %s)\n            _arguments -s -S%s \\\n", command->name,
            command->operands == CLI_OPERANDS_REST ? " -A '-*'" : "");
    for (struct cli_row row = {0}; cli_row_next(command, &row);) {
        char name[64];

        snprintf(name, sizeof(name), "--%s", row.option->name);
        print_spec(out, &row, name, true);
        if (row.option->letter) {
            snprintf(name, sizeof(name), "-%c", row.option->letter);
            print_spec(out, &row, name, false);
        }
    }
    fputs(command->operands == CLI_OPERANDS_REST
              ? "                '(-)1:command:{ _command_names -e; _files }' \\\n"
                "                '*::argument:_normal'\n"
              : "                '*: :'\n",
          out);
    fputs("            ;;\n", out);
}

static void print_names(FILE *out)
{
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        fprintf(out, "        '%s:", (*command)->name);
        print_quoted(out, (*command)->summary);
        fputs("'\n", out);
    }
    fputs("        'help:show the help of a command'\n", out);
}

void gen_zsh(FILE *out)
{
    fputs("#compdef duplex\n"
          "# Generated from the program's tables of options.\n"
          "\n"
          "_duplex()\n"
          "{\n"
          "    local context state state_descr line curcontext=$curcontext\n"
          "    typeset -A opt_args\n"
          "    local -a commands\n"
          "    commands=(\n",
          out);
    print_names(out);
    fputs("    )\n"
          "    _arguments -C \\\n"
          "        '(- *)'{-h,--help}'[show the help and exit]' \\\n"
          "        '(- *)'{-V,--version}'[show the version and end]' \\\n"
          "        '1:command:->command' \\\n"
          "        '*::argument:->argument' && return\n"
          "    case $state in\n"
          "    command)\n"
          "        _describe command commands\n"
          "        ;;\n"
          "    argument)\n"
          "        case $words[1] in\n",
          out);
    for (const struct cli_command *const *command = cli_commands; *command; command++)
        print_command(out, *command);
    fputs("        help)\n"
          "            _describe command commands\n"
          "            ;;\n"
          "        esac\n"
          "        ;;\n"
          "    esac\n"
          "}\n"
          "\n"
          "_duplex \"$@\"\n",
          out);
}
