/*
 * page.h - the pages of web/ that the program serves itself, put into it when it is built.
 */
#ifndef CLI_PAGE_H
#define CLI_PAGE_H

#include <duplex/header.h>

#include <stddef.h>

struct cli_page {
    const char *html;
    size_t len;
    /* Content-Security-Policy: its own script and style, by their hashes, and WebSockets. */
    struct dx_header header;
};

extern const struct cli_page cli_program_page; /* web/program.html */
extern const struct cli_page cli_echo_page;    /* web/echo.html */

#endif
