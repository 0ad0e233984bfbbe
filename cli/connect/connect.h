/*
 * connect.h - the command `duplex connect`: a WebSocket client, or with --listen a server for one
 * client.
 */
#ifndef CLI_CONNECT_H
#define CLI_CONNECT_H

#include "cli/options/options.h"

/* What is a message on stdin and stdout. */
enum cli_form {
    CLI_FORM_LINES = 0, /* text, a line each */
    CLI_FORM_BINARY,    /* bytes as they come, nothing added */
    CLI_FORM_HEX,       /* binary, a line of hexadecimal digits each */
    CLI_FORM_BASE64,
};

struct cli_connect_config {
    struct cli_config general;
    const char *url;          /* NULL: not given */
    struct cli_list listen;   /* const char *: addresses as dx_server_listen takes them */
    struct cli_list sends;    /* const char * */
    uint32_t expect;          /* 0: nothing in particular */
    const char *match;        /* POSIX extended regular expression, or NULL */
    uint32_t linger_ms;       /* 0: not given */
    uint32_t timeout_ms;      /* 0: none */
    struct cli_list ok_codes; /* uint16_t */

    struct cli_list headers; /* struct cli_header */
    const char *origin;      /* or NULL, as the following */
    const char *user;        /* NAME:PASSWORD */
    const char *bearer;
    struct cli_list cookies;      /* const char * */
    struct cli_list subprotocols; /* const char * */
    uint32_t max_redirects;
    uint32_t handshake_timeout_ms;
    uint32_t close_timeout_ms;

    const char *ca;
    const char *cert; /* given together with key */
    const char *key;
    const char *server_name;
    bool is_insecure;
    const char *keylog;
    const char *proxy;
    const char *unix_path;

    uint64_t max_message;
    enum cli_form form;
    bool ends_with_null;
    bool prints_json;
    bool is_verbose;
    bool is_quiet;

    bool reconnects;
    uint32_t heartbeat_ms; /* 0: none */
    const char *heartbeat_text;
    const char *on_open;
    const char *record;
    const char *replay;
};

extern const struct cli_command cli_connect;

/**
 * Checks options against each other, and certificates and recordings in the file system (check.c).
 * Returns false and the first complaint.
 */
DX_MUST_CHECK bool cli_connect_check(const struct cli_connect_config *config,
                                     struct cli_complaint *complaint);

#endif
