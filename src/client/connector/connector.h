/*
 * connector.h - from a URL to an open WebSocket's stream: name, address, proxy, TLS, opening
 * handshake, redirects, under one deadline.
 *
 * Not responsible for what happens afterwards, nor for trying again.
 */
#ifndef DX_CLIENT_CONNECTOR_H
#define DX_CLIENT_CONNECTOR_H

#include <duplex/client.h>
#include "client/connector/proxy.h"
#include "http/head.h"
#include "http/url/url.h"
#include "net/socket/stream.h"

#define DX_CONNECTOR_HEAD_MAX 16384 /* of the answer, interim ones included */
#define DX_CONNECTOR_BODY_MAX                                                                      \
 4096 /* kept of a refusal's body; also the most that is read after a 101 */

/* Borrowed until on_done has returned, or the connector was cancelled. */
struct dx_connector_options {
    struct dx_loop *loop;
    const char *url;              /* any text that dx_url_parse takes */
    const char *unix_path;        /* connect to this, whatever the URL's host is; or NULL */
    const struct dx_proxy *proxy; /* or NULL; not used with unix_path */
    struct dx_tls_client
        *tls;   /* a client's; needed when the URL, a redirect or the proxy asks for TLS */
    int family; /* AF_UNSPEC, AF_INET, AF_INET6 */
    struct dx_handshake_request request; /* target and host are the connector's to fill */
    uint32_t timeout_ms;                 /* for everything; 0: none */
    uint32_t max_redirects;
    /* The request is about to go out; or NULL. It may not cancel. */
    void (*on_request)(void *user, const char *head, size_t len);
};

/* What came of it; valid during the call but for what is said to be the caller's. */
struct dx_opening {
    const struct dx_error_event *error; /* NULL: it is open */
    struct dx_stream stream;            /* open: the caller's; its watch is stopped */
    const uint8_t *early;               /* bytes that came after the 101 */
    size_t early_len;
    const char *subprotocol; /* one of request.subprotocols, or NULL */
    struct dx_slice extensions;
    const struct dx_head *head; /* of the 101 */
};

struct dx_connector;

/**
 * Whether a connector could begin with these options.
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE     no such URL, or something in the request that HTTP does not allow there
 *   DX_ERR_TOO_BIG   the request
 *   DX_ERR_NOMEM
 *   DX_ERR_SYSTEM    no randomness
 */
DX_MUST_CHECK enum dx_err dx_connector_check(const struct dx_connector_options *options);

/**
 * Begins. `on_done` comes once, never from inside this call.
 *
 * Returns DX_OK; DX_ERR_USAGE (no such URL; something in the request that cannot be sent);
 * DX_ERR_TOO_BIG (of the request); DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_connector_start(const struct dx_connector_options *options,
                                             void (*on_done)(void *user,
                                                             const struct dx_opening *opening),
                                             void *user, struct dx_connector **connector);

/** Drops everything: no callback comes. Not after on_done has begun. NULL is fine. */
void dx_connector_cancel(struct dx_connector *connector);

#endif
