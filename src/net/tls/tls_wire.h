/*
 * tls_wire.h - the transport below TLS: an OpenSSL BIO on a descriptor or inside another session.
 *
 * It sends with MSG_NOSIGNAL and limits what one call receives. It does not own the descriptor.
 */
#ifndef DX_NET_TLS_WIRE_H
#define DX_NET_TLS_WIRE_H

#include "base/slice.h"

#include <duplex/error.h>

#include <openssl/bio.h>

#define DX_TLS_FIRST_LEN 5
#define DX_TLS_LATE_MAX 128 /* an alert is shorter in each version */

struct dx_tls_session;

/* Another session as a transport: dx_tls_session_read and dx_tls_session_write. */
struct dx_tls_outer {
    struct dx_tls_session *session;
    enum dx_err (*read)(struct dx_tls_session *session, void *bytes, size_t len, size_t *got);
    enum dx_err (*write)(struct dx_tls_session *session, const struct dx_slice *slices,
                         size_t count, size_t *put);

    /*
     * The alert of a failed handshake. It is sent after the failure has been read from OpenSSL's
     * error queue.
     */
    uint8_t late_len;
    uint8_t late[DX_TLS_LATE_MAX];
};

struct dx_tls_wire {
    int fd;
    uint8_t first_len;
    uint8_t first[DX_TLS_FIRST_LEN]; /* the first bytes received, to recognise plain HTTP */
    size_t budget;                   /* bytes that this call may still receive */
    bool is_empty;                   /* the last recv returned less than requested */
    struct dx_tls_outer *outer;      /* NULL: on the descriptor; else inside another session */
};

/** Makes the method of the BIO; BIO_meth_free frees it. NULL when out of memory. */
BIO_METHOD *dx_tls_wire_method(void);

/** Sends the delayed alert, if there is one. */
void dx_tls_wire_send_late(struct dx_tls_wire *wire);

/** True when the first bytes look like an HTTP method. */
bool dx_tls_wire_is_http(const struct dx_tls_wire *wire);

/** Answers a plain HTTP request with 400, unencrypted. */
void dx_tls_wire_answer_http(const struct dx_tls_wire *wire);

/** Discards received bytes: with unread ones, close would send RST and lose what was just sent. */
void dx_tls_wire_drain(const struct dx_tls_wire *wire);

#endif
