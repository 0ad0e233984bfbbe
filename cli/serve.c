/*
 * serve.c - the command `duplex serve`.
 */
#include "commands.h"

int cli_serve(const struct cli_config *config)
{
    (void)config;
    return 0;
}
