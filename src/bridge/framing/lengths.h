/*
 * lengths.h - --framing=length: messages with a kind and a length, both ways, so that text and binary keep their borders.
 *
 *     1 byte    't' text or 'b' binary
 *     4 bytes   length of the payload, big-endian
 *     payload
 */
#ifndef DX_BRIDGE_LENGTHS_H
#define DX_BRIDGE_LENGTHS_H

#include "bridge/framing/lines.h"

#define DX_LENGTHS_HEADER 5

/* All zero at the begin. */
struct dx_lengths {
    uint8_t header[DX_LENGTHS_HEADER];
    uint8_t header_len;
    bool is_in_message; /* a fragment has been sent */
    uint32_t left;      /* payload bytes still to come, once the header is whole */
    struct dx_text text;
};

/**
 * Turns what a program prints into frames: a message that is whole in `data` leaves as one, else in fragments as it comes. The
 * DX_TEXT_ROOM bytes before `data` may be overwritten.
 *
 * Returns DX_OK; DX_ERR_PROTOCOL (a kind that is neither 't' nor 'b'); and as dx_lines_feed.
 */
DX_MUST_CHECK enum dx_err dx_lengths_feed(struct dx_lengths *lengths, struct dx_endpoint *endpoint,
                                          enum dx_invalid_utf8 policy, uint8_t *data, size_t len,
                                          struct dx_framed *framed);

/** True between the first byte of a message's header and its last byte: an end of file here cuts it. */
bool dx_lengths_is_partial(const struct dx_lengths *lengths);

/** Writes the header of a message to the program. */
void dx_lengths_header_write(uint8_t header[DX_LENGTHS_HEADER], enum dx_opcode opcode,
                             uint32_t len);

#endif
