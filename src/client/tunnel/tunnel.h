/*
 * tunnel.h - asks a proxy for a connection: HTTP CONNECT (RFC 9110 section 9.3.6) and SOCKS5 (RFC
 * 1928 and 1929).
 *
 * Bytes in, bytes out; no I/O. Not responsible for connecting to the proxy, nor for TLS.
 */
#ifndef DX_CLIENT_TUNNEL_H
#define DX_CLIENT_TUNNEL_H

#include <duplex/error.h>

#include "base/slice.h"

#define DX_TUNNEL_HOST_MAX 255
#define DX_TUNNEL_CREDENTIAL_MAX 255 /* bytes; SOCKS5 has a one-byte length */
#define DX_TUNNEL_HEAD_MAX 16384     /* bytes of the proxy's answer */

enum dx_tunnel_kind { DX_TUNNEL_CONNECT, DX_TUNNEL_SOCKS5 };

/* The target of a tunnel; its texts are borrowed until the tunnel is open or has failed. */
struct dx_tunnel_target {
    enum dx_tunnel_kind kind;
    /* A name, or an address without brackets, which SOCKS5 sends in binary form. */
    const char *host;
    uint16_t port;
    const char *name;     /* user name; NULL: no credentials */
    const char *password; /* used with a name; NULL counts as "" */
};

enum dx_tunnel_status {
    DX_TUNNEL_MORE,   /* send what dx_tunnel_output returns, then feed more */
    DX_TUNNEL_OPEN,   /* bytes from now on come from the target */
    DX_TUNNEL_FAILED, /* close; err, detail and http_status say why */
};

struct dx_tunnel {
    struct dx_tunnel_target target;
    enum dx_err err;      /* DX_ERR_REFUSED, DX_ERR_PROTOCOL, DX_ERR_NOMEM */
    uint16_t http_status; /* of the answer to CONNECT; 0 before it */
    const char *detail;   /* one static sentence */
    bool is_target_dead;  /* the proxy could not reach this address; another one may work */

    /* private */
    uint8_t *in; /* received bytes, at most DX_TUNNEL_HEAD_MAX; NULL before the first */
    size_t in_room;
    size_t in_len;
    size_t in_start; /* the first byte that is not handled yet */
    char *out;
    size_t out_len;
    uint8_t state; /* of SOCKS5 */
};

/**
 * Checks the target and writes the first bytes to send.
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE   host or credentials are too long or empty, have a control character, or, for
 *                  CONNECT, the name has a colon
 *   DX_ERR_NOMEM   out of memory
 */
DX_MUST_CHECK enum dx_err dx_tunnel_init(struct dx_tunnel *tunnel,
                                         const struct dx_tunnel_target *target);

/** Frees the buffers. Fine after a failed init, and twice. */
void dx_tunnel_release(struct dx_tunnel *tunnel);

/** The bytes to send now; valid until the next call. Report what was sent by dx_tunnel_sent. */
struct dx_slice dx_tunnel_output(const struct dx_tunnel *tunnel);

/** Removes `len` sent bytes from the output. */
void dx_tunnel_sent(struct dx_tunnel *tunnel, size_t len);

/**
 * Handles received bytes.
 *
 * used   set to the number of bytes consumed; with DX_TUNNEL_OPEN the rest is from the target
 */
enum dx_tunnel_status dx_tunnel_feed(struct dx_tunnel *tunnel, const uint8_t *bytes, size_t len,
                                     size_t *used);

/* ---- between tunnel.c, tunnel_connect.c and tunnel_socks5.c ---- */

/** Records a failure; `detail` is static text. Returns DX_TUNNEL_FAILED. */
enum dx_tunnel_status dx_tunnel_fail(struct dx_tunnel *tunnel, enum dx_err err, const char *detail);

/** Appends `len` bytes to the output. False: out of memory, and the tunnel has failed. */
DX_MUST_CHECK bool dx_tunnel_put(struct dx_tunnel *tunnel, const void *bytes, size_t len);

/** Write the first bytes to send. Errors as dx_tunnel_init. */
DX_MUST_CHECK enum dx_err dx_tunnel_connect_begin(struct dx_tunnel *tunnel);
DX_MUST_CHECK enum dx_err dx_tunnel_socks5_begin(struct dx_tunnel *tunnel);

/** Handle received bytes from in_start on, and move in_start past them. */
enum dx_tunnel_status dx_tunnel_connect_step(struct dx_tunnel *tunnel);
enum dx_tunnel_status dx_tunnel_socks5_step(struct dx_tunnel *tunnel);

#endif
