/*
 * threads_test.c - one server on four loops: connections open, echo, ask, hang up and are cut on
 * all of them while the server ends, or is freed. For the thread sanitizer as much as for what it
 * asserts.
 */
#include <duplex/request.h>

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/test.h"

#define SERVER_THREADS 4
#define CLIENT_THREADS 4
#define ROUNDS 100
#define ENOUGH 1000 /* rounds done before the server ends */

static const char upgrade[] = "GET /%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static struct dx_loop *loop;
static struct dx_server *server;
static uint16_t port;
static atomic_uint opened, closed, abandoned, echoes, rounds, lines, begun, ended;
static atomic_bool ends;
static _Atomic(struct dx_loop *) loops[SERVER_THREADS];
static bool frees; /* without closing first */

/* ---- the server's side: callbacks come on all its threads ---- */

static void note_loop(struct dx_loop *seen)
{
    for (int i = 0; i < SERVER_THREADS; i++) {
        struct dx_loop *expected = NULL;

        if (atomic_load(&loops[i]) == seen ||
            atomic_compare_exchange_strong(&loops[i], &expected, seen) || expected == seen)
            return;
    }
    abort(); /* a fifth loop */
}

static void on_log(enum dx_log_level level, const char *message, const struct dx_log_field *fields,
                   size_t field_count, void *user)
{
    (void)user;
    (void)level;
    (void)message;
    (void)fields;
    (void)field_count;
    atomic_fetch_add(&lines, 1);
}

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user)
{
    (void)user;
    if (dx_connection_send(connection, opcode, data, len) == DX_OK)
        atomic_fetch_add(&echoes, 1);
}

static void on_close(struct dx_connection *connection, const struct dx_close_info *info, void *user)
{
    (void)connection;
    (void)info;
    (void)user;
    atomic_fetch_add(&closed, 1);
}

static const struct dx_connection_handlers handlers = {
    .size = sizeof(handlers), .on_message = on_message, .on_close = on_close};

static void on_request(struct dx_request *request, void *user)
{
    struct dx_connection *connection;

    (void)user;
    note_loop(dx_request_loop(request));
    if (dx_request_accept(request, &handlers, NULL, &connection) == DX_OK)
        atomic_fetch_add(&opened, 1);
}

/* A decision that takes a turn, and may find its request abandoned meanwhile. */
struct decision {
    struct dx_request *request;
    struct decision *next;
};

static _Thread_local struct decision *decisions;

static void decide(void *data)
{
    struct decision *decision = data;

    for (struct decision **at = &decisions; *at != NULL; at = &(*at)->next) {
        if (*at == decision) {
            *at = decision->next;
            break;
        }
    }
    if (decision->request != NULL)
        on_request(decision->request, NULL);
    free(decision);
}

static void on_later(struct dx_request *request, void *user)
{
    struct decision *decision = malloc(sizeof(*decision));

    (void)user;
    *decision = (struct decision){request, decisions};
    decisions = decision;
    if (dx_loop_post(dx_request_loop(request), decide, decision) != DX_OK)
        abort();
}

static void on_abandoned(struct dx_request *request, void *user)
{
    (void)user;
    for (struct decision *at = decisions; at != NULL; at = at->next)
        if (at->request == request)
            at->request = NULL;
    atomic_fetch_add(&abandoned, 1);
}

/* An answer in pieces: twenty times its body, as the peer takes it. */
#define PIECES_COUNT 20
#define PIECE_LEN 50000

struct pieces {
    size_t left;
    char piece[PIECE_LEN];
};

static void go_on(struct dx_response *response, void *user)
{
    struct pieces *pieces = user;

    while (pieces->left > 0 && !dx_response_is_congested(response)) {
        if (dx_response_write(response, pieces->piece, PIECE_LEN) != DX_OK)
            return;
        pieces->left--;
    }
    if (pieces->left == 0)
        dx_response_end(response);
}

static void on_pieces_close(struct dx_response *response, enum dx_err err, void *user)
{
    (void)response;
    (void)err;
    free(user);
    atomic_fetch_add(&ended, 1);
}

static const struct dx_response_handlers pieces_handlers = {
    .size = sizeof(pieces_handlers), .on_drain = go_on, .on_close = on_pieces_close};

static void on_pieces(struct dx_request *request, void *user)
{
    struct dx_response_options options = dx_response_options_init();
    struct pieces *pieces = malloc(sizeof(*pieces));
    struct dx_response *response;
    size_t len;
    const void *body = dx_request_body(request, &len);

    (void)user;
    note_loop(dx_request_loop(request));
    pieces->left = PIECES_COUNT;
    if (len != PIECE_LEN)
        abort();
    memcpy(pieces->piece, body, len);
    options.len = PIECES_COUNT * PIECE_LEN;
    options.handlers = &pieces_handlers;
    options.user = pieces;
    if (dx_request_respond_in_pieces(request, &options, &response) != DX_OK) {
        free(pieces);
        return;
    }
    atomic_fetch_add(&begun, 1);
    go_on(response, pieces);
}

/* ---- clients: blocking, each on a thread ---- */

static int connect_client(void)
{
    static const struct timeval patience = {10, 0};
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static bool receive(int fd, char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t got = recv(fd, bytes, len, 0);

        if (got <= 0)
            return false;
        bytes += got;
        len -= (size_t)got;
    }
    return true;
}

static bool receive_head(int fd)
{
    char text[1024];
    size_t len = 0;

    do {
        if (len + 1 == sizeof(text) || !receive(fd, text + len, 1))
            return false;
        text[++len] = '\0';
    } while (strstr(text, "\r\n\r\n") == NULL);
    return strstr(text, " 101 ") != NULL || strstr(text, " 200 ") != NULL;
}

static bool post(int fd, unsigned round)
{
    static const char head[] =
        "POST /pieces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n";
    char piece[PIECE_LEN], echo[PIECE_LEN];

    memset(piece, 'a' + (int)(round % 26), sizeof(piece));
    if (send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL) != sizeof(head) - 1 ||
        send(fd, piece, sizeof(piece), MSG_NOSIGNAL) != sizeof(piece))
        return false;
    if (round % 4 == 0) /* gone before, or within, the answer */
        return true;
    if (!receive_head(fd))
        return false;
    for (int i = 0; i < PIECES_COUNT; i++) {
        if (round % 3 == 0 && i == PIECES_COUNT / 2)
            return true;
        if (!receive(fd, echo, sizeof(echo)) || memcmp(echo, piece, sizeof(echo)) != 0)
            return false;
    }
    return true;
}

static bool converse(int fd, unsigned round)
{
    static const char frame[] = "\x82\x85\0\0\0\0hello";
    char text[512], echo[7];
    int len = snprintf(text, sizeof(text), upgrade, round % 2 ? "later" : "");

    if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        return false;
    if (round % 7 == 0) /* gone before the decision */
        return true;
    if (!receive_head(fd))
        return false;
    for (int i = 0; i < 3; i++) {
        if (send(fd, frame, sizeof(frame) - 1, MSG_NOSIGNAL) != sizeof(frame) - 1 ||
            !receive(fd, echo, sizeof(echo)) || memcmp(echo, "\x82\x05hello", 7) != 0)
            return false;
    }
    if (round % 3 == 0)
        (void)send(fd, "\x88\x82\0\0\0\0\x03\xe8", 8, MSG_NOSIGNAL);
    return round % 3 != 0 || (receive(fd, echo, 4) && memcmp(echo, "\x88\x02\x03\xe8", 4) == 0);
}

static void *run_client(void *data)
{
    bool *is_right = data;

    for (unsigned round = 0; round < ROUNDS || !atomic_load(&ends); round++) {
        int fd = connect_client();
        bool is_done = fd >= 0 && (round % 5 == 4 ? post(fd, round) : converse(fd, round));

        if (fd >= 0)
            (void)close(fd);
        if (!is_done && !atomic_load(&ends))
            *is_right = false; /* nothing may fail before the server ends */
        atomic_fetch_add(&rounds, 1);
    }
    return NULL;
}

/* ---- together ---- */

static void on_closed(void *user)
{
    (void)user;
    dx_loop_stop(loop);
}

static void look(void *user)
{
    struct dx_loop_timer **timer = user;

    if (atomic_load(&rounds) < ENOUGH) {
        dx_loop_timer_set(*timer, 5);
        return;
    }
    atomic_store(&ends, true);
    if (frees)
        dx_loop_stop(loop);
    else
        dx_server_close(server, 50, on_closed, NULL);
}

static void start_server(void)
{
    struct dx_server_options options = dx_server_options_init();
    struct dx_log_sink sink = dx_log_sink_init();
    struct dx_connection_options connection = dx_connection_options_init();
    const struct dx_route echo = {
        .size = sizeof(echo), .on_request = on_request, .wants_upgrades = true};
    const struct dx_route later = {.size = sizeof(later),
                                   .on_request = on_later,
                                   .on_abandoned = on_abandoned,
                                   .wants_upgrades = true};
    const struct dx_route pieces = {.size = sizeof(pieces),
                                    .on_request = on_pieces,
                                    .wants_plain = true,
                                    .max_body = PIECE_LEN,
                                    .methods = "POST"};
    char why[128];

    options.threads = SERVER_THREADS;
    connection.close_timeout_ms = 1000;
    options.connection = &connection;
    sink.write = on_log;
    options.log = &sink;
    assert_int_equal(dx_loop_new(&loop), DX_OK);
    assert_int_equal(dx_server_new(loop, &options, &server), DX_OK);
    assert_int_equal(dx_server_route(server, "/", &echo), DX_OK);
    assert_int_equal(dx_server_route(server, "/later", &later), DX_OK);
    assert_int_equal(dx_server_route(server, "/pieces", &pieces), DX_OK);
    assert_int_equal(dx_server_listen(server, "127.0.0.1:0", NULL, why, sizeof(why)), DX_OK);
    port = (uint16_t)atoi(strrchr(dx_server_url(server, 0), ':') + 1);
}

static void reset_counts(void)
{
    atomic_uint *const counts[] = {&opened, &closed, &abandoned, &echoes,
                                   &rounds, &lines,  &begun,     &ended};

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        atomic_store(counts[i], 0);
    for (int i = 0; i < SERVER_THREADS; i++)
        atomic_store(&loops[i], NULL);
    atomic_store(&ends, false);
}

static void run(bool without_closing)
{
    pthread_t clients[CLIENT_THREADS];
    bool are_right[CLIENT_THREADS];
    struct dx_loop_timer *timer;

    reset_counts();
    frees = without_closing;
    start_server();
    assert_int_equal(dx_loop_timer_new(loop, look, &timer, &timer), DX_OK);
    dx_loop_timer_set(timer, 5);
    for (int i = 0; i < CLIENT_THREADS; i++) {
        are_right[i] = true;
        assert_int_equal(pthread_create(&clients[i], NULL, run_client, &are_right[i]), 0);
    }
    assert_int_equal(dx_loop_run(loop), DX_OK);
    if (!without_closing)
        assert_int_equal(dx_server_connection_count(server), 0);
    dx_server_free(server);
    for (int i = 0; i < CLIENT_THREADS; i++) {
        assert_int_equal(pthread_join(clients[i], NULL), 0);
        assert_true(are_right[i]);
    }
    dx_loop_timer_free(timer);
    dx_loop_free(loop);
    assert_int_equal(atomic_load(&opened), atomic_load(&closed));
    assert_int_equal(atomic_load(&begun), atomic_load(&ended));
    assert_true(atomic_load(&begun) > 0);
    assert_true(atomic_load(&echoes) > 0);
    for (int i = 0; i < SERVER_THREADS; i++)
        assert_non_null(atomic_load(&loops[i]));
    print_message("%u connections, %u echoes, %u abandoned, %u answers in pieces\n",
                  atomic_load(&opened), atomic_load(&echoes), atomic_load(&abandoned),
                  atomic_load(&begun));
}

static void test_closing_under_load(void **state)
{
    (void)state;
    run(false);
}

static void test_freeing_under_load(void **state)
{
    (void)state;
    run(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closing_under_load),
        cmocka_unit_test(test_freeing_under_load),
    };

    return run_group(tests, NULL, NULL);
}
