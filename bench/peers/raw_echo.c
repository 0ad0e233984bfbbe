/*
 * raw_echo.c - the floor under every echo server: plain TCP, one epoll set, one thread.
 *
 * Per readable event one recv into one shared buffer of 64 KiB and one send of the same bytes: no
 * framing, no handshake, no timeout, nothing kept per connection unless the kernel's send buffer is
 * full (then the rest is kept and reading stops until it is gone). Usage: raw_echo PORT
 */
#include <arpa/inet.h>
#include <errno.h>
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

enum { EVENTS_MAX = 1024, BUFFER_LEN = 64 * 1024, CONNECTIONS_MAX = 65536 };

/* What a connection still has to send; buffer NULL: nothing. */
struct rest {
    char *buffer;
    size_t at;
    size_t len;
};

static struct rest rests[CONNECTIONS_MAX];
static char buffer[BUFFER_LEN];
static int epoll_fd;

static void fail(const char *text)
{
    perror(text);
    exit(1);
}

static void watch(int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll_fd, operation, fd, &event) != 0)
        fail("epoll_ctl");
}

static void end(int fd)
{
    free(rests[fd].buffer);
    memset(&rests[fd], 0, sizeof rests[fd]);
    (void)close(fd);
}

static void keep_rest(int fd, const char *bytes, size_t len)
{
    rests[fd].buffer = malloc(len);
    if (rests[fd].buffer == NULL)
        fail("malloc");
    memcpy(rests[fd].buffer, bytes, len);
    rests[fd].at = 0;
    rests[fd].len = len;
    watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
}

static void on_writable(int fd)
{
    struct rest *rest = &rests[fd];
    ssize_t sent = send(fd, rest->buffer + rest->at, rest->len - rest->at, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN)
        return;
    if (sent < 0) {
        end(fd);
        return;
    }
    rest->at += (size_t)sent;
    if (rest->at == rest->len) {
        free(rest->buffer);
        rest->buffer = NULL;
        watch(EPOLL_CTL_MOD, fd, EPOLLIN);
    }
}

static void on_readable(int fd)
{
    ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        end(fd);
        return;
    }
    ssize_t sent = send(fd, buffer, (size_t)got, MSG_NOSIGNAL);
    if (sent == got)
        return;
    if (sent < 0 && errno != EAGAIN)
        end(fd);
    else
        keep_rest(fd, buffer + (sent < 0 ? 0 : sent), (size_t)(got - (sent < 0 ? 0 : sent)));
}

static void on_connection(int listener)
{
    int on = 1;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (fd >= CONNECTIONS_MAX) {
        (void)close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(EPOLL_CTL_ADD, fd, EPOLLIN);
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
    if (argc != 2) {
        fprintf(stderr, "usage: raw_echo PORT\n");
        return 2;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on(argv[1]);
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        int count = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                on_connection(listener);
            else if (rests[events[i].data.fd].buffer != NULL)
                on_writable(events[i].data.fd);
            else
                on_readable(events[i].data.fd);
        }
    }
}
