/*
 * get.c - files over HTTP: kept-alive connections that each ask for the same path again and again.
 *
 * A closed loop. Each answer must be 200 with a body of --size bytes, which are counted and thrown
 * away; bench/run compares them once with the file.
 */
#include "channel.h"
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

enum { EVENTS_MAX = 512, HEAD_MAX = 4096 };

struct lane {
    struct dx_channel channel;
    size_t head_len; /* bytes of an unfinished head */
    uint64_t left;   /* of the body */
    char head[HEAD_MAX];
};

struct get {
    const struct dx_load_options *options;
    struct lane *lanes;
    int epoll;
    char request[512];
    size_t request_len;
    uint8_t *buffer;
    uint64_t answers;
    uint64_t bytes; /* of bodies */
};

static void lane_ask(struct get *get, struct lane *lane)
{
    lane->head_len = 0;
    lane->left = 0;
    if (dx_channel_send(&lane->channel, get->request, get->request_len) !=
        (ssize_t)get->request_len)
        dx_load_fail("send", errno);
}

/* Checks a whole head; what stands behind it belongs to the body. */
static void lane_begin_body(struct get *get, struct lane *lane, size_t head_len)
{
    static const char name[] = "\r\ncontent-length:";
    const char *at = lane->head;
    lane->head[lane->head_len < HEAD_MAX ? lane->head_len : HEAD_MAX - 1] = '\0';
    if (strncmp(lane->head, "HTTP/1.1 200", 12) != 0)
        dx_load_fail("not answered with 200", 0);
    while ((at = strstr(at, "\r\n")) != NULL && strncasecmp(at, name, sizeof name - 1) != 0)
        at += 2;
    if (at == NULL || strtoull(at + sizeof name - 1, NULL, 10) != get->options->size)
        dx_load_fail("the answer has another length", 0);
    size_t early = lane->head_len - head_len;
    if (early > get->options->size)
        dx_load_fail("more bytes than asked for", 0);
    lane->left = get->options->size - early;
    get->bytes += early;
}

static void lane_finish(struct get *get, struct lane *lane)
{
    if (lane->left > 0)
        return;
    get->answers++;
    lane_ask(get, lane);
}

static bool lane_read_head(struct get *get, struct lane *lane)
{
    ssize_t got =
        dx_channel_recv(&lane->channel, lane->head + lane->head_len, HEAD_MAX - 1 - lane->head_len);
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got <= 0)
        dx_load_fail("the server ended a connection", got < 0 ? errno : 0);
    lane->head_len += (size_t)got;
    const char *end = memmem(lane->head, lane->head_len, "\r\n\r\n", 4);
    if (end != NULL) {
        lane_begin_body(get, lane, (size_t)(end - lane->head) + 4);
        lane_finish(get, lane);
    } else if (lane->head_len == HEAD_MAX - 1) {
        dx_load_fail("a head without end", 0);
    }
    return true;
}

static bool lane_read_body(struct get *get, struct lane *lane)
{
    size_t room = lane->left < DX_LOAD_READ_LEN ? (size_t)lane->left : DX_LOAD_READ_LEN;
    ssize_t got = dx_channel_skip(&lane->channel, get->buffer, room);
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got <= 0)
        dx_load_fail("the server ended a connection", got < 0 ? errno : 0);
    lane->left -= (uint64_t)got;
    get->bytes += (uint64_t)got;
    lane_finish(get, lane);
    return true;
}

static void run_until(struct get *get, uint64_t until)
{
    struct epoll_event events[EVENTS_MAX];
    while (dx_load_now() < until) {
        int count = epoll_wait(get->epoll, events, EVENTS_MAX, 10);
        for (int i = 0; i < count; i++) {
            struct lane *lane = events[i].data.ptr;
            bool goes_on = true;
            /*
             * A turn each: a long body must not keep the others from asking. What OpenSSL has read
             * already would wake nobody.
             */
            for (unsigned reads = 0; goes_on && (lane->channel.tls != NULL || reads < 16); reads++)
                goes_on = lane->left > 0 ? lane_read_body(get, lane) : lane_read_head(get, lane);
        }
    }
}

static void open_lanes(struct get *get)
{
    unsigned count = get->options->connections;
    struct dx_load_options options = *get->options;
    options.raw = true; /* no WebSocket */
    get->buffer = malloc(DX_LOAD_READ_LEN);
    get->lanes = calloc(count, sizeof *get->lanes);
    get->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (get->buffer == NULL || get->lanes == NULL)
        dx_load_fail("out of memory", 0);
    for (unsigned i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &get->lanes[i]};
        dx_channel_open(&get->lanes[i].channel, &options, i);
        if (epoll_ctl(get->epoll, EPOLL_CTL_ADD, get->lanes[i].channel.fd, &event) != 0)
            dx_load_fail("epoll_ctl", errno);
    }
}

int dx_load_get(const struct dx_load_options *options)
{
    struct get get = {.options = options};
    get.request_len = (size_t)snprintf(get.request, sizeof get.request,
                                       "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n",
                                       options->path, options->port);
    if (get.request_len >= sizeof get.request)
        dx_load_fail("the path is too long", 0);
    open_lanes(&get);
    for (unsigned i = 0; i < options->connections; i++)
        lane_ask(&get, &get.lanes[i]);
    run_until(&get, dx_load_now() + (uint64_t)(options->warmup * 1e9));
    uint64_t bytes = get.bytes;
    uint64_t cpu = dx_load_cpu(options);
    uint64_t start = dx_load_now();
    run_until(&get, start + (uint64_t)(options->seconds * 1e9));
    bytes = get.bytes - bytes;
    cpu = dx_load_cpu(options) - cpu;
    double seconds = dx_load_seconds(start, dx_load_now());
    /* In bodies of this length: long ones are not at an end when the window is. */
    double answers = (double)bytes / (double)options->size;
    if (answers < 1)
        dx_load_fail("nothing came", 0);
    printf("{\"answers\": %.1f, \"seconds\": %.4f, \"rate\": %.1f, \"mb_s\": %.1f, \"cpu_us\": "
           "%.4f, \"busy\": %.3f}\n",
           answers, seconds, answers / seconds, (double)bytes / 1e6 / seconds,
           (double)cpu / 1e3 / answers, (double)cpu / 1e9 / seconds);
    return 0;
}
