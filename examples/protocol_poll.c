/*
 * protocol_poll.c - the protocol alone, on your own sockets: an echo server with poll, in which
 * Duplex sees bytes but no descriptor.
 *
 *     cc protocol_poll.c $(pkg-config --cflags --libs duplex) -o protocol_poll
 *     ./protocol_poll 8080
 */
#include <duplex/endpoint.h>
#include <duplex/handshake.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEERS_MAX 64

struct peer {
    struct dx_endpoint *endpoint; /* NULL until the handshake is done */
    size_t in_len;
    uint8_t in[DX_HANDSHAKE_HEAD_MAX + 1];
};

static struct pollfd polled[1 + PEERS_MAX]; /* the first one is the listener */
static struct peer peers[1 + PEERS_MAX];

/* ---- bytes out ---- */

/* Returns false when the connection is over. */
static bool flush(struct peer *peer, struct pollfd *poll_fd)
{
    struct dx_slice slice;

    poll_fd->events = POLLIN;
    while (dx_endpoint_output(peer->endpoint, &slice, 1) > 0) {
        ssize_t sent = send(poll_fd->fd, slice.data, slice.len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent < 0) {
            poll_fd->events = POLLOUT; /* read no more until the peer has read its echoes */
            return true;
        }
        dx_endpoint_output_sent(peer->endpoint, (size_t)sent);
    }
    return !dx_endpoint_is_failed(peer->endpoint) && !dx_endpoint_close_is_sent(peer->endpoint);
}

/* ---- bytes in ---- */

static bool handle(struct dx_endpoint *endpoint, const struct dx_event *event)
{
    switch (event->type) {
    case DX_EVENT_DATA: /* in pieces, as they arrive */
        return dx_endpoint_send_fragment(endpoint, event->opcode, event->data, event->len,
                                         event->is_last) == DX_OK;
    case DX_EVENT_CLOSE:
        return dx_endpoint_close(endpoint, event->code, NULL, 0) == DX_OK;
    default: /* pings are already answered; a failure has queued its Close */
        return true;
    }
}

static bool take(struct peer *peer, uint8_t *bytes, size_t len)
{
    struct dx_event event;

    dx_endpoint_feed(peer->endpoint, bytes, len);
    while (dx_endpoint_next(peer->endpoint, &event) != DX_EVENT_NONE)
        if (!handle(peer->endpoint, &event))
            return false;
    return true;
}

static bool shake_hands(struct peer *peer, int fd)
{
    struct dx_endpoint_options options = dx_endpoint_options_init(DX_ROLE_SERVER);
    struct dx_handshake_upgrade upgrade = dx_handshake_upgrade_init();
    char answer[DX_HANDSHAKE_ANSWER_ROOM];
    size_t answer_len = 0;
    enum dx_err err = dx_handshake_answer(peer->in, peer->in_len, NULL, 0, &upgrade, answer,
                                          sizeof(answer), &answer_len);

    if (err == DX_ERR_AGAIN)
        return true;
    /*
     * A browser lets any page connect. This server has no secrets; if yours has, check
     * upgrade.origin here.
     */
    if (send(fd, answer, answer_len, MSG_NOSIGNAL) != (ssize_t)answer_len || err != DX_OK ||
        dx_endpoint_new(&options, &peer->endpoint) != DX_OK)
        return false;
    return take(peer, peer->in + upgrade.head_len, peer->in_len - upgrade.head_len);
}

static bool read_some(struct peer *peer, struct pollfd *poll_fd)
{
    size_t at = peer->endpoint ? 0 : peer->in_len;
    ssize_t len = recv(poll_fd->fd, peer->in + at, sizeof(peer->in) - at, 0);

    if (len <= 0)
        return false;
    if (peer->endpoint == NULL) {
        peer->in_len += (size_t)len;
        if (!shake_hands(peer, poll_fd->fd))
            return false;
    } else if (!take(peer, peer->in, (size_t)len)) {
        return false;
    }
    return peer->endpoint == NULL || flush(peer, poll_fd);
}

/* ---- peers come and go ---- */

static void welcome(int listening_fd)
{
    int fd = accept(listening_fd, NULL, NULL);

    for (size_t i = 1; fd >= 0 && i <= PEERS_MAX; i++)
        if (polled[i].fd < 0) {
            polled[i].fd = fd;
            polled[i].events = POLLIN;
            return;
        }
    if (fd >= 0)
        close(fd);
}

static void part(size_t i)
{
    close(polled[i].fd);
    dx_endpoint_free(peers[i].endpoint);
    polled[i].fd = -1;
    peers[i].endpoint = NULL;
    peers[i].in_len = 0;
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in address;
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return -1;
    fprintf(stderr, "http://127.0.0.1:%u/\n", ntohs(address.sin_port));
    return fd;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i <= PEERS_MAX; i++)
        polled[i].fd = -1;
    polled[0].fd = listen_on((uint16_t)atoi(argc > 1 ? argv[1] : "8080"));
    polled[0].events = POLLIN;
    if (polled[0].fd < 0)
        return perror("protocol_poll"), 1;
    while (poll(polled, 1 + PEERS_MAX, -1) >= 0) {
        for (size_t i = 1; i <= PEERS_MAX; i++) {
            bool goes_on = true;

            if (polled[i].revents & POLLOUT)
                goes_on = flush(&peers[i], &polled[i]);
            else if (polled[i].revents)
                goes_on = read_some(&peers[i], &polled[i]);
            if (!goes_on)
                part(i);
        }
        if (polled[0].revents & POLLIN)
            welcome(polled[0].fd);
    }
    return 1;
}
