/*
 * settings.h - a websocket's own copy of its options: everything that they point to, in one
 * allocation.
 */
#ifndef DX_CLIENT_SETTINGS_H
#define DX_CLIENT_SETTINGS_H

#include <duplex/client.h>
#include "client/connector/proxy.h"

struct dx_websocket_settings {
    struct dx_websocket_options options; /* what it points to are the copies below */
    struct dx_connection_options connection;
    struct dx_reconnect_options reconnect;
    struct dx_outbox_options outbox;
    struct dx_websocket_listener listener;
    struct dx_proxy proxy; /* options.proxy, read */
    /* options.headers, with User-Agent among them, and room for one more */
    struct dx_header *headers;
    char *memory;
};

/**
 * Checks and copies. Returns DX_OK; DX_ERR_USAGE (protocols that are none or there twice, a header
 * that cannot be sent, a proxy that is none …); DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_websocket_settings_init(struct dx_websocket_settings *settings,
                                                     const struct dx_websocket_options *options);
void dx_websocket_settings_release(struct dx_websocket_settings *settings);

#endif
