/*
 * tls_session_parts.h - the members of a session; only for the files of net/tls.
 */
#ifndef DX_NET_TLS_SESSION_PARTS_H
#define DX_NET_TLS_SESSION_PARTS_H

#include "net/tls/tls.h"
#include "net/tls/tls_client_session.h"
#include "net/tls/tls_session.h"
#include "net/tls/tls_wire.h"

struct dx_tls_session {
    struct dx_tls_wire wire; /* the first member: OpenSSL's BIO points to it */
    SSL *ssl;
    struct dx_tls *tls;           /* NULL in a client session */
    struct dx_tls_client *client; /* NULL in a server session */
    struct dx_tls_set *set;       /* until the handshake is complete */

    /* The requested name, at a server normalized. NULL: none, or not a host name. */
    char *server_name;
    unsigned wants;
    bool is_named; /* a certificate has the name */

    /* The last read left bytes, or the end: the descriptor will not become readable for it. */
    bool has_more;

    /* A ticket was read: OpenSSL holds a write buffer although nothing is being written. */
    bool has_idle_buffers;
    int reason; /* OpenSSL's reason code when the session is broken */

    /* Not DX_OK: the error that ended the session. OpenSSL must not be called for it any more. */
    enum dx_err broken;
};

#endif
