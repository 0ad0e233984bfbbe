/*
 * tunnel.h - how a proxy is asked for a connection: HTTP's CONNECT (RFC 9110 9.3.6) and SOCKS5 (RFC 1928, with RFC 1929). Bytes in, bytes
 * out; no I/O.
 *
 * Not responsible for reaching the proxy, nor for TLS on either side of it.
 */
#ifndef DX_CLIENT_TUNNEL_H
#define DX_CLIENT_TUNNEL_H

#include <duplex/error.h>

#include "base/slice.h"

#define DX_TUNNEL_HOST_MAX 255
#define DX_TUNNEL_CREDENTIAL_MAX                                                                   \
 255 /* of a name and of a password: SOCKS5 has one byte for each length */
#define DX_TUNNEL_HEAD_MAX 16384 /* of the answer to CONNECT */

enum dx_tunnel_kind { DX_TUNNEL_CONNECT, DX_TUNNEL_SOCKS5 };

/* Where to; borrowed until the tunnel stands. */
struct dx_tunnel_target {
    enum dx_tunnel_kind kind;
    const char
        *host; /* a name, or an address as text without brackets (SOCKS5 sends addresses as such) */
    uint16_t port;
    const char *name;     /* of the user, or NULL: nobody in particular */
    const char *password; /* with a name; NULL counts as "" */
};

enum dx_tunnel_status {
    DX_TUNNEL_MORE,   /* send what dx_tunnel_output has, then feed more */
    DX_TUNNEL_OPEN,   /* what comes now is the target's */
    DX_TUNNEL_FAILED, /* err, detail and http_status say why: close */
};

struct dx_tunnel {
    struct dx_tunnel_target target;
    enum dx_err err;      /* DX_ERR_REFUSED, DX_ERR_PROTOCOL, DX_ERR_NOMEM */
    uint16_t http_status; /* of the answer to CONNECT, once there */
    const char *detail;   /* one static sentence */
    bool is_target_dead;  /* the proxy could not reach this address: another one may do */

    /* private */
    uint8_t *in; /* what came: DX_TUNNEL_HEAD_MAX at most; NULL until then */
    size_t in_room;
    size_t in_len;
    size_t in_start; /* of what is not judged yet */
    char *out;
    size_t out_len;
    uint8_t state; /* of SOCKS5 */
};

/**
 * Checks the target and writes the first bytes to send.
 *
 * Returns DX_OK; DX_ERR_USAGE (a host or credential that is too long, empty, or has a control character, or a colon in the name for CONNECT); DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_tunnel_init(struct dx_tunnel *tunnel,
                                         const struct dx_tunnel_target *target);

/** Frees what it holds. Fine after a failed init, and twice. */
void dx_tunnel_release(struct dx_tunnel *tunnel);

/** What is to be sent now; valid until the next call. Afterwards dx_tunnel_sent. */
struct dx_slice dx_tunnel_output(const struct dx_tunnel *tunnel);
void dx_tunnel_sent(struct dx_tunnel *tunnel, size_t len);

/** Takes bytes that came; `*used` is how many: what is left when it is open belongs to the target. */
enum dx_tunnel_status dx_tunnel_feed(struct dx_tunnel *tunnel, const uint8_t *bytes, size_t len,
                                     size_t *used);

/* ---- between tunnel.c, tunnel_connect.c and tunnel_socks5.c ---- */

enum dx_tunnel_status dx_tunnel_fail(struct dx_tunnel *tunnel, enum dx_err err, const char *detail);

/** Puts `len` bytes more behind what is to be sent. False: no memory, and the tunnel has failed. */
DX_MUST_CHECK bool dx_tunnel_put(struct dx_tunnel *tunnel, const void *bytes, size_t len);

/** Write the first bytes. Errors as dx_tunnel_init. */
DX_MUST_CHECK enum dx_err dx_tunnel_connect_begin(struct dx_tunnel *tunnel);
DX_MUST_CHECK enum dx_err dx_tunnel_socks5_begin(struct dx_tunnel *tunnel);

/** Judge what came, from in_start on, and move that behind what they have judged. */
enum dx_tunnel_status dx_tunnel_connect_step(struct dx_tunnel *tunnel);
enum dx_tunnel_status dx_tunnel_socks5_step(struct dx_tunnel *tunnel);

#endif
