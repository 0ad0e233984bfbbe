/*
 * url.h - the URL of a WebSocket in its normal form, and apart from it the name and password, which
 * go into a header and are never shown.
 */
#ifndef CLI_URL_H
#define CLI_URL_H

#include "http/url/url.h"

struct cli_url {
    struct dx_url parts;
    struct dx_url_login login;
    char text[DX_URL_MAX + 1]; /* the normal form, without the login; "" before it was read */
};

/** False when it is not a URL of a WebSocket; `problem` says why. Release it in any case. */
DX_MUST_CHECK bool cli_url_read(struct cli_url *url, const char *text, const char **problem);

/** Forgets the password. */
void cli_url_release(struct cli_url *url);

#endif
