/*
 * loop_embed_test.c - a real server on a loop that somebody else drives: by poll, by epoll, and on
 * a uv loop of theirs.
 *
 * Clients and a poster in other threads. What counts is that everything comes, and that nobody
 * turns without reason.
 */
#include <duplex/request.h>
#include <duplex/uv.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/clock.h"
#include "support/test.h"

#define CLIENT_COUNT 3
#define ECHO_COUNT 50
#define POST_COUNT 500
#define IDLE_MS 200
#define IDLE_TURNS                                                                                 \
 60 /* far more than timers ask for in that time, far fewer than one who does not wait makes */

struct host {
    struct dx_loop *loop;
    struct dx_server *server;
    struct dx_connection_handlers handlers;
    uint16_t port;
    pthread_t threads[CLIENT_COUNT + 1];
    int finished_count; /* threads that have posted their end */
    int failed_count;
    int posted_count;
    bool is_closed;
    unsigned turn_count;
};

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user)
{
    (void)user;
    if (dx_connection_send(connection, opcode, data, len) != DX_OK)
        dx_connection_abort(connection, DX_ERR_NOMEM, "no echo");
}

static void on_request(struct dx_request *request, void *user)
{
    struct host *host = user;
    struct dx_connection *connection;

    (void)!dx_request_accept(request, &host->handlers, host, &connection);
}

static void on_closed(void *user)
{
    ((struct host *)user)->is_closed = true;
}

static void on_post(void *data)
{
    ((struct host *)data)->posted_count++;
}

static void on_finished(void *data)
{
    ((struct host *)data)->finished_count++;
}

static void on_failed(void *data)
{
    ((struct host *)data)->failed_count++;
    on_finished(data);
}

/* ---- the other threads ---- */

static bool read_all(int fd, void *bytes, size_t len)
{
    return recv(fd, bytes, len, MSG_WAITALL) == (ssize_t)len;
}

static bool open_websocket(int fd, uint16_t port)
{
    static const char upgrade[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    char head[2048];
    size_t len = 0;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
        send(fd, upgrade, sizeof(upgrade) - 1, MSG_NOSIGNAL) != sizeof(upgrade) - 1)
        return false;
    while (len < sizeof(head) && (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0))
        if (!read_all(fd, head + len++, 1))
            return false;
    return memcmp(head, "HTTP/1.1 101 ", 13) == 0;
}

static bool talk(int fd)
{
    char frame[4];

    for (int i = 0; i < ECHO_COUNT; i++) {
        char letter = (char)('a' + i % 26);
        const char out[] = {(char)0x81, (char)0x82, 0, 0, 0, 0, letter, '!'};

        if (send(fd, out, sizeof(out), MSG_NOSIGNAL) != sizeof(out) || !read_all(fd, frame, 4) ||
            memcmp(frame, "\x81\x02", 2) != 0 || frame[2] != letter)
            return false;
    }
    return send(fd, "\x88\x82\0\0\0\0\x03\xe8", 8, MSG_NOSIGNAL) == 8 && read_all(fd, frame, 4) &&
           memcmp(frame, "\x88\x02\x03\xe8", 4) == 0;
}

static void *visit(void *data)
{
    struct host *host = data;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_good = open_websocket(fd, host->port) && talk(fd);

    close(fd);
    (void)!dx_loop_post(host->loop, is_good ? on_finished : on_failed, host);
    return NULL;
}

static void *post_many(void *data)
{
    struct host *host = data;
    bool is_good = true;

    for (int i = 0; i < POST_COUNT; i++)
        is_good &= dx_loop_post(host->loop, on_post, host) == DX_OK;
    (void)!dx_loop_post(host->loop, is_good ? on_finished : on_failed, host);
    return NULL;
}

/* ---- the server ---- */

static void open_host(struct host *host)
{
    struct dx_route route = {
        .size = sizeof(route), .on_request = on_request, .user = host, .wants_upgrades = true};

    host->handlers = dx_connection_handlers_init();
    host->handlers.on_message = on_message;
    assert_int_equal(dx_server_new(host->loop, NULL, &host->server), DX_OK);
    assert_int_equal(dx_server_route(host->server, "/", &route), DX_OK);
    assert_int_equal(dx_server_listen(host->server, "127.0.0.1:0", NULL, NULL, 0), DX_OK);
    host->port = (uint16_t)atoi(strrchr(dx_server_url(host->server, 0), ':') + 1);
    for (int i = 0; i < CLIENT_COUNT; i++)
        assert_int_equal(pthread_create(&host->threads[i], NULL, visit, host), 0);
    assert_int_equal(pthread_create(&host->threads[CLIENT_COUNT], NULL, post_many, host), 0);
}

static void close_host(struct host *host)
{
    for (int i = 0; i <= CLIENT_COUNT; i++)
        pthread_join(host->threads[i], NULL);
    assert_int_equal(host->failed_count, 0);
    assert_int_equal(host->posted_count, POST_COUNT);
    dx_server_free(host->server);
    dx_loop_free(host->loop);
}

static bool is_finished(const struct host *host)
{
    return host->finished_count == CLIENT_COUNT + 1;
}

/* Works until all threads have had their fill, then sits idle for a while, then ends the server. */
static void drive(void (*turn)(struct host *host, int wait_ms))
{
    struct host host = {.loop = NULL};
    uint64_t end_ms;

    assert_int_equal(dx_loop_new(&host.loop), DX_OK);
    open_host(&host);
    while (!is_finished(&host))
        turn(&host, -1);
    host.turn_count = 0;
    for (end_ms = clock_ms() + IDLE_MS; clock_ms() < end_ms; host.turn_count++)
        turn(&host, (int)(end_ms - clock_ms()) + 1);
    print_message("%u turns in %d idle ms\n", host.turn_count, IDLE_MS);
    assert_true(host.turn_count < IDLE_TURNS);
    dx_server_close(host.server, 0, on_closed, &host);
    while (!host.is_closed)
        turn(&host, -1);
    close_host(&host);
}

static int shorter(int wait_ms, int timeout_ms)
{
    return timeout_ms < 0 || (wait_ms >= 0 && wait_ms < timeout_ms) ? wait_ms : timeout_ms;
}

static void turn_by_poll(struct host *host, int wait_ms)
{
    struct pollfd ready = {.fd = dx_loop_fd(host->loop), .events = POLLIN};

    (void)poll(&ready, 1, shorter(wait_ms, dx_loop_timeout_ms(host->loop)));
    assert_int_equal(dx_loop_dispatch(host->loop), DX_OK);
}

static int outer_epoll = -1;

static void turn_by_epoll(struct host *host, int wait_ms)
{
    struct epoll_event event = {.events = EPOLLIN};

    if (outer_epoll < 0) {
        outer_epoll = epoll_create1(EPOLL_CLOEXEC);
        assert_int_equal(epoll_ctl(outer_epoll, EPOLL_CTL_ADD, dx_loop_fd(host->loop), &event), 0);
    }
    (void)epoll_wait(outer_epoll, &event, 1, shorter(wait_ms, dx_loop_timeout_ms(host->loop)));
    assert_int_equal(dx_loop_dispatch(host->loop), DX_OK);
}

static void test_by_poll(void **unused)
{
    (void)unused;
    drive(turn_by_poll);
}

static void test_by_epoll(void **unused)
{
    (void)unused;
    drive(turn_by_epoll);
    close(outer_epoll);
}

/* ---- on a uv loop ---- */

#define TICK_MS 20

struct ticker {
    uv_timer_t timer;
    uv_prepare_t prepare;
    struct host hosts[2];
    uint64_t idle_ms; /* since when */
    unsigned turn_count;
    unsigned idle_turn_count;
};

static void on_turn(uv_prepare_t *prepare)
{
    ((struct ticker *)prepare->data)->turn_count++;
}

static void on_tick(uv_timer_t *timer)
{
    struct ticker *ticker = timer->data;
    struct host *hosts = ticker->hosts;

    if (!is_finished(&hosts[0]) || !is_finished(&hosts[1]))
        return;
    if (ticker->idle_ms == 0) {
        ticker->idle_ms = clock_ms();
        ticker->turn_count = 0;
    } else if (clock_ms() - ticker->idle_ms >= IDLE_MS && ticker->idle_turn_count == 0) {
        ticker->idle_turn_count = ticker->turn_count;
        dx_server_close(hosts[0].server, 0, on_closed, &hosts[0]);
        dx_server_close(hosts[1].server, 0, on_closed, &hosts[1]);
        uv_close((uv_handle_t *)timer, NULL);
    }
}

static void test_two_servers_on_one_uv_loop(void **unused)
{
    static struct ticker ticker;
    uv_loop_t uv;

    (void)unused;
    assert_int_equal(uv_loop_init(&uv), 0);
    uv_timer_init(&uv, &ticker.timer);
    uv_prepare_init(&uv, &ticker.prepare);
    ticker.timer.data = &ticker;
    ticker.prepare.data = &ticker;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dx_loop_new_on_uv(&uv, &ticker.hosts[i].loop), DX_OK);
        open_host(&ticker.hosts[i]);
    }
    uv_timer_start(&ticker.timer, on_tick, TICK_MS, TICK_MS);
    uv_prepare_start(&ticker.prepare, on_turn);
    uv_unref((uv_handle_t *)&ticker.prepare);
    /* It ends by itself when both servers have closed. */
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    print_message("%u turns in %d idle ms\n", ticker.idle_turn_count, IDLE_MS);
    assert_true(ticker.idle_turn_count > 0 && ticker.idle_turn_count < IDLE_TURNS);
    for (int i = 0; i < 2; i++) {
        assert_true(ticker.hosts[i].is_closed);
        close_host(&ticker.hosts[i]);
    }
    uv_close((uv_handle_t *)&ticker.prepare, NULL);
    uv_run(&uv, UV_RUN_NOWAIT);
    assert_int_equal(uv_loop_close(&uv), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_poll),
        cmocka_unit_test(test_by_epoll),
        cmocka_unit_test(test_two_servers_on_one_uv_loop),
    };

    return run_group(tests, NULL, NULL);
}
