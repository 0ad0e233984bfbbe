/*
 * lines_ascii.h - whole short lines of ASCII to frames in one pass: what a program prints most of the time.
 *
 * Finding the newline, judging (ASCII is UTF-8) and copying touch each byte once. It stops, without harm, at the first thing
 * that is not usual; lines.c knows how to go on. Not responsible for what the endpoint permits or for the output queue.
 * One form of it is in the build: lines_ascii_sse2.c on x86-64, else lines_ascii_portable.c.
 */
#ifndef DX_BRIDGE_LINES_ASCII_H
#define DX_BRIDGE_LINES_ASCII_H

#include "ws/frame.h"

/* A longer line is unusual. */
#define DX_ASCII_LINE_MAX 1024

/* The memory that a line of `len` bytes asks for: its header, itself, and what copying in steps of 16 bytes writes behind it. */
#define DX_ASCII_LINE_ROOM(len) (4 + (len) + 16)

struct dx_packed {
    size_t in_len;        /* bytes taken, ends of lines included */
    size_t out_len;       /* bytes of frames written */
    size_t message_count; /* lines */
    size_t payload_len;   /* of these lines */
    size_t missing_room;  /* not 0: it stopped because the next line needs that much */
};

/**
 * Frames lines from the start of `data` (the begin of a line) as unmasked final text frames at `to`, where all of `room` may be
 * written.
 *
 * Stops before: a line with a byte above 127 or of more than DX_ASCII_LINE_MAX bytes; a line without its end; a line that finds
 * no room; a line near the end of `data`, which may be left over although it is usual. Any thread.
 */
struct dx_packed dx_lines_pack_ascii(const uint8_t *data, size_t len, uint8_t *to, size_t room);

/**
 * For the forms of it, inline because a call a line would cost as much as the rest: writes the header of the next line,
 * whose `*len` bytes include its newline and do not any more afterwards. Returns where the payload goes, or NULL: stop.
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

/** The payload stands at `payload`: counts the line, which took `taken_len` bytes of the input. */
static inline void dx_packed_close(struct dx_packed *packed, size_t taken_len, const uint8_t *to,
                                   const uint8_t *payload, size_t len)
{
    packed->out_len = (size_t)(payload - to) + len;
    packed->in_len += taken_len;
    packed->payload_len += len;
    packed->message_count++;
}

#endif
