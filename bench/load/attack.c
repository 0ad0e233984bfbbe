/*
 * attack.c - clients that mean harm, for as long as another process measures an honest client.
 *
 *   ping   sends pings of 125 bytes as fast as they are taken, reads and discards the pongs
 *   silent sends messages to be echoed and never reads; a connection that the server stops reading
 *          for a second is dropped and replaced
 *   drip   sends a message one byte a segment
 *   big    sends messages of --size bytes, one behind the other, and reads the echoes
 *
 * A connection that the server ends is replaced. Prints "ready" when the attack has begun.
 */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LANES_MAX = 256, BURST_LEN = 64 * 1024 };

struct lane {
    int fd;
    unsigned number;
    size_t at;          /* where in the pattern the next byte is */
    uint64_t last_sent; /* when the server last took something */
};

struct attack {
    const struct dx_load_options *options;
    bool reads;
    bool drips;
    int epoll;
    uint8_t *pattern; /* whole frames, sent over and over */
    size_t pattern_len;
    uint8_t *sink;
    uint64_t sent;
    uint64_t replaced;
    struct lane lanes[LANES_MAX];
};

static void lane_open(struct attack *attack, struct lane *lane)
{
    struct epoll_event event = {.events = EPOLLOUT | (attack->reads ? EPOLLIN : 0U),
                                .data.ptr = lane};
    lane->fd = dx_peer_open(attack->options, lane->number, NULL, 0, NULL);
    lane->at = 0;
    lane->last_sent = dx_load_now();
    dx_peer_set_nonblocking(lane->fd);
    if (epoll_ctl(attack->epoll, EPOLL_CTL_ADD, lane->fd, &event) != 0)
        dx_load_fail("epoll_ctl", errno);
}

static void lane_replace(struct attack *attack, struct lane *lane)
{
    (void)close(lane->fd);
    attack->replaced++;
    lane_open(attack, lane);
}

static bool lane_write(struct attack *attack, struct lane *lane)
{
    size_t part = attack->pattern_len - lane->at;
    if (part > BURST_LEN)
        part = BURST_LEN;
    if (attack->drips)
        part = 1;
    ssize_t sent = send(lane->fd, attack->pattern + lane->at, part, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN;
    lane->at = (lane->at + (size_t)sent) % attack->pattern_len;
    lane->last_sent = dx_load_now();
    attack->sent += (uint64_t)sent;
    return true;
}

static bool lane_drain(struct attack *attack, struct lane *lane)
{
    ssize_t got = recv(lane->fd, attack->sink, DX_LOAD_READ_LEN, 0);
    return got > 0 || (got < 0 && errno == EAGAIN);
}

static void lane_turn(struct attack *attack, struct lane *lane, uint32_t events)
{
    bool alive = (events & (EPOLLERR | EPOLLHUP)) == 0;
    if (alive && (events & EPOLLIN) != 0)
        alive = lane_drain(attack, lane);
    if (alive && (events & EPOLLOUT) != 0)
        alive = lane_write(attack, lane);
    if (!alive)
        lane_replace(attack, lane);
}

static void replace_stuck(struct attack *attack, uint64_t now)
{
    for (unsigned i = 0; i < attack->options->connections; i++)
        if (now - attack->lanes[i].last_sent > 1000000000U)
            lane_replace(attack, &attack->lanes[i]);
}

static void make_pattern(struct attack *attack)
{
    const char *kind = attack->options->kind;
    size_t size = attack->options->size;
    size_t room = 2 * BURST_LEN + size + 14;
    attack->pattern = calloc(1, room);
    attack->sink = malloc(DX_LOAD_READ_LEN);
    if (attack->pattern == NULL || attack->sink == NULL)
        dx_load_fail("out of memory", 0);
    enum dx_opcode opcode = strcmp(kind, "ping") == 0 ? DX_OPCODE_PING : DX_OPCODE_BINARY;
    do
        attack->pattern_len += dx_frame_encode(attack->pattern + attack->pattern_len, opcode, true,
                                               NULL, opcode == DX_OPCODE_PING ? 125 : size);
    while (!attack->drips && attack->pattern_len < BURST_LEN);
    attack->reads = strcmp(kind, "silent") != 0;
}

int dx_load_attack(const struct dx_load_options *options)
{
    static struct attack attack;
    struct epoll_event events[LANES_MAX];
    if (options->connections > LANES_MAX)
        dx_load_fail("more than 256 connections", 0);
    attack.options = options;
    attack.drips = strcmp(options->kind, "drip") == 0;
    attack.epoll = epoll_create1(EPOLL_CLOEXEC);
    make_pattern(&attack);
    for (unsigned i = 0; i < options->connections; i++) {
        attack.lanes[i].number = i;
        lane_open(&attack, &attack.lanes[i]);
    }
    printf("ready\n");
    (void)fflush(stdout);
    uint64_t start = dx_load_now();
    uint64_t now = start;
    while (dx_load_seconds(start, now) < options->seconds) {
        int count = epoll_wait(attack.epoll, events, LANES_MAX, 100);
        for (int i = 0; i < count; i++)
            lane_turn(&attack, events[i].data.ptr, events[i].events);
        now = dx_load_now();
        if (!attack.reads)
            replace_stuck(&attack, now);
    }
    printf("{\"sent_bytes\": %llu, \"replaced\": %llu, \"seconds\": %.3f}\n",
           (unsigned long long)attack.sent, (unsigned long long)attack.replaced,
           dx_load_seconds(start, now));
    return 0;
}
