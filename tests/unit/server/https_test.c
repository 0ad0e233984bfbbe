/*
 * https_test.c - bodies and answers in pieces over TLS: OpenSSL's own client, blocking and on a thread of its own, sends much and
 * reads it back slowly.
 */
#include <duplex/request.h>

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define BODY_TEXT "9000000" /* more than the network holds */
#define BODY_LEN ((size_t)9000000)
#define ROUNDS 3

static struct dx_loop *loop;
static uint16_t port;
static size_t drain_count, close_count;
static bool has_facts;

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
    static const struct dx_response_handlers handlers = {on_drain, on_close};
    struct echo *echo = calloc(1, sizeof(*echo));
    const void *body = dx_request_body(request, &echo->len);
    struct dx_tls_facts facts = {0};
    struct dx_response *response;

    (void)user;
    has_facts = dx_request_tls(request, &facts) && dx_request_is_tls(request) &&
                strcmp(facts.version, "TLSv1.3") == 0;
    echo->body = malloc(echo->len + 1);
    memcpy(echo->body, body, echo->len);
    assert_int_equal(dx_request_respond_in_pieces(request, 200, NULL, NULL, echo->len, &handlers,
                                                  echo, &response),
                     DX_OK);
    go_on(response, echo);
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

static bool read_head(SSL *ssl)
{
    char text[1024] = "";

    for (size_t len = 0; len + 1 < sizeof(text) && strstr(text, "\r\n\r\n") == NULL; len++)
        if (!read_all(ssl, (uint8_t *)text + len, 1))
            return false;
    return strncmp(text, "HTTP/1.1 200 ", 13) == 0 &&
           strstr(text, "\r\nContent-Length: " BODY_TEXT "\r\n") != NULL;
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
        if (!send_body(ssl, body, round % 2 == 1) || !read_head(ssl) ||
            !read_all(ssl, echo, sizeof(echo)) || memcmp(body, echo, sizeof(body)) != 0)
            return false;
    }
    return true;
}

static void *run_client(void *data)
{
    static const int small = 65536; /* so that the server's output has to wait */
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool *is_right = data;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1)
        *is_right = converse(ssl);
    SSL_free(ssl);
    SSL_CTX_free(context);
    (void)close(fd);
    dx_loop_stop(loop);
    return NULL;
}

static void test_bodies_and_pieces(void **state)
{
    struct dx_server_options options = dx_server_options_init();
    struct dx_route route = dx_route_init();
    char fingerprint[DX_TLS_FINGERPRINT_ROOM], why[256];
    struct dx_server *server;
    bool is_right = false;
    struct dx_tls *tls;
    pthread_t client;

    (void)state;
    options.connection.max_queue = 200000;
    route.on_request = on_request;
    route.wants_plain = true;
    route.max_body = BODY_LEN;
    assert_int_equal(dx_loop_new(&loop), DX_OK);
    assert_int_equal(dx_server_new(loop, &options, &server), DX_OK);
    assert_int_equal(dx_server_route(server, "/", &route), DX_OK);
    assert_int_equal(dx_tls_new_self_signed(NULL, 0, 1, &tls, fingerprint), DX_OK);
    assert_int_equal(dx_server_listen(server, "127.0.0.1:0", tls, why, sizeof(why)), DX_OK);
    dx_tls_free(tls);
    port = (uint16_t)atoi(strrchr(dx_server_url(server, 0), ':') + 1);
    assert_int_equal(pthread_create(&client, NULL, run_client, &is_right), 0);
    assert_int_equal(dx_loop_run(loop), DX_OK);
    assert_int_equal(pthread_join(client, NULL), 0);
    dx_server_free(server);
    dx_loop_free(loop);
    assert_true(is_right);
    assert_true(has_facts);
    assert_int_equal(close_count, ROUNDS);
    assert_true(drain_count > 0);
    print_message("%zu bytes each way, %zu drains\n", ROUNDS * BODY_LEN, drain_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_and_pieces),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL's client writes without asking */
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
