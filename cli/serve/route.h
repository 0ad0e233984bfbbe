/*
 * route.h - what is at a path of the server: a program (--route) or a directory (--static).
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
 * Fill in from the option's value, which must outlive the result. Return DX_OK; DX_ERR_USAGE, and
 * `problem` says what is wrong; DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err cli_route_parse(const char *text, struct cli_route *route,
                                          const char **problem);
DX_MUST_CHECK enum dx_err cli_static_parse(const char *text, struct cli_static *files,
                                           const char **problem);

void cli_route_release(struct cli_route *route);
void cli_static_release(struct cli_static *files);

#endif
