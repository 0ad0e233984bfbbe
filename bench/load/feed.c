/*
 * feed.c - the server that clients are measured against: one connection after the other, blocking.
 *
 *     feed PORT
 *
 * The path says what a client gets: /flood short text messages without end; /echo every message
 * back, all that one read has brought in one send; /big/N one binary message of N bytes. It speaks
 * the server's half of RFC 6455 as far as these need it, and costs every client the same.
 */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MAX = 8192, BUFFER_LEN = 256 * 1024, FLOOD_LEN = 20, FLOOD_FRAMES = 4096 };

static uint8_t buffer[BUFFER_LEN];

/* False: the client has gone. */
static bool send_all(int fd, const void *bytes, size_t len)
{
    size_t at = 0;
    while (at < len) {
        ssize_t sent = send(fd, (const uint8_t *)bytes + at, len - at, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += (size_t)sent;
    }
    return true;
}

static void flood(int fd)
{
    static uint8_t frames[FLOOD_FRAMES * (FLOOD_LEN + 2)];
    size_t len = 0;
    for (unsigned i = 0; i < FLOOD_FRAMES; i++)
        len += dx_frame_encode_reply(frames + len, DX_OPCODE_TEXT, FLOOD_LEN);
    while (send_all(fd, frames, len))
        ;
}

/*
 * Masked frames of less than 126 bytes become unmasked ones, in place; what is left of an
 * unfinished one is returned.
 */
static size_t turn_round(uint8_t *bytes, size_t len, size_t *done, bool *is_over)
{
    size_t at = 0;
    size_t out = 0;
    while (len - at >= 6 && !*is_over) {
        size_t payload_len = bytes[at + 1] & 0x7f;
        const uint8_t *key = bytes + at + 2;
        uint8_t mask[4];
        if (payload_len > 125)
            dx_load_fail("/echo is for messages of at most 125 bytes", 0);
        if (len - at < 6 + payload_len)
            break;
        memcpy(mask, key, 4);
        bytes[out] = bytes[at];
        bytes[out + 1] = (uint8_t)payload_len;
        for (size_t i = 0; i < payload_len; i++)
            bytes[out + 2 + i] = bytes[at + 6 + i] ^ mask[i % 4];
        *is_over = (bytes[out] & 15) == DX_OPCODE_CLOSE;
        at += 6 + payload_len;
        out += 2 + payload_len;
    }
    *done = out;
    return len - at;
}

static void echo(int fd)
{
    size_t len = 0;
    bool is_over = false;
    while (!is_over) {
        ssize_t got = recv(fd, buffer + len, sizeof buffer - len, 0);
        size_t done;
        if (got <= 0)
            return;
        len += (size_t)got;
        size_t rest = turn_round(buffer, len, &done, &is_over);
        if (!send_all(fd, buffer, done))
            return;
        memmove(buffer, buffer + len - rest, rest);
        len = rest;
    }
}

static void send_big(int fd, uint64_t len)
{
    uint8_t head[10] = {0x82, 127};
    for (size_t i = 0; i < 8; i++)
        head[2 + i] = (uint8_t)(len >> (56 - 8 * i));
    memset(buffer, 'x', sizeof buffer);
    bool goes_on = send_all(fd, head, sizeof head);
    for (uint64_t left = len; goes_on && left > 0;) {
        size_t part = left < sizeof buffer ? (size_t)left : sizeof buffer;
        goes_on = send_all(fd, buffer, part);
        left -= part;
    }
    /* The client says Close when it has all of it. */
    if (goes_on && recv(fd, buffer, sizeof buffer, 0) > 0)
        (void)send_all(fd, "\x88\0", 2);
}

static bool accept_key(const char *request, char answer[29])
{
    static const char name[] = "\r\nsec-websocket-key:";
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[24 + sizeof guid];
    uint8_t digest[SHA_DIGEST_LENGTH];
    const char *at = request;
    while ((at = strstr(at, "\r\n")) != NULL && strncasecmp(at, name, sizeof name - 1) != 0)
        at += 2;
    if (at == NULL)
        return false;
    at += sizeof name - 1;
    at += strspn(at, " ");
    if (strcspn(at, "\r") != 24)
        return false;
    (void)snprintf(text, sizeof text, "%.24s%s", at, guid);
    (void)SHA1((const uint8_t *)text, strlen(text), digest);
    (void)EVP_EncodeBlock((uint8_t *)answer, digest, sizeof digest);
    return true;
}

static void serve(int fd)
{
    char request[REQUEST_MAX];
    char answer[256];
    char key[29];
    size_t len = 0;
    do {
        ssize_t got = recv(fd, request + len, sizeof request - 1 - len, 0);
        if (got <= 0)
            return;
        len += (size_t)got;
        request[len] = '\0';
    } while (strstr(request, "\r\n\r\n") == NULL && len < sizeof request - 1);
    if (!accept_key(request, key))
        return;
    (void)snprintf(answer, sizeof answer,
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                   key);
    if (!send_all(fd, answer, strlen(answer)))
        return;
    if (strncmp(request, "GET /flood ", 11) == 0)
        flood(fd);
    else if (strncmp(request, "GET /echo ", 10) == 0)
        echo(fd);
    else if (strncmp(request, "GET /big/", 9) == 0)
        send_big(fd, strtoull(request + 9, NULL, 10));
}

int main(int argc, char **argv)
{
    int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (argc != 2) {
        fprintf(stderr, "usage: feed PORT\n");
        return 2;
    }
    address.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 64) != 0)
        dx_load_fail("listen", errno);
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        serve(fd);
        (void)close(fd);
    }
}
