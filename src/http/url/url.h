/*
 * url.h - URLs that a client may be given: ws, wss, http, https, read as the WHATWG URL standard
 * reads them and written in their one normal form.
 *
 * Narrower than the standard where a WebSocket client must be (no fragment) or where leniency only
 * hides mistakes: a control character is an error, not removed; userinfo is an error unless it is
 * asked for (a password in a URL ends up in logs: the normal form never has it); names of other
 * scripts have to come as xn--…. No relative URLs.
 */
#ifndef DX_HTTP_URL_H
#define DX_HTTP_URL_H

#include "http/host.h"

#define DX_URL_MAX 8192 /* characters of a normal form, without its NUL */

struct dx_url {
    bool is_secure;    /* wss, https */
    bool is_websocket; /* ws, wss */
    uint16_t port;     /* the scheme's default when none was given */
    bool has_port;     /* one is written in the normal form: it is not the default */
    struct dx_host host;
    uint16_t target_at; /* in the normal form: path and query, as they go into the request line */
    uint16_t path_len;  /* of the target, up to the query's question mark */
    uint16_t len;       /* of the normal form */
};

/**
 * Reads `text` and writes the normal form with a NUL to `normal` (room for DX_URL_MAX + 1).
 *
 * Returns DX_OK; or, with a static sentence in `*detail`, DX_ERR_USAGE (not such a URL) or
 * DX_ERR_TOO_BIG (the normal form is longer than DX_URL_MAX).
 */
DX_MUST_CHECK enum dx_err dx_url_parse(struct dx_slice text, struct dx_url *url,
                                       char normal[DX_URL_MAX + 1], const char **detail);

#define DX_URL_LOGIN_MAX 1024

/* NAME:PASSWORD of a URL, decoded: as Basic authentication has them (RFC 7617). */
struct dx_url_login {
    size_t len; /* 0: there is none */
    char text[DX_URL_LOGIN_MAX];
};

/** The same where NAME:PASSWORD@ may stand before the host; the normal form is without it. */
DX_MUST_CHECK enum dx_err dx_url_parse_login(struct dx_slice text, struct dx_url *url,
                                             char normal[DX_URL_MAX + 1],
                                             struct dx_url_login *login, const char **detail);

#endif
