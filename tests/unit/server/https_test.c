/*
 * https_test.c - bodies and answers in pieces over TLS: OpenSSL's own client, blocking and on a
 * thread of its own, sends much and reads it back slowly.
 */
#include <duplex/request.h>

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/test.h"

#define BODY_TEXT "9000000" /* more than the network holds */
#define BODY_LEN ((size_t)9000000)
#define ROUNDS 3
#define BEHIND_LEN                                                                                 \
 66536 /* 64 KiB are kept before there is an answer; some more TLS has deciphered and keeps */
#define TURNS 20

static struct dx_loop *loop;
static uint16_t port;
static size_t drain_count, close_count, turn_count;
static bool has_facts;
static struct dx_request *kept;
static struct dx_loop_timer *timer;

/* ---- the server's side: the body again, as fast as it is taken ---- */

struct echo {
    uint8_t *body;
    size_t at, len;
};

static void go_on(struct dx_response *response, struct echo *echo)
{
    while (echo->at < echo->len && !dx_response_is_congested(response)) {
        size_t len = echo->at % 3 == 0 ? 40000 : 1000;

        len = len > echo->len - echo->at ? echo->len - echo->at : len;
        assert_int_equal(dx_response_write(response, echo->body + echo->at, len), DX_OK);
        echo->at += len;
    }
    if (echo->at == echo->len)
        dx_response_end(response);
}

static void on_drain(struct dx_response *response, void *user)
{
    drain_count++;
    go_on(response, user);
}

static void on_close(struct dx_response *response, enum dx_err err, void *user)
{
    struct echo *echo = user;

    (void)response;
    assert_int_equal(err, DX_OK);
    close_count++;
    free(echo->body);
    free(echo);
}

static void on_request(struct dx_request *request, void *user)
{
    struct dx_response_options options = dx_response_options_init();
    static const struct dx_response_handlers handlers = {
        .size = sizeof(handlers), .on_drain = on_drain, .on_close = on_close};
    struct echo *echo = calloc(1, sizeof(*echo));
    const void *body = dx_request_body(request, &echo->len);
    struct dx_tls_facts facts = dx_tls_facts_init();
    struct dx_response *response;

    (void)user;
    has_facts = dx_request_tls(request, &facts) && dx_request_is_tls(request) &&
                strcmp(facts.version, "TLSv1.3") == 0;
    echo->body = malloc(echo->len + 1);
    memcpy(echo->body, body, echo->len);
    options.len = echo->len;
    options.handlers = &handlers;
    options.user = echo;
    assert_int_equal(dx_request_respond_in_pieces(request, &options, &response), DX_OK);
    go_on(response, echo);
}

static void on_later(struct dx_request *request, void *user)
{
    (void)user;
    kept = request;
}

/* Everything is here: in so many turns it is read as far as it is read before the answer. */
static void on_turn(void *user)
{
    (void)user;
    if (++turn_count < TURNS)
        dx_loop_timer_set(timer, 0);
    else
        dx_request_respond(kept, 200, NULL, NULL, 0, NULL, 0);
}

static void on_all_is_sent(void *data)
{
    (void)data;
    dx_loop_timer_set(timer, 0);
}

/* ---- the client's ---- */

static bool write_all(SSL *ssl, const void *bytes, size_t len)
{
    size_t put;

    return SSL_write_ex(ssl, bytes, len, &put) == 1 && put == len;
}

static bool read_all(SSL *ssl, uint8_t *bytes, size_t len)
{
    static const struct timespec pause = {0, 1000000};
    size_t got;

    for (; len > 0; bytes += got, len -= got) {
        if (SSL_read_ex(ssl, bytes, len, &got) != 1)
            return false;
        if (len % 16 == 0)
            (void)nanosleep(&pause, NULL);
    }
    return true;
}

static bool read_head(SSL *ssl, const char *line)
{
    char text[1024] = "";

    for (size_t len = 0; len + 1 < sizeof(text) && strstr(text, "\r\n\r\n") == NULL; len++)
        if (!read_all(ssl, (uint8_t *)text + len, 1))
            return false;
    return strncmp(text, "HTTP/1.1 200 ", 13) == 0 && strstr(text, line) != NULL;
}

/* The body at once, or in chunks of many sizes. */
static bool send_body(SSL *ssl, const uint8_t *body, bool is_chunked)
{
    char head[128];
    int len = snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n",
                       is_chunked ? "Transfer-Encoding: chunked" : "Content-Length: " BODY_TEXT);

    if (!write_all(ssl, head, (size_t)len))
        return false;
    if (!is_chunked)
        return write_all(ssl, body, BODY_LEN);
    for (size_t at = 0, now = 1; at < BODY_LEN; at += now) {
        now = at % 70001 + 1 > BODY_LEN - at ? BODY_LEN - at : at % 70001 + 1;
        len = snprintf(head, sizeof(head), "%zx\r\n", now);
        if (!write_all(ssl, head, (size_t)len) || !write_all(ssl, body + at, now) ||
            !write_all(ssl, "\r\n", 2))
            return false;
    }
    return write_all(ssl, "0\r\n\r\n", 5);
}

static bool converse(SSL *ssl)
{
    static uint8_t body[BODY_LEN], echo[BODY_LEN];

    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = (uint8_t)(i * 7 + i / 251);
    for (int round = 0; round < ROUNDS; round++) {
        memset(echo, 0, sizeof(echo));
        if (!send_body(ssl, body, round % 2 == 1) ||
            !read_head(ssl, "\r\nContent-Length: " BODY_TEXT "\r\n") ||
            !read_all(ssl, echo, sizeof(echo)) || memcmp(body, echo, sizeof(body)) != 0)
            return false;
    }
    return true;
}

/*
 * A request that waits, and one with a body behind it, of which the last bytes lie in a record that
 * was read before.
 */
static bool ask_ahead(SSL *ssl)
{
    static const struct timespec pause = {0, 1000000};
    static char text[BEHIND_LEN + 64];
    size_t first_len = (size_t)sprintf(text, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    size_t len = first_len + BEHIND_LEN;
    char line[64], *body;
    int unsent = 1;

    body =
        text + first_len +
        sprintf(text + first_len,
                "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %05zu\r\n\r\n", (size_t)0);
    (void)snprintf(line, sizeof(line), "Content-Length: %05zu\r\n", (size_t)(text + len - body));
    memcpy(strstr(text, "Content-Length: "), line, strlen(line));
    memset(body, 'b', (size_t)(text + len - body));
    if (!write_all(ssl, text, len))
        return false;
    while (ioctl(SSL_get_fd(ssl), SIOCOUTQ, &unsent) == 0 && unsent > 0)
        (void)nanosleep(&pause, NULL);
    if (dx_loop_post(loop, on_all_is_sent, NULL) != DX_OK ||
        !read_head(ssl, "\r\nContent-Length: 0\r\n"))
        return false;
    return read_head(ssl, line) && read_all(ssl, (uint8_t *)text, (size_t)(text + len - body));
}

static void on_plain(struct dx_request *request, void *user)
{
    (void)user;
    dx_request_respond(request, 200, NULL, NULL, 0, NULL, 0);
}

/* More than are answered in one go, and the client's end in the same read. */
static bool ask_and_end(SSL *ssl)
{
    enum { REQUESTS = 40 };
    char text[REQUESTS * 64] = "";
    bool is_right;

    for (int i = 0; i < REQUESTS; i++)
        strcat(text, "GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n");
    is_right = write_all(ssl, text, strlen(text)) && SSL_shutdown(ssl) == 0;
    for (int i = 0; is_right && i < REQUESTS; i++)
        is_right = read_head(ssl, "\r\nContent-Length: 0\r\n");
    return is_right;
}

/* What a client says, and whether all was right. */
struct talk {
    bool (*say)(SSL *ssl);
    bool is_right;
};

static void *run_client(void *data)
{
    static const int small = 65536; /* so that the server's output has to wait */
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct talk *talk = data;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1)
        talk->is_right = talk->say(ssl);
    SSL_free(ssl);
    SSL_CTX_free(context);
    (void)close(fd);
    dx_loop_stop(loop);
    return NULL;
}

static bool run(bool (*say)(SSL *ssl))
{
    struct dx_server_options options = dx_server_options_init();
    struct dx_connection_options connection = dx_connection_options_init();
    struct dx_route route = dx_route_init(), later = dx_route_init(), plain = dx_route_init();
    char fingerprint[DX_TLS_FINGERPRINT_ROOM], why[256];
    struct talk talk = {say, false};
    struct dx_server *server;
    struct dx_tls *tls;
    pthread_t client;

    drain_count = close_count = 0;
    connection.max_queue = 200000;
    connection.message_timeout_ms = 10000;
    options.connection = &connection;
    route.on_request = on_request;
    route.wants_plain = true;
    route.max_body = BODY_LEN;
    later.on_request = on_later;
    later.wants_plain = true;
    plain.on_request = on_plain;
    plain.wants_plain = true;
    assert_int_equal(dx_loop_new(&loop), DX_OK);
    assert_int_equal(dx_loop_timer_new(loop, on_turn, NULL, &timer), DX_OK);
    assert_int_equal(dx_server_new(loop, &options, &server), DX_OK);
    assert_int_equal(dx_server_route(server, "/", &route), DX_OK);
    assert_int_equal(dx_server_route(server, "/later", &later), DX_OK);
    assert_int_equal(dx_server_route(server, "/plain", &plain), DX_OK);
    assert_int_equal(dx_tls_new_self_signed(NULL, 0, 1, &tls, fingerprint), DX_OK);
    assert_int_equal(dx_server_listen(server, "127.0.0.1:0", tls, why, sizeof(why)), DX_OK);
    dx_tls_free(tls);
    port = (uint16_t)atoi(strrchr(dx_server_url(server, 0), ':') + 1);
    assert_int_equal(pthread_create(&client, NULL, run_client, &talk), 0);
    assert_int_equal(dx_loop_run(loop), DX_OK);
    assert_int_equal(pthread_join(client, NULL), 0);
    dx_server_free(server);
    dx_loop_timer_free(timer);
    dx_loop_free(loop);
    return talk.is_right;
}

static void test_bodies_and_pieces(void **state)
{
    (void)state;
    assert_true(run(converse));
    assert_true(has_facts);
    assert_int_equal(close_count, ROUNDS);
    assert_true(drain_count > 0);
    print_message("%zu bytes each way, %zu drains\n", ROUNDS * BODY_LEN, drain_count);
}

static void test_a_body_behind_a_request_that_waits(void **state)
{
    (void)state;
    assert_true(run(ask_ahead));
}

static void test_many_requests_and_the_end(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) /* whether both come in one read is the network's to say */
        assert_true(run(ask_and_end));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_and_pieces),
        cmocka_unit_test(test_a_body_behind_a_request_that_waits),
        cmocka_unit_test(test_many_requests_and_the_end),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL's client writes without asking */
    return run_group(tests, NULL, NULL);
}
