/*
 * rate.c - connect, wait until the server ends the connection (its program has ended), connect
 * again; a fixed number at once.
 *
 * A connection counts when the server closed it after a 101; a Close is answered, as a browser
 * would.
 */
#include "histogram.h"
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LANES_MAX = 256, LANE_READ_LEN = 4096 };

struct lane {
    int fd; /* -1: at rest */
    bool is_open;
    size_t len;
    uint64_t start;
    struct dx_frame_reader reader;
    uint8_t buffer[LANE_READ_LEN];
};

struct rate {
    const struct dx_load_options *options;
    int epoll;
    unsigned started;
    unsigned active;
    uint64_t closes; /* how many said Close before the end */
    struct dx_histogram histogram;
    struct lane lanes[LANES_MAX];
};

static void lane_start(struct rate *rate, struct lane *lane)
{
    memset(lane, 0, offsetof(struct lane, buffer));
    lane->start = dx_load_now();
    lane->fd = dx_peer_connect(rate->options, rate->started++);
    dx_peer_request(rate->options, lane->fd);
    dx_peer_set_nonblocking(lane->fd);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = lane};
    if (epoll_ctl(rate->epoll, EPOLL_CTL_ADD, lane->fd, &event) != 0)
        dx_load_fail("epoll_ctl", errno);
    rate->active++;
}

static void lane_end(struct rate *rate, struct lane *lane)
{
    if (!lane->is_open)
        dx_load_fail("the server ended the opening handshake", 0);
    (void)close(lane->fd);
    lane->fd = -1;
    rate->active--;
    dx_histogram_add(&rate->histogram, dx_load_now() - lane->start);
}

static void lane_take(struct rate *rate, struct lane *lane)
{
    const uint8_t *at = lane->buffer;
    const uint8_t *end = at + lane->len;
    struct dx_frame frame;
    if (!lane->is_open) {
        size_t head_len = dx_peer_answer_len(lane->buffer, lane->len);
        if (head_len == 0)
            return;
        at += head_len;
        lane->is_open = true;
    }
    while (at < end)
        if (dx_frame_next(&lane->reader, &at, end, &frame)) {
            rate->closes += frame.opcode == DX_OPCODE_CLOSE ? 1 : 0;
            dx_frame_answer(lane->fd, &frame);
        }
    lane->len = 0;
}

static void lane_read(struct rate *rate, struct lane *lane)
{
    ssize_t got = recv(lane->fd, lane->buffer + lane->len, sizeof lane->buffer - lane->len, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        lane_end(rate, lane);
        return;
    }
    lane->len += (size_t)got;
    lane_take(rate, lane);
}

/* Runs until the time has come; keeps all lanes busy, or lets them end when refill is false. */
static void run_until(struct rate *rate, uint64_t until, bool refill)
{
    struct epoll_event events[LANES_MAX];
    while (dx_load_now() < until && (refill || rate->active > 0)) {
        for (unsigned i = 0; refill && i < rate->options->connections; i++)
            if (rate->lanes[i].fd < 0)
                lane_start(rate, &rate->lanes[i]);
        int count = epoll_wait(rate->epoll, events, LANES_MAX, 100);
        for (int i = 0; i < count; i++)
            lane_read(rate, events[i].data.ptr);
    }
}

int dx_load_rate(const struct dx_load_options *options)
{
    struct rate *rate = calloc(1, sizeof *rate);
    if (rate == NULL || options->connections > LANES_MAX)
        dx_load_fail("out of memory, or more than 256 connections", 0);
    rate->options = options;
    rate->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < options->connections; i++)
        rate->lanes[i].fd = -1;
    run_until(rate, dx_load_now() + (uint64_t)(options->warmup * 1e9), true);
    memset(&rate->histogram, 0, sizeof rate->histogram);
    rate->closes = 0;
    uint64_t cpu = dx_load_cpu(options);
    uint64_t children = dx_load_children_cpu(options);
    uint64_t start = dx_load_now();
    run_until(rate, start + (uint64_t)(options->seconds * 1e9), true);
    double seconds = dx_load_seconds(start, dx_load_now());
    uint64_t count = rate->histogram.count;
    cpu = dx_load_cpu(options) - cpu;
    children = dx_load_children_cpu(options) - children;
    printf(
        "{\"count\": %llu, \"closes\": %llu, \"seconds\": %.4f, \"rate\": %.1f, \"cpu_us\": %.2f, "
        "\"children_cpu_us\": %.1f, ",
        (unsigned long long)count, (unsigned long long)rate->closes, seconds,
        (double)count / seconds, (double)cpu / 1e3 / (double)count,
        (double)children / 1e3 / (double)count);
    dx_histogram_print(&rate->histogram);
    printf("}\n");
    (void)fflush(stdout);
    run_until(rate, dx_load_now() + 5000000000U, false);
    free(rate);
    return 0;
}
