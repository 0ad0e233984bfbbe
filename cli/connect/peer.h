/*
 * peer.h - the other side of `duplex connect`: a server that was connected to, or, with --listen, a client that came. What it does is
 * told to the session (session.h).
 */
#ifndef CLI_PEER_H
#define CLI_PEER_H

#include <duplex/client.h>

#include "cli/connect/connect.h"

struct cli_session;

struct cli_peer {
    /* As the functions of dx_websocket with these names; close's reason is at most 123 bytes. */
    enum dx_err (*send)(struct cli_peer *peer, enum dx_opcode opcode, const void *data, size_t len);
    enum dx_err (*ping)(struct cli_peer *peer, const void *data, size_t len);
    enum dx_err (*close)(struct cli_peer *peer, uint16_t code, const char *reason, size_t len);
    void (*abort)(struct cli_peer *peer);
    void (*pause)(struct cli_peer *peer, bool is_paused);
    /* Is something of what was taken not out yet? No reply to it can come before. */
    bool (*is_waiting)(struct cli_peer *peer);
    void (*free)(struct cli_peer *peer);
};

/** Each starts; 0, or it has said what failed and returns the exit status. */
int cli_peer_connect(struct cli_session *session, struct cli_peer **peer);
int cli_peer_listen(struct cli_session *session, struct cli_peer **peer);

#endif
