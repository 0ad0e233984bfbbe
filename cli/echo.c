/*
 * echo.c - the command `duplex echo`.
 */
#include "commands.h"

int cli_echo(const struct cli_config *config)
{
    (void)config;
    return 0;
}
