/*
 * peer_bench.c - the bench: sockets, turns, and a journal of callbacks.
 */
#include "support/connection/peer_bench.h"
#include "support/test.h"

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

#define SHOWN_LEN 24 /* a longer payload is noted by its length */

void bench_note(struct bench *bench, const char *format, ...)
{
    size_t len = strlen(bench->journal);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(bench->journal + len, sizeof(bench->journal) - len, format, args);
    va_end(args);
}

static void act(struct bench *bench, char what)
{
    if (bench->act)
        bench->act(bench, what);
}

static void note_payload(struct bench *bench, const char *what, const uint8_t *data, size_t len)
{
    if (len <= SHOWN_LEN)
        bench_note(bench, "%s:%.*s;", what, (int)len, (const char *)data);
    else
        bench_note(bench, "%s:#%zu;", what, len);
}

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user)
{
    struct bench *bench = user;

    (void)connection;
    note_payload(bench, opcode == DX_OP_TEXT ? "text" : "binary", data, len);
    act(bench, 'm');
}

void bench_echo(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data, size_t len,
                void *user)
{
    (void)user;
    assert_int_equal(dx_connection_send(connection, opcode, data, len), DX_OK);
}

void bench_on_peer_close(struct dx_connection *connection, uint16_t code, const char *reason,
                         size_t reason_len, void *user)
{
    struct bench *bench = user;

    (void)connection;
    bench_note(bench, "peer_close:%u %.*s;", code, (int)reason_len, reason);
    act(bench, 'c');
}

static void on_drain(struct dx_connection *connection, void *user)
{
    struct bench *bench = user;

    (void)connection;
    bench_note(bench, "drain;");
    act(bench, 'd');
}

static void on_pong(struct dx_connection *connection, const uint8_t *data, size_t len, void *user)
{
    struct bench *bench = user;

    (void)connection;
    note_payload(bench, "pong", data, len);
    act(bench, 'p');
}

static void on_hang_up(struct dx_connection *connection, void *user)
{
    struct bench *bench = user;

    (void)connection;
    bench_note(bench, "hang_up;");
    act(bench, 'h');
}

static void on_close(struct dx_connection *connection, const struct dx_close_info *info, void *user)
{
    struct bench *bench = user;

    (void)connection;
    bench->close_count++;
    bench->info = *info;
    assert_true(info->reason_len < sizeof(bench->reason));
    memcpy(bench->reason, info->reason, info->reason_len);
    bench->reason[info->reason_len] = '\0';
    bench_note(bench, "close:%u/%u %s;", info->code, info->sent_code,
               info->was_clean ? "clean" : dx_err_name(info->err));
    assert_true(info->was_clean == (info->err == DX_OK));
    assert_true((info->detail != NULL) == (info->err != DX_OK));
    act(bench, 'x');
    bench->connection = NULL;
}

void bench_init(struct bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    bench->options = dx_connection_options_init();
    bench->handlers = (struct dx_connection_handlers){
        .size = sizeof(struct dx_connection_handlers),
        .on_message = on_message,
        .on_drain = on_drain,
        .on_pong = on_pong,
        .on_hang_up = on_hang_up,
        .on_close = on_close,
    };
    bench->peer = -1;
    bench->fd = -1;
}

static void pair_tcp(int fds[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listening, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&at, &len), 0);
    fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fds[1], (struct sockaddr *)&at, sizeof(at)), 0);
    fds[0] = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fds[0] >= 0);
    close(listening);
    for (int i = 0; i < 2; i++) {
        int on = 1;

        assert_int_equal(setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    }
}

void bench_pair(enum bench_transport transport, int fds[2])
{
    if (transport == BENCH_TCP)
        pair_tcp(fds);
    else
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(fcntl(fds[i], F_SETFL, O_NONBLOCK), 0);
}

void bench_connect(struct bench *bench)
{
    int fds[2];

    bench_pair(bench->transport, fds);
    bench->fd = fds[0];
    bench->peer = fds[1];
}

enum dx_err bench_try_open(struct bench *bench)
{
    struct dx_connection_start start = {.kind = &bench->kind,
                                        .handlers = &bench->handlers,
                                        .user = bench,
                                        .id = bench->id,
                                        .owner_len = sizeof(void *),
                                        .head = bench->head,
                                        .head_len = bench->head ? strlen(bench->head) : 0,
                                        .early = bench->early,
                                        .early_len = bench->early_len};
    struct dx_stream stream;
    enum dx_err err = DX_OK;

    if (!bench->loop)
        err = dx_loop_new(&bench->loop);
    if (err)
        return err;
    if (bench->peer < 0)
        bench_connect(bench);
    dx_connection_kind_init(&bench->kind, bench->role, &bench->options);
    bench->kind.endpoint.random_user = bench->loop;
    err = dx_stream_init(&stream, bench->loop, bench->fd, bench->tls);
    if (err)
        return err;
    err = dx_connection_new(bench->loop, &stream, &start, &bench->connection);
    if (err == DX_OK) {
        bench->was_open = true;
        bench->fd = -1;
    }
    return err;
}

void bench_open(struct bench *bench)
{
    assert_int_equal(bench_try_open(bench), DX_OK);
}

static void read_peer(struct bench *bench)
{
    while (bench->peer >= 0 && !bench->peer_has_ended && !bench->peer_was_reset) {
        ssize_t got;

        if (bench->wire_room - bench->wire_len < 65536) {
            bench->wire_room = bench->wire_room * 2 + 131072;
            bench->wire = realloc(bench->wire, bench->wire_room);
            assert_non_null(bench->wire);
        }
        got = read(bench->peer, bench->wire + bench->wire_len, 65536);
        if (got > 0) {
            bench->wire_len += (size_t)got;
        } else if (got == 0) {
            bench->peer_has_ended = true;
        } else {
            bench->peer_was_reset = errno == ECONNRESET;
            if (!bench->peer_was_reset)
                return;
        }
    }
}

void bench_turn(struct bench *bench, int wait_ms)
{
    struct pollfd ready = {.fd = dx_loop_fd(bench->loop), .events = POLLIN};
    int timeout_ms = dx_loop_timeout_ms(bench->loop);

    if (timeout_ms < 0 || timeout_ms > wait_ms)
        timeout_ms = wait_ms;
    (void)poll(&ready, 1, timeout_ms);
    assert_int_equal(dx_loop_dispatch(bench->loop), DX_OK);
    read_peer(bench);
}

void bench_quiet(struct bench *bench)
{
    for (int i = 0; i < 8; i++)
        bench_turn(bench, 1);
}

bool bench_until(struct bench *bench, bool (*is_so)(struct bench *bench))
{
    uint64_t end_ms = clock_ms() + PATIENCE_MS;

    while (!is_so(bench)) {
        if (clock_ms() > end_ms)
            return false;
        bench_turn(bench, 5);
    }
    return true;
}

bool bench_is_closed(struct bench *bench)
{
    return bench->connection == NULL;
}

bool bench_peer_has_ended(struct bench *bench)
{
    return bench->peer_has_ended || bench->peer_was_reset;
}

bool bench_until_wire(struct bench *bench, size_t len)
{
    uint64_t end_ms = clock_ms() + PATIENCE_MS;

    while (bench->wire_len < len && clock_ms() < end_ms)
        bench_turn(bench, 5);
    return bench->wire_len >= len;
}

void bench_put(struct bench *bench, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    uint64_t end_ms = clock_ms() + PATIENCE_MS;

    while (len > 0 && clock_ms() < end_ms) {
        ssize_t put = send(bench->peer, at, len, MSG_NOSIGNAL);

        if (put > 0) {
            at += put;
            len -= (size_t)put;
        } else if (errno == EAGAIN) {
            bench_turn(bench, 1);
        } else {
            return;
        }
    }
    assert_int_equal(len, 0);
}

void bench_put_frame(struct bench *bench, uint8_t first, const void *payload, size_t len)
{
    uint8_t header[14] = {first};
    uint8_t mask = bench->role == DX_ROLE_SERVER ? 0x80 : 0;
    size_t at = 2;

    if (len < 126) {
        header[1] = (uint8_t)(mask | len);
    } else if (len < 65536) {
        header[1] = mask | 126;
        header[at++] = (uint8_t)(len >> 8);
        header[at++] = (uint8_t)len;
    } else {
        header[1] = mask | 127;
        for (int shift = 56; shift >= 0; shift -= 8)
            header[at++] = (uint8_t)(len >> shift);
    }
    if (mask)
        at += 4;
    bench_put(bench, header, at);
    bench_put(bench, payload, len);
}

void bench_clear_wire(struct bench *bench)
{
    bench->wire_len = 0;
}

void bench_release(struct bench *bench)
{
    if (bench->peer >= 0)
        close(bench->peer);
    if (bench->fd >= 0)
        close(bench->fd);
    bench->peer = -1;
    if (bench->connection)
        dx_connection_abort(bench->connection, DX_ERR_CLOSED, "the test is over");
    if (bench->loop) {
        assert_int_equal(dx_loop_run(bench->loop), DX_OK);
        assert_null(bench->connection);
        assert_int_equal(dx_loop_pool(bench->loop)->used_len, 0);
        dx_loop_free(bench->loop);
    }
    assert_int_equal(bench->close_count, bench->was_open);
    free(bench->wire);
    bench->loop = NULL;
    bench->wire = NULL;
}
