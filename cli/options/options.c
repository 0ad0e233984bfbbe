/*
 * options.c - walks through the tables of a command. Reading words is parse.c's task.
 */
#include "cli/options/options.h"

#include <string.h>

const struct cli_option cli_general_options[] = {
    {.name = "help",
     .letter = 'h',
     .kind = CLI_SET,
     .set = CLI_WISH_HELP,
     .field = offsetof(struct cli_config, wish),
     .help = "show this help and exit"},
    {.name = "version",
     .letter = 'V',
     .kind = CLI_SET,
     .set = CLI_WISH_VERSION,
     .field = offsetof(struct cli_config, wish),
     .help = "show the version and exit"},
    {.name = NULL},
};

bool cli_row_next(const struct cli_command *command, struct cli_row *row)
{
    if (row->group) {
        row->option++;
    } else {
        row->group = command->groups;
        row->option = row->group->options;
    }
    while (row->option && !row->option->name) {
        row->group++;
        row->option = row->group->options;
    }
    return row->option;
}

bool cli_row_find(const struct cli_command *command, const char *name, size_t len,
                  struct cli_row *row)
{
    *row = (struct cli_row){0};
    while (cli_row_next(command, row))
        if (strlen(row->option->name) == len && memcmp(row->option->name, name, len) == 0)
            return true;
    return false;
}

bool cli_row_find_letter(const struct cli_command *command, char letter, struct cli_row *row)
{
    *row = (struct cli_row){0};
    while (cli_row_next(command, row))
        if (row->option->letter == letter)
            return true;
    return false;
}
