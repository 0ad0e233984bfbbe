/*
 * embed_epoll.c - a server in a program with its own epoll loop, which also has a timer that sends
 * the seconds to every client.
 *
 *     cc embed_epoll.c $(pkg-config --cflags --libs duplex) -o embed_epoll && ./embed_epoll 8080
 */
#include <duplex/request.h>
#include <duplex/topics.h>

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static struct dx_topics *topics;

static void on_request(struct dx_request *request, void *user)
{
    struct dx_connection *peer;

    (void)user;
    if (dx_request_accept(request, NULL, NULL, &peer) == DX_OK &&
        dx_topics_subscribe(topics, peer, "clock", 5) != DX_OK)
        (void)dx_connection_close(peer, DX_CLOSE_TRY_AGAIN, "full", 4);
}

static bool tell_time(int timer_fd, unsigned *seconds)
{
    uint64_t passed;
    char text[16];

    if (read(timer_fd, &passed, sizeof(passed)) != (ssize_t)sizeof(passed))
        return false;
    *seconds += (unsigned)passed;
    snprintf(text, sizeof(text), "%u", *seconds);
    return dx_topics_publish(topics, "clock", 5, DX_OP_TEXT, text, strlen(text), 0) == DX_OK;
}

static bool watch(int epoll_fd, int fd)
{
    struct epoll_event event;

    event.events = EPOLLIN;
    event.data.fd = fd;
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* To the outside, a Duplex loop is one descriptor and a timeout. */
static int run(struct dx_loop *loop, int epoll_fd, int timer_fd)
{
    unsigned seconds = 0;

    for (;;) {
        struct epoll_event event;
        int count = epoll_wait(epoll_fd, &event, 1, dx_loop_timeout_ms(loop));

        if (count == 1 && event.data.fd == timer_fd && !tell_time(timer_fd, &seconds))
            return 1;
        if (dx_loop_dispatch(loop) != DX_OK)
            return 1;
    }
}

int main(int argc, char **argv)
{
    struct itimerspec each_second = {{1, 0}, {1, 0}};
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct dx_route route = dx_route_init_websocket(NULL);
    struct dx_loop *loop;
    struct dx_server *server;
    char why[256] = "no server could be made";

    route.on_request = on_request;
    if (dx_loop_new(&loop) || dx_server_new(loop, NULL, &server) || dx_topics_new(NULL, &topics) ||
        dx_server_route(server, "/", &route) || !watch(epoll_fd, dx_loop_fd(loop)) ||
        !watch(epoll_fd, timer_fd) || timerfd_settime(timer_fd, 0, &each_second, NULL) != 0 ||
        dx_server_listen(server, argc > 1 ? argv[1] : "8080", NULL, why, sizeof(why)))
        return fprintf(stderr, "embed_epoll: %s\n", why), 1;
    fprintf(stderr, "%s\n", dx_server_url(server, 0));
    return run(loop, epoll_fd, timer_fd);
}
