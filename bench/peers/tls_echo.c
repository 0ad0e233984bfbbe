/*
 * tls_echo.c - the floor under every TLS echo server: OpenSSL, one epoll set, one thread.
 *
 * Per readable event SSL_read until nothing is left or the buffer is full, then one SSL_write of
 * the same bytes: no framing, no timeout. Read-ahead is on, so that a record costs one system call
 * and not two. When the kernel's send buffer is full the rest is kept and reading stops. One cipher
 * suite: TLS_AES_128_GCM_SHA256. Usage: tls_echo PORT CERTIFICATE KEY
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 1024, BUFFER_LEN = 64 * 1024 };

struct connection {
    SSL *tls;
    int fd;
    char *rest; /* what could not be written yet; NULL: nothing */
    size_t at;
    size_t len;
};

static char buffer[BUFFER_LEN];
static int epoll_fd;

static void fail(const char *text)
{
    perror(text);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void watch(int operation, struct connection *connection, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(epoll_fd, operation, connection->fd, &event) != 0)
        fail("epoll_ctl");
}

static void end(struct connection *connection)
{
    ERR_clear_error();
    SSL_free(connection->tls);
    (void)close(connection->fd);
    free(connection->rest);
    free(connection);
}

static int is_to_be_continued(struct connection *connection, int done)
{
    int error = SSL_get_error(connection->tls, done);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static void keep_rest(struct connection *connection, const char *bytes, size_t len)
{
    connection->rest = malloc(len);
    if (connection->rest == NULL)
        fail("malloc");
    memcpy(connection->rest, bytes, len);
    connection->at = 0;
    connection->len = len;
    watch(EPOLL_CTL_MOD, connection, EPOLLOUT);
}

/* False: the connection has ended. */
static int echo(struct connection *connection, size_t len)
{
    size_t at = 0;
    while (at < len) {
        int done = SSL_write(connection->tls, buffer + at, (int)(len - at));
        if (done > 0) {
            at += (size_t)done;
        } else if (is_to_be_continued(connection, done)) {
            keep_rest(connection, buffer + at, len - at);
            return 1;
        } else {
            end(connection);
            return 0;
        }
    }
    return 1;
}

static void on_readable(struct connection *connection)
{
    int done;
    do {
        size_t len = 0;
        do {
            done = SSL_read(connection->tls, buffer + len, (int)(BUFFER_LEN - len));
            if (done > 0)
                len += (size_t)done;
        } while (done > 0 && len < BUFFER_LEN && SSL_has_pending(connection->tls) == 1);
        if (done <= 0 && !is_to_be_continued(connection, done)) {
            end(connection);
            return;
        }
        if (len > 0 && !echo(connection, len))
            return;
    } while (connection->rest == NULL && done > 0 && SSL_has_pending(connection->tls) == 1);
}

static void on_writable(struct connection *connection)
{
    int done = SSL_write(connection->tls, connection->rest + connection->at,
                         (int)(connection->len - connection->at));
    if (done <= 0 && !is_to_be_continued(connection, done)) {
        end(connection);
        return;
    }
    if (done > 0)
        connection->at += (size_t)done;
    if (connection->at == connection->len) {
        free(connection->rest);
        connection->rest = NULL;
        watch(EPOLL_CTL_MOD, connection, EPOLLIN);
        on_readable(connection); /* what OpenSSL has read already wakes nobody */
    }
}

static void on_connection(SSL_CTX *context, int listener)
{
    int on = 1;
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        fail("calloc");
    connection->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    connection->tls = SSL_new(context);
    if (connection->fd < 0 || connection->tls == NULL ||
        SSL_set_fd(connection->tls, connection->fd) != 1)
        fail("accept4");
    SSL_set_accept_state(connection->tls);
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(EPOLL_CTL_ADD, connection, EPOLLIN);
}

static SSL_CTX *make_context(const char *certificate, const char *key)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1 ||
        SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        fail("context");
    (void)SSL_CTX_set_mode(context,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    return context;
}

static int listen_on(const char *port)
{
    int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0)
        fail("listen");
    return fd;
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS_MAX];
    struct rlimit limit;
    if (argc != 4) {
        fprintf(stderr, "usage: tls_echo PORT CERTIFICATE KEY\n");
        return 2;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX *context = make_context(argv[2], argv[3]);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on(argv[1]);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) != 0)
        fail("epoll_ctl");
    for (;;) {
        int count = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection == NULL)
                on_connection(context, listener);
            else if (connection->rest != NULL)
                on_writable(connection);
            else
                on_readable(connection);
        }
    }
}
