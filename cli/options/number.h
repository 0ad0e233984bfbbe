/*
 * number.h - the numbers of the command line: durations, sizes, counts, ports.
 *
 * Every parser of a value returns NULL when it has filled in its output, else what is wrong with
 * the text and what to write instead, as a message shows it after the value. Outputs are untouched
 * on error. No locale.
 */
#ifndef CLI_NUMBER_H
#define CLI_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include <duplex/error.h>

#define CLI_NUMBER_TEXT_MAX 32

/**
 * "250ms", "5s", "2m", "1h", or a bare number of seconds; "1.5s" and "0.5" too, in whole
 * milliseconds. At most 168h.
 */
DX_MUST_CHECK const char *cli_duration_parse(const char *text, uint64_t *duration_ms);

/** Bytes: "512", "64K", "1M", "1G", powers of 1024. */
DX_MUST_CHECK const char *cli_size_parse(const char *text, uint64_t *size);

/** A whole number without a sign, at most UINT32_MAX. */
DX_MUST_CHECK const char *cli_count_parse(const char *text, uint64_t *count);

/** A TCP port, 0 to 65535. */
DX_MUST_CHECK const char *cli_port_parse(const char *text, uint16_t *port);

/** Print a value in its shortest form that the parser reads back. */
void cli_duration_print(uint64_t duration_ms, char text[static CLI_NUMBER_TEXT_MAX]);
void cli_size_print(uint64_t size, char text[static CLI_NUMBER_TEXT_MAX]);

#endif
