/*
 * bash.c - completion for bash, without the helpers of the bash-completion package: plain bash is
 * enough.
 *
 * bash splits words at =, so that --framing=li is three words; the value after = is completed
 * alone.
 */
#include <string.h>

#include "cli/gen/gen.h"

static const char head[] =
    "# bash completion for duplex\n"
    "# Generated from the program's tables of options.\n"
    "\n"
    "_duplex()\n"
    "{\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local command=${COMP_WORDS[1]} option='' names='' at\n"
    "    COMPREPLY=()\n"
    "\n"
    "    if ((COMP_CWORD == 1)); then\n";

static const char values_head[] =
    "    # The word that takes a value, when this is one: --name value, --name = value.\n"
    "    if [[ $current == = ]]; then\n"
    "        option=$previous current=''\n"
    "    elif [[ $previous == = ]]; then\n"
    "        option=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    else\n"
    "        option=$previous\n"
    "    fi\n";

static const char tail[] =
    "    if [[ $current == -* ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$names\" -- \"$current\")\n"
    "        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null\n"
    "    fi\n"
    "}\n"
    "complete -F _duplex duplex\n";

/* After COMMAND its own words follow: those are files. */
static const char program[] =
    "        for ((at = 2; at < COMP_CWORD; at++)); do\n"
    "            case ${COMP_WORDS[at]} in\n"
    "                -* | =) ;;\n"
    "                *)\n"
    "                    [[ ${COMP_WORDS[at - 1]} == = ]] && continue\n"
    "                    [[ \" $valued \" == *\" ${COMP_WORDS[at - 1]} \"* ]] && continue\n"
    "                    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
    "                    compopt -o filenames 2>/dev/null\n"
    "                    return\n"
    "                    ;;\n"
    "            esac\n"
    "        done\n"
    "        if [[ $current != -* && \" $valued \" != *\" $option \"* ]]; then\n"
    "            mapfile -t COMPREPLY < <(compgen -c -f -- \"$current\" | sort -u)\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            return\n"
    "        fi\n";

static void print_words(FILE *out, const struct cli_option *option)
{
    for (size_t i = 0; option->choices[i]; i++)
        fprintf(out, "%s%s", i ? " " : "", option->choices[i]);
}

static void print_value(FILE *out, const struct cli_option *option)
{
    fprintf(out, "            --%s)\n", option->name);
    switch (gen_values_of(option)) {
    case GEN_WORDS:
        fputs("                mapfile -t COMPREPLY < <(compgen -W '", out);
        print_words(out, option);
        fputs("' -- \"$current\")\n                return\n", out);
        break;
    case GEN_FILES:
    case GEN_DIRECTORIES:
        fprintf(out, "                mapfile -t COMPREPLY < <(compgen %s -- \"$current\")\n",
                gen_values_of(option) == GEN_FILES ? "-f" : "-d");
        fputs("                compopt -o filenames 2>/dev/null\n                return\n", out);
        break;
    case GEN_NONE:
        fputs("                return\n", out);
        break;
    }
    fputs("                ;;\n", out);
}

static void print_command(FILE *out, const struct cli_command *command)
{
    fprintf(out, "    %s)\n        local valued='", command->name);
    for (struct cli_row row = {0}; cli_row_next(command, &row);)
        if (row.option->placeholder)
            fprintf(out, " --%s", row.option->name);
    fputs("'\n        names='", out);
    for (struct cli_row row = {0}; cli_row_next(command, &row);) {
        fprintf(out, "--%s%s ", row.option->name, row.option->placeholder ? "=" : "");
        if (row.option->letter)
            fprintf(out, "-%c ", row.option->letter);
    }
    fputs("'\n", out);
    if (command->operands == CLI_OPERANDS_REST)
        fputs(program, out);
    fputs("        case $option in\n", out);
    for (struct cli_row row = {0}; cli_row_next(command, &row);)
        if (row.option->placeholder)
            print_value(out, row.option);
    fputs("        esac\n        ;;\n", out);
}

void gen_bash(FILE *out)
{
    fputs(head, out);
    fputs("        mapfile -t COMPREPLY < <(compgen -W '", out);
    for (const struct cli_command *const *command = cli_commands; *command; command++)
        fprintf(out, "%s ", (*command)->name);
    fputs("help --help -h --version -V' -- \"$current\")\n        return\n    fi\n", out);
    fputs(values_head, out);
    fputs("    case $command in\n    help)\n        mapfile -t COMPREPLY < <(compgen -W '", out);
    for (const struct cli_command *const *command = cli_commands; *command; command++)
        fprintf(out, "%s ", (*command)->name);
    fputs("' -- \"$current\")\n        return\n        ;;\n", out);
    for (const struct cli_command *const *command = cli_commands; *command; command++)
        print_command(out, *command);
    fputs("    esac\n", out);
    fputs(tail, out);
}
