/*
 * settings.h - a server's own copy of its options.
 */
#ifndef DX_SERVER_SETTINGS_H
#define DX_SERVER_SETTINGS_H

#include <duplex/server.h>

#define DX_SERVER_THREADS_MAX 64

struct dx_server_settings {
    struct dx_server_options options;        /* what it points to are the copies below */
    struct dx_connection_options connection; /* of WebSockets whose route has none of its own */
    struct dx_log_sink log;
    char *text;         /* the copied strings of the lists, one after the other */
    const char **lists; /* the pointers to them, all lists in one array */
};

/**
 * Copies and checks options; NULL means the defaults.
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE   an option is invalid
 *   DX_ERR_NOMEM
 */
DX_MUST_CHECK enum dx_err dx_server_settings_init(struct dx_server_settings *settings,
                                                  const struct dx_server_options *options);
void dx_server_settings_release(struct dx_server_settings *settings);

#endif
