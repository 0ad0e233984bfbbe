/*
 * route.h - what stands at a path of the server: a program (--route) or a directory (--static).
 */
#ifndef CLI_ROUTE_H
#define CLI_ROUTE_H

#include <duplex/error.h>

/* --route=PATH=COMMAND */
struct cli_route {
    const char *text; /* as given; borrowed */
    char *path;       /* begins with /, ends with none but "/" itself */
    char **argv;      /* ends with NULL */
};

/* --static=[PATH=]DIR */
struct cli_static {
    const char *text;      /* as given; borrowed */
    char *path;            /* "/" when none was given */
    const char *directory; /* borrowed from text */
};

/**
 * Fill in from the option's value, which must outlive the result. NULL, or what is wrong (see
 * number.h); cli_out_of_memory.
 */
DX_MUST_CHECK const char *cli_route_parse(const char *text, struct cli_route *route);
DX_MUST_CHECK const char *cli_static_parse(const char *text, struct cli_static *files);

void cli_route_release(struct cli_route *route);
void cli_static_release(struct cli_static *files);

#endif
