/*
 * peer.h - a connection to the server under test, and the frames that go both ways.
 *
 * The opening handshake is sent and its status line checked; the Accept header is not: tests do
 * that.
 */
#ifndef DX_BENCH_PEER_H
#define DX_BENCH_PEER_H

#include "load.h"

enum dx_opcode {
    DX_OPCODE_CONTINUATION = 0,
    DX_OPCODE_TEXT = 1,
    DX_OPCODE_BINARY = 2,
    DX_OPCODE_CLOSE = 8,
    DX_OPCODE_PING = 9,
    DX_OPCODE_PONG = 10,
};

/* One whole frame that a server sent. The payload is kept for control frames only. */
struct dx_frame {
    uint64_t len;
    const uint8_t *control;
    uint8_t opcode;
    bool is_final;
};

/* Where a stream of frames stands between two reads. Zeroed: at the start of a frame. */
struct dx_frame_reader {
    uint64_t len;  /* of the frame's payload */
    uint64_t left; /* of it, still to come */
    uint8_t head[10];
    uint8_t head_len;   /* bytes of head seen, 0 between frames */
    uint8_t head_whole; /* true once the whole head was seen */
    uint8_t control_len;
    uint8_t control[125];
};

/* Opens a TCP connection, blocking, from a source address that changes every 5,000 connections
 * so that ports do not run out. Ends the process on failure. The caller closes it. */
int dx_peer_connect(const struct dx_load_options *options, unsigned number);

/* Writes the opening request to room bytes and returns its length. */
size_t dx_peer_request_text(const struct dx_load_options *options, char *request, size_t room);

/* Sends the opening request on a blocking descriptor. */
void dx_peer_request(const struct dx_load_options *options, int fd);

/* Connects, and unless options->raw shakes hands. What the server sent right behind its 101 goes to
 * rest (room bytes, may be NULL with 0), its length to *rest_len. */
int dx_peer_open(const struct dx_load_options *options, unsigned number, uint8_t *rest, size_t room,
                 size_t *rest_len);

/* Looks for the end of a 101 answer: its length, 0 while it is unfinished, ends the process when
 * the answer is another one. */
size_t dx_peer_answer_len(const uint8_t *bytes, size_t len);

void dx_peer_set_nonblocking(int fd);

/* Writes one masked frame (RFC 6455 5.2) to out, which has room for len + 14 bytes; returns its
 * length. payload may be NULL: then it is a pattern of ASCII letters. */
size_t dx_frame_encode(uint8_t *out, enum dx_opcode opcode, bool is_final, const uint8_t *payload,
                       size_t len);

/* Writes what a server sends back for that pattern: the same payload, unmasked. */
size_t dx_frame_encode_reply(uint8_t *out, enum dx_opcode opcode, size_t len);

/* Takes bytes from *at (moving it) up to end; true when a frame was completed. */
bool dx_frame_next(struct dx_frame_reader *reader, const uint8_t **at, const uint8_t *end,
                   struct dx_frame *frame);

/* Answers ping with pong and close with close; sending is best effort. */
void dx_frame_answer(int fd, const struct dx_frame *frame);

#endif
