/*
 * scripted_server.c - see scripted_server.h.
 */
#include "support/client/scripted_server.h"
#include "support/test.h"

#include "ws/handshake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- listening ---- */

void scripted_server_begin(struct scripted_server *server)
{
    for (size_t i = 0; i < SCRIPTED_CONNECTIONS; i++)
        server->connections[i].fd = -1;
    server->listener_count = 0;
    server->connection_count = 0;
}

static void add_listener(struct scripted_server *server, int fd, const struct sockaddr *at,
                         socklen_t len)
{
    int on = 1;

    assert_true(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    assert_int_equal(bind(fd, at, len), 0);
    assert_int_equal(listen(fd, 64), 0);
    server->listeners[server->listener_count++] = fd;
}

uint16_t scripted_server_listen(struct scripted_server *server, const char *address, uint16_t port)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool is_ipv6 = inet_pton(AF_INET6, address, &ipv6.sin6_addr) == 1;
    struct sockaddr *at = is_ipv6 ? (struct sockaddr *)&ipv6 : (struct sockaddr *)&ipv4;
    socklen_t len = is_ipv6 ? sizeof(ipv6) : sizeof(ipv4);
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(is_ipv6 || inet_pton(AF_INET, address, &ipv4.sin_addr) == 1);
    add_listener(server, fd, at, len);
    assert_int_equal(getsockname(fd, at, &len), 0);
    return ntohs(is_ipv6 ? ipv6.sin6_port : ipv4.sin_port);
}

void scripted_server_listen_unix(struct scripted_server *server, const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    assert_true(strlen(path) < sizeof(at.sun_path));
    memcpy(at.sun_path, path, strlen(path));
    (void)unlink(path);
    add_listener(server, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                 (struct sockaddr *)&at, sizeof(at));
}

/* ---- connections ---- */

static void start_tls(struct scripted_server *server, struct scripted_connection *connection)
{
    SSL *outer;
    BIO *bio;

    /* OpenSSL's own socket BIO knows no MSG_NOSIGNAL. */
    (void)signal(SIGPIPE, SIG_IGN);
    outer = connection->ssl;
    connection->ssl = SSL_new(server->context);
    assert_non_null(connection->ssl);
    SSL_set_accept_state(connection->ssl);
    if (outer == NULL) {
        assert_int_equal(SSL_set_fd(connection->ssl, connection->fd), 1);
        return;
    }
    /* TLS inside TLS. */
    bio = BIO_new(BIO_f_ssl());
    assert_non_null(bio);
    (void)BIO_set_ssl(bio, outer, BIO_CLOSE);
    SSL_set_bio(connection->ssl, bio, bio);
}

static bool accept_one(struct scripted_server *server, int listener)
{
    size_t index = server->connection_count;
    size_t talk = index < server->talk_count ? index : server->talk_count - 1;
    struct scripted_connection *connection;
    int fd, on = 1;

    if (index == SCRIPTED_CONNECTIONS)
        return false;
    fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return false;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connection = &server->connections[index];
    *connection = (struct scripted_connection){.fd = fd, .talk = &server->talks[talk]};
    connection->in = malloc(SCRIPTED_IN_MAX + 1);
    connection->out = malloc(SCRIPTED_OUT_MAX);
    assert_non_null(connection->in);
    assert_non_null(connection->out);
    if (connection->talk->has_tls)
        start_tls(server, connection);
    server->connection_count++;
    return true;
}

static void close_one(struct scripted_connection *connection, bool resets)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    if (connection->fd < 0)
        return;
    if (resets)
        (void)setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    else if (connection->ssl != NULL && !connection->talk->notes_cut_only)
        (void)SSL_shutdown(connection->ssl);
    SSL_free(connection->ssl);
    connection->ssl = NULL;
    (void)close(connection->fd);
    connection->fd = -1;
}

static bool hear(struct scripted_server *server, struct scripted_connection *connection)
{
    size_t room = SCRIPTED_IN_MAX - connection->in_len;
    uint8_t *at = connection->in + connection->in_len;
    ssize_t got;

    if (connection->is_at_end || room == 0)
        return false;
    if (connection->ssl != NULL) {
        ERR_clear_error();
        got = SSL_read(connection->ssl, at, (int)room);
        if (got <= 0) {
            int why = SSL_get_error(connection->ssl, (int)got);

            if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
                return false;
            server->last_reason = ERR_GET_REASON(ERR_peek_error());
            got = 0;
        }
    } else {
        got = recv(connection->fd, at, room, 0);
        if (got < 0 && errno == EAGAIN)
            return false;
    }
    connection->is_at_end = got <= 0;
    connection->in_len += got > 0 ? (size_t)got : 0;
    connection->in[connection->in_len] = '\0';
    return true;
}

static bool say(struct scripted_server *server, struct scripted_connection *connection)
{
    size_t len = connection->out_len - connection->out_sent;
    ssize_t sent;

    if (len == 0)
        return false;
    if (server->is_bytewise)
        len = 1;
    else if (server->cut > connection->said_len && server->cut - connection->said_len < len)
        len = server->cut - connection->said_len;
    if (connection->ssl != NULL) {
        ERR_clear_error();
        sent = SSL_write(connection->ssl, connection->out + connection->out_sent, (int)len);
    } else {
        sent = send(connection->fd, connection->out + connection->out_sent, len, MSG_NOSIGNAL);
    }
    if (sent <= 0) {
        if (connection->ssl == NULL && errno != EAGAIN)
            connection->out_len = connection->out_sent;
        return false;
    }
    connection->out_sent += (size_t)sent;
    connection->said_len += (size_t)sent;
    return true;
}

/* ---- turns ---- */

static void find_accept(const struct scripted_connection *connection,
                        char accept[DX_HANDSHAKE_ACCEPT_LEN + 1])
{
    const char *key = memmem(connection->in, connection->in_len, "Sec-WebSocket-Key: ", 19);
    struct dx_slice text;

    assert_non_null(key);
    text = (struct dx_slice){(const uint8_t *)key + 19, DX_HANDSHAKE_KEY_LEN};
    dx_handshake_accept_key(text, accept);
}

static void fill_out(struct scripted_connection *connection, const struct scripted_turn *turn)
{
    size_t len = turn->say_len > 0 ? turn->say_len : turn->say != NULL ? strlen(turn->say) : 0;
    const char *mark = turn->say_len > 0 || len == 0 ? NULL : strstr(turn->say, "{accept}");
    char accept[DX_HANDSHAKE_ACCEPT_LEN + 1];
    size_t before = mark != NULL ? (size_t)(mark - turn->say) : len;

    assert_true(len + sizeof(accept) < SCRIPTED_OUT_MAX);
    if (len > 0)
        memcpy(connection->out, turn->say, before);
    connection->out_len = before;
    connection->out_sent = 0;
    if (mark == NULL)
        return;
    find_accept(connection, accept);
    memcpy(connection->out + before, accept, DX_HANDSHAKE_ACCEPT_LEN);
    memcpy(connection->out + before + DX_HANDSHAKE_ACCEPT_LEN, mark + 8, len - before - 8);
    connection->out_len = len - 8 + DX_HANDSHAKE_ACCEPT_LEN;
}

static bool is_due(const struct scripted_connection *connection, const struct scripted_turn *turn)
{
    const uint8_t *heard = connection->in + connection->seen_len;
    size_t len = connection->in_len - connection->seen_len;
    size_t wanted = turn->wait_for != NULL ? strlen(turn->wait_for) : 0;

    return len >= turn->wait_len && len >= wanted &&
           (wanted == 0 || memcmp(heard + len - wanted, turn->wait_for, wanted) == 0);
}

/* The next turn, if it is its time. */
static bool go_on(struct scripted_connection *connection)
{
    const struct scripted_talk *talk = connection->talk;

    if (connection->out_sent < connection->out_len)
        return false;
    if (connection->turn == talk->turn_count) {
        if (talk->end == SCRIPTED_STAYS && !connection->is_at_end)
            return false;
        close_one(connection, talk->end == SCRIPTED_RESETS);
        return true;
    }
    if (!is_due(connection, &talk->turns[connection->turn])) {
        if (connection->is_at_end)
            close_one(connection, false);
        return connection->is_at_end;
    }
    fill_out(connection, &talk->turns[connection->turn]);
    connection->seen_len = connection->in_len;
    connection->is_said = true;
    return true;
}

/* At once: what comes next may be TLS. */
static void note_said(struct scripted_server *server, struct scripted_connection *connection)
{
    if (!connection->is_said || connection->out_sent < connection->out_len)
        return;
    connection->is_said = false;
    connection->turn++;
    if (connection->fd >= 0 && connection->talk->tls_from > 0 &&
        connection->turn == connection->talk->tls_from)
        start_tls(server, connection);
}

bool scripted_server_step(struct scripted_server *server)
{
    bool has_done = false;

    for (size_t i = 0; i < server->listener_count; i++)
        has_done |= accept_one(server, server->listeners[i]);
    for (size_t i = 0; i < server->connection_count; i++) {
        struct scripted_connection *connection = &server->connections[i];

        if (connection->fd < 0)
            continue;
        has_done |= hear(server, connection);
        has_done |= go_on(connection);
        if (connection->fd >= 0)
            has_done |= say(server, connection);
        note_said(server, connection);
    }
    return has_done;
}

size_t scripted_server_fds(const struct scripted_server *server, struct pollfd *fds)
{
    size_t count = 0;

    for (size_t i = 0; i < server->listener_count; i++)
        fds[count++] = (struct pollfd){.fd = server->listeners[i], .events = POLLIN};
    for (size_t i = 0; i < server->connection_count; i++) {
        const struct scripted_connection *connection = &server->connections[i];
        bool is_blocked = connection->out_sent < connection->out_len;

        if (connection->fd >= 0 && !(connection->is_at_end && !is_blocked))
            fds[count++] = (struct pollfd){.fd = connection->fd,
                                           .events = (short)((connection->is_at_end ? 0 : POLLIN) |
                                                             (is_blocked ? POLLOUT : 0))};
    }
    return count;
}

void scripted_server_restart(struct scripted_server *server)
{
    for (size_t i = 0; i < server->connection_count; i++) {
        close_one(&server->connections[i], true);
        free(server->connections[i].in);
        free(server->connections[i].out);
    }
    server->connection_count = 0;
}

void scripted_server_end(struct scripted_server *server)
{
    scripted_server_restart(server);
    for (size_t i = 0; i < server->listener_count; i++)
        (void)close(server->listeners[i]);
    server->listener_count = 0;
}

const char *scripted_server_heard(struct scripted_server *server, size_t connection)
{
    assert_true(connection < server->connection_count);
    server->connections[connection].in[server->connections[connection].in_len] = '\0';
    return (const char *)server->connections[connection].in;
}
