/*
 * ping.c - one connection, one message under way: the distribution of the round trip.
 *
 * The socket blocks: a wake-up through epoll would be one more system call in what is measured.
 */
#include "histogram.h"
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { PING_MAX = 64 * 1024 };

struct ping {
    int fd;
    bool raw;
    size_t frame_len;
    struct dx_frame_reader reader;
    uint8_t frame[PING_MAX + 14];
    uint8_t buffer[PING_MAX + 14];
};

static size_t receive(struct ping *ping)
{
    ssize_t got = recv(ping->fd, ping->buffer, sizeof ping->buffer, 0);
    if (got <= 0)
        dx_load_fail("the server ended the connection", got < 0 ? errno : 0);
    return (size_t)got;
}

static void await_bytes(struct ping *ping)
{
    size_t left = ping->frame_len;
    while (left > 0) {
        size_t got = receive(ping);
        left = got < left ? left - got : 0;
    }
}

static void await_message(struct ping *ping)
{
    struct dx_frame frame;
    for (;;) {
        const uint8_t *at = ping->buffer;
        const uint8_t *end = at + receive(ping);
        while (at < end) {
            if (!dx_frame_next(&ping->reader, &at, end, &frame))
                continue;
            if (frame.opcode == DX_OPCODE_CLOSE)
                dx_load_fail("the server closed the connection", 0);
            if (frame.opcode > DX_OPCODE_CLOSE)
                dx_frame_answer(ping->fd, &frame);
            else if (frame.is_final)
                return;
        }
    }
}

static uint64_t round_trip(struct ping *ping)
{
    uint64_t start = dx_load_now();
    if (send(ping->fd, ping->frame, ping->frame_len, MSG_NOSIGNAL) != (ssize_t)ping->frame_len)
        dx_load_fail("send", errno);
    if (ping->raw)
        await_bytes(ping);
    else
        await_message(ping);
    return dx_load_now() - start;
}

int dx_load_ping(const struct dx_load_options *options)
{
    struct ping *ping = calloc(1, sizeof *ping);
    struct dx_histogram *histogram = calloc(1, sizeof *histogram);
    if (ping == NULL || histogram == NULL || options->size > PING_MAX)
        dx_load_fail("out of memory, or --size above 65536", 0);
    ping->raw = options->raw;
    ping->frame_len = dx_frame_encode(ping->frame, DX_OPCODE_TEXT, true, NULL, options->size);
    ping->fd = dx_peer_open(options, 0, NULL, 0, NULL);
    uint64_t start = dx_load_now();
    while (dx_load_seconds(start, dx_load_now()) < options->warmup)
        (void)round_trip(ping);
    uint64_t cpu = dx_load_cpu(options);
    start = dx_load_now();
    while (options->count > 0 ? histogram->count < options->count
                              : dx_load_seconds(start, dx_load_now()) < options->seconds)
        dx_histogram_add(histogram, round_trip(ping));
    double seconds = dx_load_seconds(start, dx_load_now());
    cpu = dx_load_cpu(options) - cpu;
    printf("{\"messages\": %llu, \"seconds\": %.4f, \"rate\": %.0f, \"cpu_us\": %.3f, ",
           (unsigned long long)histogram->count, seconds, (double)histogram->count / seconds,
           (double)cpu / 1e3 / (double)histogram->count);
    dx_histogram_print(histogram);
    printf("}\n");
    free(histogram);
    free(ping);
    return 0;
}
