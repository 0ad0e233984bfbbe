/*
 * header.h - what --header, --cookie and --ok-code name.
 */
#ifndef CLI_HEADER_H
#define CLI_HEADER_H

#include <stdint.h>

#include <stdbool.h>

#include <duplex/error.h>

/* A header of the request, owned. */
struct cli_header {
    char *name; /* the value is after its NUL, in the same memory */
    const char *value;
};

/**
 * "Name: value". Returns DX_OK; DX_ERR_USAGE, and `problem` says what is wrong; DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err cli_header_parse(const char *text, struct cli_header *header,
                                           const char **problem);
void cli_header_release(struct cli_header *header);

/** Whether `text` can be a header's value: no control character but a tab. */
bool cli_header_value_is_valid(const char *text);

/** A close code, 1000 to 4999. NULL, or what is wrong. */
DX_MUST_CHECK const char *cli_close_code_parse(const char *text, uint16_t *code);

#endif
