/*
 * url.h - URLs for clients: ws, wss, http, https, read as the WHATWG URL standard says, and written
 * in their normal form.
 *
 * It accepts less than the standard where a WebSocket client must (no fragment), or where leniency
 * only hides mistakes: a control character is an error instead of being removed; userinfo is an
 * error unless the caller asks for it, and is never in the normal form, because a password in a URL
 * ends up in logs; names in other scripts must be given as xn--…. There are no relative URLs.
 */
#ifndef DX_HTTP_URL_H
#define DX_HTTP_URL_H

#include "http/host.h"

#define DX_URL_MAX 8192 /* characters of a normal form, without the NUL */

struct dx_url {
    bool is_secure;    /* wss, https */
    bool is_websocket; /* ws, wss */
    uint16_t port;     /* the default of the scheme if none is given */
    bool has_port;     /* the normal form has it, because it is not the default */
    struct dx_host host;
    uint16_t target_at; /* in the normal form: path and query, as in the request line */
    uint16_t path_len;  /* the part of the target before the question mark */
    uint16_t len;       /* the length of the normal form */
};

/**
 * Reads `text` and writes the normal form and a NUL to `normal`, which has room for DX_URL_MAX + 1
 * bytes.
 *
 * Returns DX_OK, or, with a static sentence in `*detail`:
 *   DX_ERR_USAGE     it is not such a URL
 *   DX_ERR_TOO_BIG   the normal form is longer than DX_URL_MAX
 */
DX_MUST_CHECK enum dx_err dx_url_parse(struct dx_slice text, struct dx_url *url,
                                       char normal[DX_URL_MAX + 1], const char **detail);

#define DX_URL_LOGIN_MAX 1024

/* NAME:PASSWORD of a URL, decoded, as Basic authentication uses it (RFC 7617). */
struct dx_url_login {
    size_t len; /* 0: there is none */
    char text[DX_URL_LOGIN_MAX];
};

/** The same, but NAME:PASSWORD@ may precede the host. The normal form is without it. */
DX_MUST_CHECK enum dx_err dx_url_parse_login(struct dx_slice text, struct dx_url *url,
                                             char normal[DX_URL_MAX + 1],
                                             struct dx_url_login *login, const char **detail);

#endif
