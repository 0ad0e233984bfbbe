/*
 * page.h - web/program.html, put into the program when it is built.
 */
#ifndef CLI_PAGE_H
#define CLI_PAGE_H

#include <stddef.h>

extern const char cli_program_page[];
extern const size_t cli_program_page_len;

/* Its Content-Security-Policy: only its own script and style, by their hashes, and WebSockets to where it came from. */
extern const char cli_program_page_headers[];

#endif
