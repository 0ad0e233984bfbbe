/*
 * fish.c - completion for fish: one line per option.
 */
#include <string.h>

#include "cli/gen/gen.h"

static void print_quoted(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('\'', out);
}

static void print_option(FILE *out, const struct cli_command *command,
                         const struct cli_option *option)
{
    fprintf(out, "complete -c duplex -n '__duplex_is_in %s' -l %s", command->name, option->name);
    if (option->letter)
        fprintf(out, " -s %c", option->letter);
    switch (gen_values_of(option)) {
    case GEN_WORDS:
        fputs(" -x -a '", out);
        for (size_t i = 0; option->choices[i]; i++)
            fprintf(out, "%s%s", i ? " " : "", option->choices[i]);
        fputc('\'', out);
        break;
    case GEN_FILES:
        fputs(" -r -F", out);
        break;
    case GEN_DIRECTORIES:
        fputs(" -x -a '(__fish_complete_directories)'", out);
        break;
    case GEN_NONE:
        fputs(option->placeholder ? " -x" : "", out);
        break;
    }
    fputs(" -d ", out);
    print_quoted(out, option->help);
    fputc('\n', out);
}

/* Options of serve end at COMMAND: after it the program's own completions apply. */
static void print_program(FILE *out, const struct cli_command *command)
{
    fprintf(out,
            "complete -c duplex -n '__duplex_is_in %s' -x -a '(__fish_complete_command)'\n"
            "complete -c duplex -n '__duplex_is_after_program %s' -F\n",
            command->name, command->name);
}

static void print_functions(FILE *out)
{
    fputs("# True while the first word is this command and no program has been named.\n"
          "function __duplex_is_in\n"
          "    set -l words (commandline -opc)\n"
          "    test (count $words) -ge 2; and test \"$words[2]\" = $argv[1]; or return 1\n"
          "    not __duplex_is_after_program $argv[1]\n"
          "end\n"
          "\n"
          "# True when a word after this command is the program to serve.\n"
          "function __duplex_is_after_program\n"
          "    set -l words (commandline -opc)\n"
          "    test (count $words) -ge 3; and test \"$words[2]\" = $argv[1]; or return 1\n"
          "    set -l takes_value 0\n"
          "    for word in $words[3..-1]\n"
          "        if test $takes_value = 1\n"
          "            set takes_value 0\n"
          "        else if string match -q -- '--*=*' $word\n"
          "            continue\n"
          "        else if contains -- $word $__duplex_valued\n"
          "            set takes_value 1\n"
          "        else if not string match -q -- '-*' $word\n"
          "            return 0\n"
          "        end\n"
          "    end\n"
          "    return 1\n"
          "end\n"
          "\n",
          out);
}

void gen_fish(FILE *out)
{
    fputs("# fish completion for duplex\n"
          "# Generated from the program's tables of options.\n"
          "\n"
          "set -g __duplex_valued",
          out);
    for (const struct cli_command *const *command = cli_commands; *command; command++)
        for (struct cli_row row = {0}; cli_row_next(*command, &row);)
            if ((*command)->operands == CLI_OPERANDS_REST && row.option->placeholder)
                fprintf(out, " --%s", row.option->name);
    fputs("\n\n", out);
    print_functions(out);
    fputs("complete -c duplex -f\n", out);
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        fprintf(out, "complete -c duplex -n __fish_use_subcommand -a %s -d ", (*command)->name);
        print_quoted(out, (*command)->summary);
        fprintf(out, "\ncomplete -c duplex -n '__fish_seen_subcommand_from help' -a %s\n",
                (*command)->name);
    }
    fputs("complete -c duplex -n __fish_use_subcommand -a help -d 'show the help of a command'\n"
          "complete -c duplex -n __fish_use_subcommand -s h -l help -d 'show the help and exit'\n"
          "complete -c duplex -n __fish_use_subcommand -s V -l version -d 'show the version and "
          "exit'\n",
          out);
    for (const struct cli_command *const *command = cli_commands; *command; command++) {
        for (struct cli_row row = {0}; cli_row_next(*command, &row);)
            print_option(out, *command, row.option);
        if ((*command)->operands == CLI_OPERANDS_REST)
            print_program(out, *command);
    }
}
