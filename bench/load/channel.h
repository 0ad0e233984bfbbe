/*
 * channel.h - a connection that may be inside TLS, for the modes that measure both.
 *
 * TLS is OpenSSL's own client with one cipher suite (TLS_AES_128_GCM_SHA256), so that every server
 * encrypts alike. Certificates are not verified: nothing that is measured depends on it.
 */
#ifndef DX_BENCH_CHANNEL_H
#define DX_BENCH_CHANNEL_H

#include "load.h"

#include <openssl/ssl.h>
#include <sys/types.h>

struct dx_channel {
    int fd;
    SSL *tls; /* NULL: plain */
};

/*
 * Connects, makes the TLS handshake if options->tls, and asks for a WebSocket unless options->raw;
 * then it is non-blocking. Ends the process on failure. */
void dx_channel_open(struct dx_channel *channel, const struct dx_load_options *options,
                     unsigned number);

/* As recv and send without flags: -1 with errno EAGAIN when nothing can be done now. */
ssize_t dx_channel_recv(struct dx_channel *channel, void *buffer, size_t len);
ssize_t dx_channel_send(struct dx_channel *channel, const void *bytes, size_t len);

/* Reads and throws away: plain bytes are not even copied. As dx_channel_recv. */
ssize_t dx_channel_skip(struct dx_channel *channel, void *buffer, size_t len);

void dx_channel_close(struct dx_channel *channel);

#endif
