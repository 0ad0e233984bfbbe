/*
 * zsh.c - completion for zsh: one _arguments call a command.
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

static void print_spec(FILE *out, const struct cli_option *option, const char *name, bool is_long)
{
    bool ends = option->kind == CLI_SET && option->section == CLI_GENERAL;

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
            command->takes_program ? " -A '-*'" : "");
    for (const struct cli_option *option = cli_options; option->name; option++) {
        char name[64];

        if (!(option->on & command->id))
            continue;
        snprintf(name, sizeof(name), "--%s", option->name);
        print_spec(out, option, name, true);
        if (option->letter) {
            snprintf(name, sizeof(name), "-%c", option->letter);
            print_spec(out, option, name, false);
        }
    }
    fputs(command->takes_program
              ? "                '(-)1:command:{ _command_names -e; _files }' \\\n"
                "                '*::argument:_normal'\n"
              : "                '*: :'\n",
          out);
    fputs("            ;;\n", out);
}

static void print_names(FILE *out)
{
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        fprintf(out, "        '%s:", command->name);
        print_quoted(out, command->summary);
        fputs("'\n", out);
    }
    fputs("        'help:show the help of a command'\n", out);
}

void gen_zsh(FILE *out)
{
    fputs("#compdef duplex\n"
          "# Generated from the program's table of options.\n"
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
          "        '(- *)'{-h,--help}'[show the help and end]' \\\n"
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
    for (const struct cli_command *command = cli_commands; command->name; command++)
        print_command(out, command);
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
