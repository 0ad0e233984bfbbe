/*
 * channel.c - connections that may be inside TLS; see channel.h.
 */
#include "channel.h"
#include "peer.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 8192 };

static SSL_CTX *make_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1)
        dx_load_fail("no TLS context", 0);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    return context;
}

static void shake_hands(struct dx_channel *channel)
{
    static SSL_CTX *context;
    if (context == NULL)
        context = make_context();
    channel->tls = SSL_new(context);
    if (channel->tls == NULL || SSL_set_fd(channel->tls, channel->fd) != 1 ||
        SSL_connect(channel->tls) != 1) {
        ERR_print_errors_fp(stderr);
        dx_load_fail("the TLS handshake failed", 0);
    }
}

static void ask(struct dx_channel *channel, const struct dx_load_options *options)
{
    char request[512];
    uint8_t answer[ANSWER_MAX];
    size_t len = 0;
    size_t head_len = 0;
    size_t request_len = dx_peer_request_text(options, request, sizeof request);
    if (dx_channel_send(channel, request, request_len) != (ssize_t)request_len)
        dx_load_fail("send the request", errno);
    while (head_len == 0) {
        ssize_t got = dx_channel_recv(channel, answer + len, sizeof answer - len);
        if (got <= 0)
            dx_load_fail("the server ended the opening handshake", got < 0 ? errno : 0);
        len += (size_t)got;
        head_len = dx_peer_answer_len(answer, len);
    }
    if (len > head_len)
        dx_load_fail("unexpected bytes behind the handshake", 0);
}

void dx_channel_open(struct dx_channel *channel, const struct dx_load_options *options,
                     unsigned number)
{
    channel->fd = dx_peer_connect(options, number);
    channel->tls = NULL;
    if (options->tls)
        shake_hands(channel);
    if (!options->raw)
        ask(channel, options);
    dx_peer_set_nonblocking(channel->fd);
}

/* What SSL_read and SSL_write say, as recv and send say it. */
static ssize_t judge(struct dx_channel *channel, int done)
{
    if (done > 0)
        return done;
    switch (SSL_get_error(channel->tls, done)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        ERR_clear_error();
        errno = EPROTO;
        return -1;
    }
}

ssize_t dx_channel_recv(struct dx_channel *channel, void *buffer, size_t len)
{
    if (channel->tls == NULL)
        return recv(channel->fd, buffer, len, 0);
    return judge(channel, SSL_read(channel->tls, buffer, (int)len));
}

ssize_t dx_channel_skip(struct dx_channel *channel, void *buffer, size_t len)
{
    if (channel->tls == NULL)
        return recv(channel->fd, NULL, len, MSG_TRUNC);
    return judge(channel, SSL_read(channel->tls, buffer, (int)len));
}

ssize_t dx_channel_send(struct dx_channel *channel, const void *bytes, size_t len)
{
    if (channel->tls == NULL)
        return send(channel->fd, bytes, len, MSG_NOSIGNAL);
    return judge(channel, SSL_write(channel->tls, bytes, (int)len));
}

void dx_channel_close(struct dx_channel *channel)
{
    SSL_free(channel->tls);
    (void)close(channel->fd);
}
