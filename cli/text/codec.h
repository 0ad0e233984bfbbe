/*
 * codec.h - bytes in a buffer as hexadecimal digits and as base64 (RFC 4648), both ways.
 */
#ifndef CLI_CODEC_H
#define CLI_CODEC_H

#include <stdint.h>

#include "cli/text/buffer.h"

void cli_hex_encode(struct cli_buffer *to, const uint8_t *bytes, size_t len);
void cli_base64_encode(struct cli_buffer *to, const uint8_t *bytes, size_t len);

/** Digits in pairs; blanks between them do not count. False: it is something else. */
bool cli_hex_decode(struct cli_buffer *to, const char *text, size_t len);

/** With or without padding. False: it is something else. */
bool cli_base64_decode(struct cli_buffer *to, const char *text, size_t len);

#endif
