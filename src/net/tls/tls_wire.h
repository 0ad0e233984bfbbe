/*
 * tls_wire.h - the bytes beneath TLS: OpenSSL's BIO on a descriptor that it does not own, with MSG_NOSIGNAL and a budget.
 */
#ifndef DX_NET_TLS_WIRE_H
#define DX_NET_TLS_WIRE_H

#include <duplex/error.h>

#include <openssl/bio.h>

#define DX_TLS_FIRST_LEN 5
#define DX_TLS_LATE_MAX 128 /* an alert is shorter in each version */

struct dx_tls_session;

struct dx_tls_wire {
    int fd;
    uint8_t first_len;
    uint8_t first[DX_TLS_FIRST_LEN]; /* the first bytes that came: a record of TLS, or what else? */
    size_t budget;                   /* so many bytes more may be received in this call */
    bool is_empty;                   /* the last recv got less than it asked for */
    struct dx_tls_session *outer;    /* NULL: the bytes go to the descriptor, else through this */
    uint8_t *
        late; /* with an outer one, DX_TLS_LATE_MAX: what is sent behind a failure, when that was understood */
    uint8_t late_len;
};

/** NULL without memory. BIO_meth_free frees it. */
BIO_METHOD *dx_tls_wire_method(void);

/** Sends what waited until the failure was understood. */
void dx_tls_wire_send_late(struct dx_tls_wire *wire);

/** True when what came first looks like a method of HTTP. */
bool dx_tls_wire_is_http(const struct dx_tls_wire *wire);

/** Tells a client in the clear that this is the wrong scheme. */
void dx_tls_wire_answer_http(const struct dx_tls_wire *wire);

/** Takes what the kernel holds, so that closing does not reset what was just sent. */
void dx_tls_wire_drain(const struct dx_tls_wire *wire);

#endif
