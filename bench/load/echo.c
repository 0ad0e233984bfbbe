/*
 * echo.c - many connections, each with a window of messages under way; server's CPU time a message.
 *
 * Closed loop: a reply releases the next message. Each reply's bytes are compared with what they
 * must be. With --raw the same masked frame is sent to a plain TCP echo and must come back byte for
 * byte.
 */
#include "channel.h"
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { EVENTS_MAX = 512 };

struct lane {
    struct dx_channel channel;
    size_t unsent;      /* bytes that the kernel has not taken yet */
    size_t at;          /* where in a frame the next of them is */
    size_t partial_len; /* raw: bytes of an unfinished reply */
    struct dx_frame_reader reader;
};

struct echo {
    const struct dx_load_options *options;
    struct lane *lanes;
    int epoll;
    uint8_t *frames; /* a window of equal frames, one behind the other */
    size_t frame_len;
    uint8_t *reply;
    size_t reply_len;
    uint8_t *buffer;
    uint64_t messages;
};

static void lane_flush(struct echo *echo, struct lane *lane)
{
    size_t all = echo->frame_len * echo->options->window;
    while (lane->unsent > 0) {
        size_t part = all - lane->at < lane->unsent ? all - lane->at : lane->unsent;
        ssize_t sent = dx_channel_send(&lane->channel, echo->frames + lane->at, part);
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0)
            dx_load_fail("send", errno);
        lane->unsent -= (size_t)sent;
        lane->at = (lane->at + (size_t)sent) % echo->frame_len;
    }
}

static void lane_send(struct echo *echo, struct lane *lane, size_t count)
{
    lane->unsent += count * echo->frame_len;
    lane_flush(echo, lane);
}

static size_t count_raw(struct echo *echo, struct lane *lane, size_t len)
{
    const uint8_t *at = echo->buffer;
    size_t count = 0;
    while (len > 0) {
        size_t part = echo->reply_len - lane->partial_len;
        if (part > len)
            part = len;
        if (memcmp(at, echo->reply + lane->partial_len, part) != 0)
            dx_load_fail("the echo differs", 0);
        at += part;
        len -= part;
        lane->partial_len += part;
        if (lane->partial_len == echo->reply_len) {
            lane->partial_len = 0;
            count++;
        }
    }
    return count;
}

/*
 * Whole replies take the short way; anything else (pings, fragments, cuts) goes through the reader.
 */
static size_t count_frames(struct echo *echo, struct lane *lane, size_t len)
{
    const uint8_t *at = echo->buffer;
    const uint8_t *end = at + len;
    size_t count = 0;
    struct dx_frame frame;
    while (at < end) {
        if (lane->reader.head_len == 0 && (size_t)(end - at) >= echo->reply_len &&
            memcmp(at, echo->reply, echo->reply_len) == 0) {
            at += echo->reply_len;
            count++;
        } else if (dx_frame_next(&lane->reader, &at, end, &frame)) {
            if (frame.opcode == DX_OPCODE_CLOSE)
                dx_load_fail("the server closed a connection", 0);
            if (frame.opcode >= DX_OPCODE_CLOSE && lane->channel.tls != NULL)
                dx_load_fail("a control frame came inside TLS", 0);
            if (frame.opcode >= DX_OPCODE_CLOSE)
                dx_frame_answer(lane->channel.fd, &frame);
            else if (frame.is_final)
                count++;
        }
    }
    return count;
}

static void lane_read(struct echo *echo, struct lane *lane)
{
    ssize_t got;
    do {
        got = dx_channel_recv(&lane->channel, echo->buffer, DX_LOAD_READ_LEN);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0)
            dx_load_fail("the server ended a connection", got < 0 ? errno : 0);
        size_t count = echo->options->raw ? count_raw(echo, lane, (size_t)got)
                                          : count_frames(echo, lane, (size_t)got);
        echo->messages += count;
        if (count > 0)
            lane_send(echo, lane, count);
    } while (got == DX_LOAD_READ_LEN || lane->channel.tls != NULL);
}

static void run_until(struct echo *echo, uint64_t until)
{
    struct epoll_event events[EVENTS_MAX];
    while (dx_load_now() < until) {
        int count = epoll_wait(echo->epoll, events, EVENTS_MAX, 10);
        for (int i = 0; i < count; i++) {
            struct lane *lane = events[i].data.ptr;
            if ((events[i].events & EPOLLOUT) != 0 && lane->unsent > 0)
                lane_flush(echo, lane);
            if ((events[i].events & ~(unsigned)EPOLLOUT) != 0)
                lane_read(echo, lane);
        }
    }
}

static void *allocate(size_t len)
{
    void *memory = calloc(1, len);
    if (memory == NULL)
        dx_load_fail("out of memory", 0);
    return memory;
}

static void open_lanes(struct echo *echo)
{
    unsigned count = echo->options->connections;
    echo->lanes = allocate(count * sizeof *echo->lanes);
    echo->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < count; i++) {
        struct lane *lane = &echo->lanes[i];
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = lane};
        dx_channel_open(&lane->channel, echo->options, i);
        if (epoll_ctl(echo->epoll, EPOLL_CTL_ADD, lane->channel.fd, &event) != 0)
            dx_load_fail("epoll_ctl", errno);
    }
}

static void make_frames(struct echo *echo)
{
    const struct dx_load_options *options = echo->options;
    echo->buffer = allocate(DX_LOAD_READ_LEN);
    echo->frames = allocate((options->size + 14) * options->window);
    echo->reply = allocate(options->size + 14);
    for (unsigned i = 0; i < options->window; i++)
        echo->frame_len = dx_frame_encode(echo->frames + i * echo->frame_len, DX_OPCODE_TEXT, true,
                                          NULL, options->size);
    if (options->raw) {
        memcpy(echo->reply, echo->frames, echo->frame_len);
        echo->reply_len = echo->frame_len;
    } else {
        echo->reply_len = dx_frame_encode_reply(echo->reply, DX_OPCODE_TEXT, options->size);
    }
}

int dx_load_echo(const struct dx_load_options *options)
{
    struct echo echo = {.options = options};
    make_frames(&echo);
    open_lanes(&echo);
    for (unsigned i = 0; i < options->connections; i++)
        lane_send(&echo, &echo.lanes[i], options->window);
    run_until(&echo, dx_load_now() + (uint64_t)(options->warmup * 1e9));
    uint64_t messages = echo.messages;
    uint64_t cpu = dx_load_cpu(options);
    uint64_t start = dx_load_now();
    run_until(&echo, start + (uint64_t)(options->seconds * 1e9));
    messages = echo.messages - messages;
    cpu = dx_load_cpu(options) - cpu;
    double seconds = dx_load_seconds(start, dx_load_now());
    if (messages == 0)
        dx_load_fail("nothing was echoed", 0);
    printf("{\"messages\": %llu, \"seconds\": %.4f, \"rate\": %.0f, \"cpu_us\": %.4f, \"busy\": "
           "%.3f}\n",
           (unsigned long long)messages, seconds, (double)messages / seconds,
           (double)cpu / 1e3 / (double)messages, (double)cpu / 1e9 / seconds);
    return 0;
}
