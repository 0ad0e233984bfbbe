/*
 * complaint.c - see complaint.h.
 */
#include "cli/options/complaint.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/text/escape.h"

bool cli_complain(struct cli_complaint *complaint, int exit_status, const char *format, ...)
{
    va_list args;

    complaint->exit_status = exit_status;
    va_start(args, format);
    vsnprintf(complaint->line, sizeof(complaint->line), format, args);
    va_end(args);
    return false;
}

bool cli_complain_of(struct cli_complaint *complaint, const char *option, const char *value,
                     const char *format, ...)
{
    va_list args;
    int len;

    complaint->exit_status = CLI_EXIT_USAGE;
    len = snprintf(complaint->line, sizeof(complaint->line), "--%s=%s: ", option,
                   cli_shown(value).text);
    va_start(args, format);
    vsnprintf(complaint->line + len, sizeof(complaint->line) - (size_t)len, format, args);
    va_end(args);
    return false;
}

int cli_fail(const char *command, const char *what, const char *why)
{
    fprintf(stderr, "duplex %s: %s: %s\n", command, cli_shown(what).text, why);
    return CLI_EXIT_RESOURCE;
}
