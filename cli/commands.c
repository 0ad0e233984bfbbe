/*
 * commands.c - the commands that there are. Each is an object in its own folder.
 */
#include "cli/commands.h"

#include <string.h>

#include "cli/connect/connect.h"
#include "cli/echo/echo.h"
#include "cli/serve/serve.h"

const struct cli_command *const cli_commands[] = {&cli_serve, &cli_echo, &cli_connect, NULL};

const struct cli_command *cli_command_find(const char *name)
{
    for (const struct cli_command *const *command = cli_commands; *command; command++)
        if (strcmp((*command)->name, name) == 0)
            return *command;
    return NULL;
}
