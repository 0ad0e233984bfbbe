/*
 * lines.c - one client that reads all that a program prints, as fast as it can.
 *
 * The clock starts before the connection and stops at the last byte of data; a closing handshake or
 * the end of the connection behind it is not counted. With --raw bytes are counted, and nothing
 * else.
 */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct lines {
    int fd;
    uint64_t messages;
    uint64_t bytes;
    uint64_t last; /* when the last data came */
    unsigned close_code;
    struct dx_frame_reader reader;
};

static void take_frame(struct lines *lines, const struct dx_frame *frame)
{
    if (frame->opcode < DX_OPCODE_CLOSE) {
        lines->bytes += frame->len;
        lines->messages += frame->is_final ? 1 : 0;
        return;
    }
    if (frame->opcode == DX_OPCODE_CLOSE && frame->len >= 2)
        lines->close_code = (unsigned)frame->control[0] << 8 | frame->control[1];
    dx_frame_answer(lines->fd, frame);
}

static void take(struct lines *lines, const uint8_t *at, size_t len)
{
    const uint8_t *end = at + len;
    struct dx_frame frame;
    uint64_t before = lines->bytes;
    while (at < end)
        if (dx_frame_next(&lines->reader, &at, end, &frame))
            take_frame(lines, &frame);
    if (lines->bytes != before)
        lines->last = dx_load_now();
}

int dx_load_lines(const struct dx_load_options *options)
{
    struct lines lines = {.fd = -1};
    uint8_t *buffer = malloc(DX_LOAD_READ_LEN);
    size_t len = 0;
    if (buffer == NULL)
        dx_load_fail("out of memory", 0);
    uint64_t cpu = dx_load_cpu(options);
    uint64_t start = dx_load_now();
    lines.fd = dx_peer_open(options, 0, buffer, DX_LOAD_READ_LEN, &len);
    for (;;) {
        if (!options->raw) {
            take(&lines, buffer, len);
        } else if (len > 0) {
            lines.bytes += len;
            lines.last = dx_load_now();
        }
        ssize_t got = recv(lines.fd, buffer, DX_LOAD_READ_LEN, 0);
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            break;
        if (got < 0)
            dx_load_fail("recv", errno);
        len = (size_t)got;
    }
    cpu = dx_load_cpu(options) - cpu;
    double seconds = dx_load_seconds(start, lines.last);
    printf(
        "{\"messages\": %llu, \"bytes\": %llu, \"seconds\": %.5f, \"rate\": %.0f, \"cpu_s\": %.4f, "
        "\"close\": %u}\n",
        (unsigned long long)lines.messages, (unsigned long long)lines.bytes, seconds,
        (double)lines.messages / seconds, (double)cpu / 1e9, lines.close_code);
    free(buffer);
    return 0;
}
