/*
 * target.h - where a websocket connects to: its URL, and the credentials that were in it.
 *
 * The URL is read as `new WebSocket(url)` does (WHATWG): http and https count as ws and wss, and a
 * relative one needs a base.
 */
#ifndef DX_CLIENT_TARGET_H
#define DX_CLIENT_TARGET_H

#include "http/url/url.h"

struct dx_websocket_target {
    struct dx_url parsed;
    char *url;           /* normal form, without a name and password */
    char *authorization; /* "Basic …", from the URL's name and password; or NULL */
};

/**
 * Reads a URL in place of the one before. `base` may be NULL.
 *
 * Returns DX_OK, or, with the target untouched:
 *   DX_ERR_USAGE   no such URL
 *   DX_ERR_NOMEM
 */
DX_MUST_CHECK enum dx_err dx_websocket_target_read(struct dx_websocket_target *target,
                                                   const char *base, const char *text);

/** Frees what it holds; a zeroed one is fine. */
void dx_websocket_target_release(struct dx_websocket_target *target);

#endif
