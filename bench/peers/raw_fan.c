/*
 * raw_fan.c - the floor under every fan-out: plain TCP, one epoll set, one thread.
 *
 * Bytes that arrive are counted in frames of a fixed length; for each of them every other
 * connection gets the same frame, which was made at the start: one send for all that one read has
 * brought. No handshake, no topics, no queue: a socket that does not take everything at once ends
 * the program. Usage: raw_fan PORT SAID_LEN PAYLOAD_LEN
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 1024, CONNECTIONS_MAX = 32768, FRAMES_MAX = 64, PAYLOAD_MAX = 125 };

static int connections[CONNECTIONS_MAX];
static size_t connection_count;
static uint8_t frames[FRAMES_MAX * (PAYLOAD_MAX + 2)]; /* equal ones, one behind the other */
static size_t frame_len;
static size_t said_len;

static void fail(const char *text)
{
    perror(text);
    exit(1);
}

static void make_frames(size_t payload_len)
{
    frame_len = payload_len + 2;
    for (size_t i = 0; i < FRAMES_MAX; i++) {
        uint8_t *frame = frames + i * frame_len;
        frame[0] = 0x81;
        frame[1] = (uint8_t)payload_len;
        for (size_t k = 0; k < payload_len; k++)
            frame[2 + k] = (uint8_t)('a' + k % 26);
    }
}

static void publish(int publisher, size_t count)
{
    for (size_t i = 0; i < connection_count; i++) {
        size_t len = count * frame_len;
        if (connections[i] != publisher &&
            send(connections[i], frames, len, MSG_NOSIGNAL) != (ssize_t)len)
            fail("send");
    }
}

static void on_readable(int fd)
{
    static uint8_t buffer[64 * 1024];
    static size_t waiting_len; /* there is one publisher */
    ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0)
        exit(0); /* the run is over */
    waiting_len += (size_t)got;
    size_t count = waiting_len / said_len;
    waiting_len %= said_len;
    for (; count > FRAMES_MAX; count -= FRAMES_MAX)
        publish(fd, FRAMES_MAX);
    publish(fd, count);
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        fail("epoll_ctl");
}

static void on_connection(int epoll, int listener)
{
    int on = 1;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 || connection_count == CONNECTIONS_MAX)
        fail("accept4");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections[connection_count++] = fd;
    watch(epoll, fd);
}

static int listen_on(const char *port)
{
    int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0)
        fail("listen");
    return fd;
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS_MAX];
    struct rlimit limit;
    if (argc != 4 || strtoul(argv[3], NULL, 10) > PAYLOAD_MAX) {
        fprintf(stderr, "usage: raw_fan PORT SAID_LEN PAYLOAD_LEN (at most 125)\n");
        return 2;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    said_len = strtoul(argv[2], NULL, 10);
    make_frames(strtoul(argv[3], NULL, 10));
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on(argv[1]);
    watch(epoll, listener);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                on_connection(epoll, listener);
            else
                on_readable(events[i].data.fd);
        }
    }
}
