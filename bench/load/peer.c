/*
 * peer.c - connections to the server under test, and frames; see peer.h.
 */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_A_SOURCE = 5000, ANSWER_MAX = 8192 };

/* Any fixed key does: a server cannot tell, and the frames can be made once. */
static const uint8_t masking_key[4] = {0x37, 0xfa, 0x21, 0x3d};

static void bind_source(int fd, unsigned number)
{
    int on = 1;
    struct sockaddr_in source = {.sin_family = AF_INET};
    /* The process number keeps runs apart: an earlier run's ports are in TIME-WAIT for a minute. */
    uint32_t host =
        0x7f000000U | ((uint32_t)getpid() & 0xffffU) << 8 | (1U + number / CONNECTIONS_A_SOURCE);
    source.sin_addr.s_addr = htonl(host);
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&source, sizeof source) != 0)
        dx_load_fail("bind to a source address", errno);
}

int dx_peer_connect(const struct dx_load_options *options, unsigned number)
{
    int on = 1;
    struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons(options->port)};
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        dx_load_fail("socket", errno);
    bind_source(fd, number);
    if (connect(fd, (struct sockaddr *)&target, sizeof target) != 0)
        dx_load_fail("connect", errno);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

size_t dx_peer_request_text(const struct dx_load_options *options, char *request, size_t room)
{
    int request_len = snprintf(request, room,
                               "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                               options->path, options->port);
    if (request_len >= (int)room)
        dx_load_fail("the path is too long", 0);
    return (size_t)request_len;
}

void dx_peer_request(const struct dx_load_options *options, int fd)
{
    char request[512];
    size_t request_len = dx_peer_request_text(options, request, sizeof request);
    if (send(fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len)
        dx_load_fail("send the request", errno);
}

size_t dx_peer_answer_len(const uint8_t *bytes, size_t len)
{
    static const char expected[] = "HTTP/1.1 101";
    if (len >= sizeof expected - 1 && memcmp(bytes, expected, sizeof expected - 1) != 0) {
        fprintf(stderr, "load: answered %.*s\n", (int)(len < 60 ? len : 60), (const char *)bytes);
        dx_load_fail("the upgrade was refused", 0);
    }
    const uint8_t *end = memmem(bytes, len, "\r\n\r\n", 4);
    return end == NULL ? 0 : (size_t)(end - bytes) + 4;
}

int dx_peer_open(const struct dx_load_options *options, unsigned number, uint8_t *rest, size_t room,
                 size_t *rest_len)
{
    uint8_t answer[ANSWER_MAX];
    size_t len = 0;
    size_t head_len = 0;
    int fd = dx_peer_connect(options, number);
    if (options->raw) {
        if (rest_len != NULL)
            *rest_len = 0;
        return fd;
    }
    dx_peer_request(options, fd);
    while (head_len == 0) {
        ssize_t got = recv(fd, answer + len, sizeof answer - len, 0);
        if (got <= 0)
            dx_load_fail("the server ended the opening handshake", got < 0 ? errno : 0);
        len += (size_t)got;
        head_len = dx_peer_answer_len(answer, len);
    }
    if (len - head_len > room)
        dx_load_fail("unexpected bytes behind the handshake", 0);
    if (rest_len != NULL) {
        memcpy(rest, answer + head_len, len - head_len);
        *rest_len = len - head_len;
    }
    return fd;
}

void dx_peer_set_nonblocking(int fd)
{
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        dx_load_fail("fcntl", errno);
}

static size_t encode_head(uint8_t *out, enum dx_opcode opcode, bool is_final, size_t len,
                          bool masked)
{
    size_t head_len = 2;
    uint8_t mask_bit = masked ? 0x80 : 0;
    out[0] = (uint8_t)((is_final ? 0x80U : 0U) | (unsigned)opcode);
    if (len < 126) {
        out[1] = (uint8_t)(mask_bit | len);
    } else if (len <= 0xffff) {
        out[1] = mask_bit | 126;
        out[2] = (uint8_t)(len >> 8);
        out[3] = (uint8_t)len;
        head_len = 4;
    } else {
        out[1] = mask_bit | 127;
        for (size_t i = 0; i < 8; i++)
            out[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
        head_len = 10;
    }
    return head_len;
}

static uint8_t pattern_at(size_t i)
{
    return (uint8_t)('a' + i % 26);
}

size_t dx_frame_encode(uint8_t *out, enum dx_opcode opcode, bool is_final, const uint8_t *payload,
                       size_t len)
{
    size_t head_len = encode_head(out, opcode, is_final, len, true);
    memcpy(out + head_len, masking_key, 4);
    head_len += 4;
    for (size_t i = 0; i < len; i++)
        out[head_len + i] = (payload == NULL ? pattern_at(i) : payload[i]) ^ masking_key[i % 4];
    return head_len + len;
}

size_t dx_frame_encode_reply(uint8_t *out, enum dx_opcode opcode, size_t len)
{
    size_t head_len = encode_head(out, opcode, true, len, false);
    for (size_t i = 0; i < len; i++)
        out[head_len + i] = pattern_at(i);
    return head_len + len;
}

/* How long the head is that begins with these bytes, as far as it is known. */
static size_t head_need(const uint8_t *head, size_t len)
{
    if (len < 2 || (head[1] & 0x7f) < 126)
        return 2;
    return (head[1] & 0x7f) == 126 ? 4 : 10;
}

static uint64_t head_payload_len(const uint8_t *head)
{
    uint8_t code = head[1] & 0x7f;
    size_t width = code < 126 ? 0 : code == 126 ? 2 : 8;
    uint64_t len = width == 0 ? code : 0;
    for (size_t i = 0; i < width; i++)
        len = len << 8 | head[2 + i];
    return len;
}

static bool read_head(struct dx_frame_reader *reader, const uint8_t **at, const uint8_t *end)
{
    while (reader->head_len < head_need(reader->head, reader->head_len)) {
        if (*at == end)
            return false;
        reader->head[reader->head_len++] = *(*at)++;
    }
    reader->head_whole = 1;
    reader->len = head_payload_len(reader->head);
    reader->left = reader->len;
    reader->control_len = 0;
    return true;
}

static void read_payload(struct dx_frame_reader *reader, const uint8_t **at, const uint8_t *end)
{
    size_t part = (size_t)(end - *at);
    if (part > reader->left)
        part = (size_t)reader->left;
    if ((reader->head[0] & 8) != 0) {
        if (part > sizeof reader->control - reader->control_len)
            dx_load_fail("a control frame of more than 125 bytes came", 0);
        memcpy(reader->control + reader->control_len, *at, part);
        reader->control_len = (uint8_t)(reader->control_len + part);
    }
    *at += part;
    reader->left -= part;
}

bool dx_frame_next(struct dx_frame_reader *reader, const uint8_t **at, const uint8_t *end,
                   struct dx_frame *frame)
{
    if (!reader->head_whole && !read_head(reader, at, end))
        return false;
    read_payload(reader, at, end);
    if (reader->left > 0)
        return false;
    frame->len = reader->len;
    frame->control = reader->control;
    frame->opcode = reader->head[0] & 15;
    frame->is_final = (reader->head[0] & 0x80) != 0;
    reader->head_len = 0;
    reader->head_whole = 0;
    return true;
}

void dx_frame_answer(int fd, const struct dx_frame *frame)
{
    uint8_t out[125 + 14];
    size_t len;
    if (frame->opcode == DX_OPCODE_PING)
        len = dx_frame_encode(out, DX_OPCODE_PONG, true, frame->control, (size_t)frame->len);
    else if (frame->opcode == DX_OPCODE_CLOSE)
        len = dx_frame_encode(out, DX_OPCODE_CLOSE, true, frame->control, frame->len < 2 ? 0 : 2);
    else
        return;
    (void)send(fd, out, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}
