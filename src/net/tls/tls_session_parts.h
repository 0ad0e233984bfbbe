/*
 * tls_session_parts.h - a session's inside, for tls_session.c (bytes) and tls_hello.c (the handshake).
 */
#ifndef DX_NET_TLS_SESSION_PARTS_H
#define DX_NET_TLS_SESSION_PARTS_H

#include "net/tls/tls.h"
#include "net/tls/tls_client_session.h"
#include "net/tls/tls_session.h"
#include "net/tls/tls_wire.h"

struct dx_tls_session {
    struct dx_tls_wire wire; /* the first: OpenSSL's BIO leads from it to here */
    SSL *ssl;
    struct dx_tls *tls;           /* a server's, … */
    struct dx_tls_client *client; /* … or a client's: one of the two */
    struct dx_tls_set *set;       /* until the handshake is through */
    char *server_name;            /* asked for, a server's normalized; NULL: none, or no name */
    unsigned wants;
    bool is_named; /* a certificate carries the name */
    bool
        has_more; /* the last read left something to be had, be it the end: nobody else will tell */
    bool
        has_idle_buffers; /* a ticket was read: OpenSSL has made a buffer for writing, and nothing is written */
    int reason;         /* OpenSSL's, for what broke it */
    enum dx_err broken; /* not DX_OK: what ended it; OpenSSL must not be asked for anything more */
};

#endif
