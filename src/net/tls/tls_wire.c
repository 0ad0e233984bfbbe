/*
 * tls_wire.c - recv and send for OpenSSL, on a descriptor or through another session, and the
 * answer to plain HTTP.
 */
#include "net/tls/tls_wire.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>

#define DRAIN_MAX 65536

/* ---- inside another session ---- */

/* The outer session's calls clear OpenSSL's per-thread error queue, so errno has the error. */
static int note_outer(BIO *bio, enum dx_err err, size_t len, void (*retry)(BIO *bio))
{
    BIO_clear_retry_flags(bio);
    if (err == DX_OK)
        return (int)len;
    if (err == DX_ERR_CLOSED)
        return 0;
    if (err == DX_ERR_AGAIN)
        retry(bio);
    errno = err == DX_ERR_NOMEM ? ENOMEM : ECONNRESET;
    return -1;
}

static void retry_read(BIO *bio)
{
    BIO_set_retry_read(bio);
}

static void retry_write(BIO *bio)
{
    BIO_set_retry_write(bio);
}

static int read_outer(BIO *bio, const struct dx_tls_outer *outer, char *bytes, int len)
{
    size_t got = 0;
    enum dx_err err = outer->read(outer->session, bytes, (size_t)len, &got);

    return note_outer(bio, err, got, retry_read);
}

static int write_outer(BIO *bio, struct dx_tls_outer *outer, const char *bytes, int len)
{
    struct dx_slice slice = {(const uint8_t *)bytes, (size_t)len};
    size_t put = 0;
    enum dx_err err;

    /* Sending an alert now would clear the error that caused it: delay it. */
    if (ERR_peek_error() != 0 && (size_t)len <= DX_TLS_LATE_MAX - (size_t)outer->late_len) {
        memcpy(outer->late + outer->late_len, bytes, (size_t)len);
        outer->late_len = (uint8_t)(outer->late_len + len);
        BIO_clear_retry_flags(bio);
        return len;
    }
    err = outer->write(outer->session, &slice, 1, &put);
    return note_outer(bio, err, put, retry_write);
}

void dx_tls_wire_send_late(struct dx_tls_wire *wire)
{
    struct dx_tls_outer *outer = wire->outer;
    struct dx_slice slice;
    size_t put = 0;

    if (!outer || outer->late_len == 0)
        return;
    slice = (struct dx_slice){outer->late, outer->late_len};
    outer->late_len = 0;
    (void)outer->write(outer->session, &slice, 1, &put); /* the alert is best effort */
}

/* ---- on the descriptor ---- */

static int bio_write(BIO *bio, const char *bytes, int len)
{
    struct dx_tls_wire *wire = BIO_get_data(bio);
    ssize_t sent;

    if (wire->outer)
        return write_outer(bio, wire->outer, bytes, len);
    do {
        sent = send(wire->fd, bytes, (size_t)len, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    BIO_clear_retry_flags(bio);
    if (sent < 0 && errno == EAGAIN)
        BIO_set_retry_write(bio);
    return (int)sent;
}

static void note(struct dx_tls_wire *wire, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len && wire->first_len < DX_TLS_FIRST_LEN; i++)
        wire->first[wire->first_len++] = (uint8_t)bytes[i];
    wire->budget -= len < wire->budget ? len : wire->budget;
}

static int bio_read(BIO *bio, char *bytes, int len)
{
    struct dx_tls_wire *wire = BIO_get_data(bio);
    ssize_t got;

    if (wire->outer)
        return read_outer(bio, wire->outer, bytes, len);
    BIO_clear_retry_flags(bio);
    if (wire->budget == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    do {
        got = recv(wire->fd, bytes, (size_t)len, 0);
    } while (got < 0 && errno == EINTR);
    wire->is_empty = got < len;
    if (got > 0)
        note(wire, bytes, (size_t)got);
    if (got < 0 && errno == EAGAIN)
        BIO_set_retry_read(bio);
    return (int)got;
}

static long bio_control(BIO *bio, int command, long number, void *data)
{
    (void)bio;
    (void)number;
    (void)data;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *dx_tls_wire_method(void)
{
    /* No type from BIO_get_new_index: the process has 127 of them, and none can be returned. */
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "duplex");

    if (method && BIO_meth_set_write(method, bio_write) && BIO_meth_set_read(method, bio_read) &&
        BIO_meth_set_ctrl(method, bio_control))
        return method;
    BIO_meth_free(method);
    return NULL;
}

bool dx_tls_wire_is_http(const struct dx_tls_wire *wire)
{
    size_t len = 0;

    while (len < wire->first_len && wire->first[len] >= 'A' && wire->first[len] <= 'Z')
        len++;
    return wire->first_len == DX_TLS_FIRST_LEN && len >= 3 &&
           (len == DX_TLS_FIRST_LEN || wire->first[len] == ' ');
}

void dx_tls_wire_answer_http(const struct dx_tls_wire *wire)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\n"
                                 "Content-Type: text/plain; charset=utf-8\r\n"
                                 "Content-Length: 40\r\n"
                                 "Connection: close\r\n"
                                 "\r\n"
                                 "This port speaks TLS: use https or wss.\n";

    (void)send(wire->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
}

void dx_tls_wire_drain(const struct dx_tls_wire *wire)
{
    char bytes[4096];
    size_t total = 0;
    ssize_t got;

    do {
        got = recv(wire->fd, bytes, sizeof(bytes), 0);
        total += got > 0 ? (size_t)got : 0;
    } while (got > 0 && total < DRAIN_MAX);
}
