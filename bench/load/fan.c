/*
 * fan.c - one connection publishes, all others get it: server's CPU time a delivery, and the time
 * until the last has it.
 *
 * What a client says the server gives to all others. --count times one message (not with
 * --kind burst), then as often a burst: --window messages in one send. The next begins a moment
 * after the last subscriber has got all of this one. Every delivered byte is compared with what it
 * must be. With --raw there is no handshake, and what is said are the same masked frames.
 */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

enum { EVENTS_MAX = 1024, BURSTS_MAX = 10000, PATIENCE_MS = 20000 };

struct subscriber {
    int fd;
    size_t at; /* bytes of the burst that have come */
};

struct fan {
    const struct dx_load_options *options;
    struct subscriber *subscribers;
    int epoll;
    int publisher;
    uint8_t *burst; /* as it is said */
    size_t said_len;
    uint8_t *expected; /* as each gets it */
    size_t delivered_len;
    unsigned window;
    uint8_t *buffer;
    unsigned finished; /* subscribers that have all of this burst */
    double *times_ms;
};

static void *allocate(size_t len)
{
    void *memory = calloc(1, len);
    if (memory == NULL)
        dx_load_fail("out of memory", 0);
    return memory;
}

static void make_bytes(struct fan *fan)
{
    const struct dx_load_options *options = fan->options;
    fan->buffer = allocate(DX_LOAD_READ_LEN);
    fan->burst = allocate((options->size + 14) * options->window);
    fan->expected = allocate((options->size + 14) * options->window);
    for (unsigned i = 0; i < options->window; i++) {
        fan->said_len = dx_frame_encode(fan->burst + i * fan->said_len, DX_OPCODE_TEXT, true, NULL,
                                        options->size);
        fan->delivered_len = dx_frame_encode_reply(fan->expected + i * fan->delivered_len,
                                                   DX_OPCODE_TEXT, options->size);
    }
}

static void open_all(struct fan *fan)
{
    unsigned count = fan->options->connections;
    fan->subscribers = allocate(count * sizeof *fan->subscribers);
    fan->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < count; i++) {
        struct subscriber *subscriber = &fan->subscribers[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = subscriber};
        subscriber->fd = dx_peer_open(fan->options, i, NULL, 0, NULL);
        dx_peer_set_nonblocking(subscriber->fd);
        if (epoll_ctl(fan->epoll, EPOLL_CTL_ADD, subscriber->fd, &event) != 0)
            dx_load_fail("epoll_ctl", errno);
    }
    fan->publisher = dx_peer_open(fan->options, count, NULL, 0, NULL);
}

static void take(struct fan *fan, struct subscriber *subscriber)
{
    ssize_t got = recv(subscriber->fd, fan->buffer, DX_LOAD_READ_LEN, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        dx_load_fail("the server ended a connection", got < 0 ? errno : 0);
    size_t all = fan->delivered_len * fan->window;
    if ((size_t)got > all - subscriber->at ||
        memcmp(fan->buffer, fan->expected + subscriber->at, (size_t)got) != 0)
        dx_load_fail("what was delivered differs", 0);
    subscriber->at += (size_t)got;
    if (subscriber->at == all) {
        subscriber->at = 0;
        fan->finished++;
    }
}

/* One burst; milliseconds until the last subscriber had all of it. */
static double publish(struct fan *fan)
{
    struct epoll_event events[EVENTS_MAX];
    size_t len = fan->said_len * fan->window;
    uint64_t start = dx_load_now();
    fan->finished = 0;
    if (send(fan->publisher, fan->burst, len, MSG_NOSIGNAL) != (ssize_t)len)
        dx_load_fail("publish", errno);
    while (fan->finished < fan->options->connections) {
        int count = epoll_wait(fan->epoll, events, EVENTS_MAX, PATIENCE_MS);
        if (count == 0)
            dx_load_fail("not all were delivered", 0);
        for (int i = 0; i < count; i++)
            take(fan, events[i].data.ptr);
    }
    return dx_load_seconds(start, dx_load_now()) * 1e3;
}

/*
 * The server comes to rest: its time is up to date when it sleeps, and no burst begins behind
 * another.
 */
static void rest(void)
{
    struct timespec moment = {.tv_nsec = 5000000};
    (void)nanosleep(&moment, NULL);
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static void measure(struct fan *fan, unsigned window, uint64_t bursts, const char *prefix)
{
    fan->window = window;
    (void)publish(fan);
    rest();
    uint64_t cpu = dx_load_cpu(fan->options);
    for (uint64_t i = 0; i < bursts; i++) {
        fan->times_ms[i] = publish(fan);
        rest();
    }
    cpu = dx_load_cpu(fan->options) - cpu;
    qsort(fan->times_ms, bursts, sizeof *fan->times_ms, compare);
    printf("\"%scpu_us\": %.4f, \"%slast_ms\": %.3f, \"%slast_max_ms\": %.3f", prefix,
           (double)cpu / 1e3 / ((double)bursts * fan->options->connections * window), prefix,
           fan->times_ms[bursts / 2], prefix, fan->times_ms[bursts - 1]);
}

int dx_load_fan(const struct dx_load_options *options)
{
    struct fan fan = {.options = options};
    uint64_t bursts = options->count > 0 ? options->count : 1;
    if (bursts > BURSTS_MAX)
        dx_load_fail("too many bursts", 0);
    fan.times_ms = allocate(bursts * sizeof *fan.times_ms);
    make_bytes(&fan);
    open_all(&fan);
    printf("{");
    if (strcmp(options->kind, "burst") != 0) {
        measure(&fan, 1, bursts, "");
        printf(", ");
    }
    measure(&fan, options->window, bursts, "burst_");
    printf("}\n");
    return 0;
}
