/*
 * lines_ascii.h - the fast path: frames whole, short lines of ASCII in one pass.
 *
 * Finding the newline, checking (ASCII is valid UTF-8) and copying touch each byte once. It stops
 * at the first line that is not short ASCII, and lines.c continues. What the endpoint allows, and
 * the output queue, are lines.c's business. The build has one implementation: lines_ascii_sse2.c on
 * x86-64, else lines_ascii_portable.c.
 */
#ifndef DX_BRIDGE_LINES_ASCII_H
#define DX_BRIDGE_LINES_ASCII_H

#include "ws/frame.h"

/* Longer lines take the general path. */
#define DX_ASCII_LINE_MAX 1024

/*
 * Room that a line of `len` bytes needs: header, payload, and what copying in steps of 16 bytes may
 * write past it.
 */
#define DX_ASCII_LINE_ROOM(len) (4 + (len) + 16)

struct dx_packed {
    size_t in_len;        /* bytes of input, newlines included */
    size_t out_len;       /* bytes of frames written */
    size_t message_count; /* lines */
    size_t payload_len;   /* of these lines */
    size_t missing_room;  /* not 0: it stopped because the next line needs so much room */
};

/**
 * Frames lines from the start of `data`, which is the start of a line, as unmasked final text
 * frames at `to`. All of `room` may be overwritten.
 *
 * Stops before a line with a byte above 127, of more than DX_ASCII_LINE_MAX bytes, without its
 * newline, or without room. May also stop before the last lines of `data`. Any thread.
 */
struct dx_packed dx_lines_pack_ascii(const uint8_t *data, size_t len, uint8_t *to, size_t room);

/**
 * For the implementations; inline, because a call for each line would double the cost. Writes the
 * header of the next line. `*len` includes the newline before the call, and not after it. Returns
 * where the payload goes. NULL: stop.
 */
static inline uint8_t *dx_packed_open(struct dx_packed *packed, const uint8_t *line, size_t *len,
                                      uint8_t *to, size_t room)
{
    size_t payload_len = *len - 1;
    uint8_t *at = to + packed->out_len;

    if (payload_len > 0 && line[payload_len - 1] == '\r')
        payload_len--;
    if (payload_len > DX_ASCII_LINE_MAX)
        return NULL;
    if (room - packed->out_len < DX_ASCII_LINE_ROOM(payload_len)) {
        packed->missing_room = DX_ASCII_LINE_ROOM(payload_len);
        return NULL;
    }
    *len = payload_len;
    at[0] = DX_FRAME_FIN | DX_OP_TEXT;
    if (payload_len < DX_FRAME_LENGTH_16) {
        at[1] = (uint8_t)payload_len;
        return at + 2;
    }
    at[1] = DX_FRAME_LENGTH_16;
    at[2] = (uint8_t)(payload_len >> 8);
    at[3] = (uint8_t)payload_len;
    return at + 4;
}

/** The payload has been copied: counts the line, which took `taken_len` bytes of input. */
static inline void dx_packed_close(struct dx_packed *packed, size_t taken_len, const uint8_t *to,
                                   const uint8_t *payload, size_t len)
{
    packed->out_len = (size_t)(payload - to) + len;
    packed->in_len += taken_len;
    packed->payload_len += len;
    packed->message_count++;
}

#endif
