/*
 * idle.c - holds connections that do nothing but answer pings (outside TLS), so that memory can be
 * measured.
 *
 * Driven by lines on stdin: a number opens connections up to that many, an empty line only asks;
 * each is answered on stdout by one JSON object. End of file ends the run.
 */
#include "channel.h"
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 256 };

struct holder {
    const struct dx_load_options *options;
    int epoll;
    unsigned open;
    uint64_t pings;
    uint64_t lost;
    struct lane *lanes;
};

struct lane {
    struct dx_channel channel;
    struct dx_frame_reader reader;
};

static void open_up_to(struct holder *holder, unsigned count)
{
    if (count > DX_LOAD_CONNECTIONS_MAX)
        dx_load_fail("too many connections", 0);
    while (holder->open < count) {
        struct lane *lane = &holder->lanes[holder->open];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = lane};
        dx_channel_open(&lane->channel, holder->options, holder->open);
        if (epoll_ctl(holder->epoll, EPOLL_CTL_ADD, lane->channel.fd, &event) != 0)
            dx_load_fail("epoll_ctl", errno);
        holder->open++;
    }
}

/* One command line; false at the end of file. */
static bool take_command(struct holder *holder)
{
    char line[64];
    if (fgets(line, sizeof line, stdin) == NULL)
        return false;
    open_up_to(holder, (unsigned)strtoul(line, NULL, 10));
    printf("{\"open\": %u, \"pings\": %llu, \"lost\": %llu}\n", holder->open,
           (unsigned long long)holder->pings, (unsigned long long)holder->lost);
    (void)fflush(stdout);
    return true;
}

static void lane_read(struct holder *holder, struct lane *lane)
{
    uint8_t buffer[4096];
    struct dx_frame frame;
    ssize_t got = dx_channel_recv(&lane->channel, buffer, sizeof buffer);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        holder->lost++;
        dx_channel_close(&lane->channel);
        return;
    }
    const uint8_t *at = buffer;
    while (!holder->options->raw && at < buffer + got)
        if (dx_frame_next(&lane->reader, &at, buffer + got, &frame)) {
            holder->pings += frame.opcode == DX_OPCODE_PING ? 1 : 0;
            if (lane->channel.tls == NULL)
                dx_frame_answer(lane->channel.fd, &frame);
        }
}

int dx_load_idle(const struct dx_load_options *options)
{
    struct holder holder = {.options = options, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    struct epoll_event events[EVENTS_MAX];
    struct epoll_event on_stdin = {.events = EPOLLIN, .data.ptr = NULL};
    holder.lanes = calloc(DX_LOAD_CONNECTIONS_MAX, sizeof *holder.lanes);
    /* Unbuffered: a line that stdio had read ahead would never wake epoll. */
    setvbuf(stdin, NULL, _IONBF, 0);
    if (holder.lanes == NULL ||
        epoll_ctl(holder.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &on_stdin) != 0)
        dx_load_fail("start", errno);
    for (;;) {
        int count = epoll_wait(holder.epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr != NULL)
                lane_read(&holder, events[i].data.ptr);
            else if (!take_command(&holder))
                return 0;
        }
    }
}
