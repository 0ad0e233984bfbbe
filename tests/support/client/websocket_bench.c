/*
 * websocket_bench.c - see websocket_bench.h.
 */
#include "support/client/websocket_bench.h"
#include "support/test.h"

#include "ws/handshake.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- the journal ---- */

static void note(struct websocket_bench *bench, const struct dx_websocket *websocket, char what,
                 const char *format, ...) DX_PRINTF(4, 5);

static void note(struct websocket_bench *bench, const struct dx_websocket *websocket, char what,
                 const char *format, ...)
{
    size_t len = strlen(bench->journal);
    size_t room = sizeof(bench->journal) - len;
    va_list args;
    int put;

    va_start(args, format);
    put = vsnprintf(bench->journal + len, room, format, args);
    va_end(args);
    if (put >= 0 && (size_t)put < room)
        (void)snprintf(bench->journal + len + put, room - (size_t)put, "/%d ",
                       (int)dx_websocket_ready_state(websocket));
    if (bench->act)
        bench->act(bench, what);
}

static void on_open(struct dx_websocket *websocket, void *user)
{
    note(user, websocket, 'o', "open");
}

static void on_message(struct dx_websocket *websocket, struct dx_message *message, void *user)
{
    size_t len;
    const uint8_t *data = dx_message_data(message, &len);
    const char *kind = dx_message_opcode(message) == DX_OP_TEXT ? "text" : "binary";

    if (len > 40)
        note(user, websocket, 'm', "%s:%zu bytes", kind, len);
    else
        note(user, websocket, 'm', "%s:%.*s", kind, (int)len, (const char *)data);
}

static void on_error(struct dx_websocket *websocket, const struct dx_error_event *error, void *user)
{
    struct websocket_bench *bench = user;

    bench->step = error->step;
    bench->err = error->err;
    (void)snprintf(bench->detail, sizeof(bench->detail), "%s", error->detail);
    note(bench, websocket, 'e', "error");
}

static void on_close(struct dx_websocket *websocket, const struct dx_close_event *close, void *user)
{
    struct websocket_bench *bench = user;

    bench->close = *close;
    bench->close.reason = NULL;
    bench->close_count++;
    note(bench, websocket, 'c', "close:%u:%.*s:%s", (unsigned)close->code, (int)close->reason_len,
         close->reason, close->was_clean ? "clean" : "unclean");
}

static void on_drain(struct dx_websocket *websocket, void *user)
{
    note(user, websocket, 'd', "drain");
}

static void on_pong(struct dx_websocket *websocket, const uint8_t *data, size_t len, void *user)
{
    note(user, websocket, 'p', "pong:%.*s", (int)len, (const char *)data);
}

/* ---- life ---- */

static void listen_here(struct websocket_bench *bench)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    bench->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(bench->listener >= 0);
    assert_int_equal(bind(bench->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(bench->listener, 128), 0);
    assert_int_equal(getsockname(bench->listener, (struct sockaddr *)&address, &len), 0);
    (void)snprintf(bench->url, sizeof(bench->url), "ws://127.0.0.1:%u/",
                   (unsigned)ntohs(address.sin_port));
}

void websocket_bench_init(struct websocket_bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    bench->peer = -1;
    bench->read_left = SIZE_MAX;
    bench->write_left = SIZE_MAX;
    bench->in_room = 4096;
    bench->in = malloc(bench->in_room);
    assert_non_null(bench->in);
    bench->options = dx_websocket_options_init();
    bench->connection = dx_connection_options_init_client();
    bench->reconnect = dx_reconnect_options_init();
    bench->outbox = dx_outbox_options_init();
    bench->events = dx_websocket_listener_init();
    bench->options.connection = &bench->connection;
    bench->options.listener = &bench->events;
    bench->events.on_open = on_open;
    bench->events.on_message = on_message;
    bench->events.on_error = on_error;
    bench->events.on_close = on_close;
    bench->events.on_drain = on_drain;
    bench->events.on_pong = on_pong;
    bench->options.user = bench;
    listen_here(bench);
    assert_int_equal(dx_loop_new(&bench->loop), DX_OK);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void websocket_bench_release(struct websocket_bench *bench)
{
    bench->act = NULL;
    dx_websocket_free(bench->websocket);
    dx_loop_free(bench->loop);
    close_fd(&bench->peer);
    close_fd(&bench->listener);
    free(bench->in);
}

void websocket_bench_start(struct websocket_bench *bench, const char *url)
{
    assert_int_equal(dx_websocket_new(bench->loop, url != NULL ? url : bench->url, &bench->options,
                                      &bench->websocket),
                     DX_OK);
}

/* ---- turns ---- */

static void read_peer(struct websocket_bench *bench)
{
    for (;;) {
        ssize_t got;

        if (bench->in_len + 65536 > bench->in_room) {
            bench->in_room = (bench->in_len + 65536) * 2;
            bench->in = realloc(bench->in, bench->in_room);
            assert_non_null(bench->in);
        }
        got = recv(bench->peer, bench->in + bench->in_len,
                   bench->read_left < 65536 ? bench->read_left : 65536, 0);
        if (got < 0)
            bench->peer_has_ended = bench->peer_has_ended || errno != EAGAIN;
        if (got == 0)
            bench->peer_has_ended = true;
        if (got <= 0)
            return;
        bench->in_len += (size_t)got;
        bench->read_left -= bench->read_left < SIZE_MAX ? (size_t)got : 0;
        if (bench->read_left == 0) {
            websocket_bench_hang_up(bench, bench->cuts_by_reset);
            return;
        }
    }
}

static void accept_peer(struct websocket_bench *bench)
{
    int one = 1;
    int fd = accept4(bench->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    close_fd(&bench->peer);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    bench->peer = fd;
    if (bench->accepted_count++ > 0) {
        bench->read_left = SIZE_MAX;
        bench->write_left = SIZE_MAX;
    }
    bench->peer_has_ended = false;
    bench->has_asked = false;
    bench->in_len = 0;
}

static void guard(const struct websocket_bench *bench, bool is_inside)
{
    if (bench->guard)
        bench->guard(is_inside);
}

void websocket_bench_turn(struct websocket_bench *bench, int wait_ms)
{
    struct pollfd fds[3] = {{.fd = dx_loop_fd(bench->loop), .events = POLLIN},
                            {.fd = bench->listener, .events = POLLIN},
                            {.fd = bench->peer_has_ended ? -1 : bench->peer, .events = POLLIN}};
    int due_ms = dx_loop_timeout_ms(bench->loop);

    if (due_ms >= 0 && due_ms < wait_ms)
        wait_ms = due_ms;
    assert_true(poll(fds, 3, wait_ms) >= 0);
    guard(bench, true);
    assert_int_equal(dx_loop_dispatch(bench->loop), DX_OK);
    guard(bench, false);
    if (bench->peer < 0 || bench->peer_has_ended)
        accept_peer(bench);
    if (bench->peer >= 0)
        read_peer(bench);
}

bool websocket_bench_until(struct websocket_bench *bench,
                           bool (*is_so)(struct websocket_bench *bench))
{
    uint64_t due_ms = clock_ms() + PATIENCE_MS;

    while (!is_so(bench)) {
        if (clock_ms() > due_ms)
            return false;
        websocket_bench_turn(bench, 20);
    }
    return true;
}

bool websocket_bench_is_closed(struct websocket_bench *bench)
{
    return bench->close_count > 0;
}

bool websocket_bench_until_journal(struct websocket_bench *bench, const char *text)
{
    uint64_t due_ms = clock_ms() + PATIENCE_MS;

    while (strstr(bench->journal, text) == NULL && clock_ms() <= due_ms)
        websocket_bench_turn(bench, 20);
    return strstr(bench->journal, text) != NULL;
}

bool websocket_bench_until_in(struct websocket_bench *bench, size_t len)
{
    uint64_t due_ms = clock_ms() + PATIENCE_MS;

    while (bench->in_len < len && !bench->peer_has_ended && clock_ms() <= due_ms)
        websocket_bench_turn(bench, 20);
    return bench->in_len >= len;
}

void websocket_bench_quiet(struct websocket_bench *bench)
{
    for (int i = 0; i < 4; i++)
        websocket_bench_turn(bench, 5);
}

/* ---- the server ---- */

static void take_in(struct websocket_bench *bench, size_t len)
{
    memmove(bench->in, bench->in + len, bench->in_len - len);
    bench->in_len -= len;
}

static bool has_request(struct websocket_bench *bench)
{
    return bench->in_len > 4 && memmem(bench->in, bench->in_len, "\r\n\r\n", 4) != NULL;
}

bool websocket_bench_find_request(struct websocket_bench *bench)
{
    const uint8_t *end;
    size_t len;

    if (!has_request(bench))
        return false;
    end = memmem(bench->in, bench->in_len, "\r\n\r\n", 4);
    len = (size_t)(end - bench->in) + 4;
    assert_true(len < sizeof(bench->head));
    memcpy(bench->head, bench->in, len);
    bench->head[len] = '\0';
    bench->has_asked = true;
    take_in(bench, len);
    return true;
}

bool websocket_bench_wait_request(struct websocket_bench *bench)
{
    return websocket_bench_until(bench, has_request) && websocket_bench_find_request(bench);
}

void websocket_bench_answer(struct websocket_bench *bench, const char *more, const void *early,
                            size_t early_len)
{
    static const char name[] = "Sec-WebSocket-Key: ";
    char accept[DX_HANDSHAKE_ACCEPT_LEN + 1], answer[4096];
    const char *key;
    int len;

    key = strcasestr(bench->head, name);
    assert_non_null(key);
    key += strlen(name);
    dx_handshake_accept_key((struct dx_slice){(const uint8_t *)key, strcspn(key, "\r")}, accept);
    len = snprintf(answer, sizeof(answer),
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
                   accept, more);
    assert_true(len > 0 && (size_t)len + early_len < sizeof(answer));
    if (early_len > 0)
        memcpy(answer + len, early, early_len);
    websocket_bench_put(bench, answer, (size_t)len + early_len);
}

void websocket_bench_accept(struct websocket_bench *bench, const char *more, const void *early,
                            size_t early_len)
{
    assert_true(websocket_bench_wait_request(bench));
    websocket_bench_answer(bench, more, early, early_len);
}

void websocket_bench_open(struct websocket_bench *bench)
{
    websocket_bench_start(bench, NULL);
    websocket_bench_accept(bench, "", NULL, 0);
    assert_true(websocket_bench_until_journal(bench, "open"));
}

void websocket_bench_put(struct websocket_bench *bench, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    while (len > 0 && bench->peer >= 0) {
        size_t may = len < bench->write_left ? len : bench->write_left;

        ssize_t put = send(bench->peer, at, may, MSG_NOSIGNAL);

        if (put < 0 && errno != EAGAIN)
            return; /* the client has gone: the test will see it */
        if (put <= 0) {
            websocket_bench_turn(bench, 5);
            continue;
        }
        at += put;
        len -= (size_t)put;
        bench->write_left -= bench->write_left < SIZE_MAX ? (size_t)put : 0;
        if (bench->write_left == 0)
            websocket_bench_hang_up(bench, bench->cuts_by_reset);
    }
}

void websocket_bench_put_frame(struct websocket_bench *bench, uint8_t first, const void *payload,
                               size_t len)
{
    uint8_t header[4] = {first, (uint8_t)(len < 126 ? len : 126), (uint8_t)(len >> 8),
                         (uint8_t)len};

    websocket_bench_put(bench, header, len < 126 ? 2 : 4);
    websocket_bench_put(bench, payload, len);
}

/* 0: not all of the header is there. */
static size_t header_len(const struct websocket_bench *bench, size_t *payload_len)
{
    size_t len = 6;

    if (bench->in_len < 2)
        return 0;
    *payload_len = bench->in[1] & 0x7f;
    if (*payload_len == 126)
        len = 8;
    else if (*payload_len == 127)
        len = 14;
    if (bench->in_len < len)
        return 0;
    if (len == 6)
        return len;
    *payload_len = 0;
    for (size_t i = 2; i < len - 4; i++)
        *payload_len = *payload_len << 8 | bench->in[i];
    return len;
}

static bool has_frame(struct websocket_bench *bench)
{
    size_t payload_len = 0;
    size_t header = header_len(bench, &payload_len);

    return bench->has_asked && header > 0 && bench->in_len >= header + payload_len;
}

bool websocket_bench_find_frame(struct websocket_bench *bench, uint8_t *first, uint8_t *payload,
                                size_t *len)
{
    const uint8_t *mask;
    size_t header;

    if (!has_frame(bench))
        return false;
    header = header_len(bench, len);
    assert_true(bench->in[1] & 0x80);
    *first = bench->in[0];
    mask = bench->in + header - 4;
    for (size_t i = 0; i < *len; i++)
        payload[i] = bench->in[header + i] ^ mask[i & 3];
    payload[*len] = '\0';
    take_in(bench, header + *len);
    return true;
}

static bool has_frame_or_end(struct websocket_bench *bench)
{
    return has_frame(bench) || bench->peer_has_ended;
}

bool websocket_bench_take_frame(struct websocket_bench *bench, uint8_t *first, uint8_t *payload,
                                size_t *len)
{
    return websocket_bench_until(bench, has_frame_or_end) &&
           websocket_bench_find_frame(bench, first, payload, len);
}

void websocket_bench_hang_up(struct websocket_bench *bench, bool by_reset)
{
    struct linger linger = {1, 0};

    if (by_reset)
        (void)setsockopt(bench->peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    close_fd(&bench->peer);
    bench->peer_has_ended = true;
}
