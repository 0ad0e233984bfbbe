/*
 * peer.h - the other side of `duplex connect`: a server that was connected to (peer/client.c) or,
 * with --listen, a client that came (peer/server.c). A peer knows nothing of the session: what
 * happens goes to the events that it was made with.
 */
#ifndef CLI_PEER_H
#define CLI_PEER_H

#include <duplex/client.h>

#include "cli/connect/connect.h"
#include "cli/connect/screen.h"
#include "cli/text/url.h"

#define CLI_URL_FORMS "(write ws://HOST[:PORT]/PATH or wss://)"

struct cli_peer {
    /* As the functions of dx_websocket with these names; close's reason is at most 123 bytes. */
    enum dx_err (*send)(struct cli_peer *peer, enum dx_opcode opcode, const void *data, size_t len);
    enum dx_err (*ping)(struct cli_peer *peer, const void *data, size_t len);
    enum dx_err (*close)(struct cli_peer *peer, uint16_t code, const char *reason, size_t len);
    void (*abort)(struct cli_peer *peer);
    void (*pause)(struct cli_peer *peer, bool is_paused);
    /* True while something that was sent is still queued: no reply to it can come before. */
    bool (*is_waiting)(struct cli_peer *peer);
    void (*free)(struct cli_peer *peer);
};

/* What has opened. */
struct cli_opening {
    struct dx_websocket *websocket; /* NULL with --listen */
    const char *address;            /* with --listen: the client's, and what it asked for */
    const char *target;
};

/* What a peer reports. */
struct cli_peer_events {
    void (*on_open)(void *user, const struct cli_opening *opening);
    void (*on_request)(void *user, const char *head, size_t len);
    void (*on_message)(void *user, enum dx_opcode opcode, const uint8_t *data, size_t len);
    /* A piece of a message came. */
    void (*on_piece)(void *user);
    void (*on_control)(void *user, bool is_ping, const uint8_t *data, size_t len);
    void (*on_drain)(void *user);
    void (*on_error)(void *user, const struct dx_error_event *error);
    void (*on_close)(void *user, const struct dx_close_event *close);
    /* It cannot go on, and has said why. */
    void (*on_failure)(void *user, int exit_status);
    void *user;
};

/* What a peer is made of; all of it outlives the peer. */
struct cli_peer_setup {
    const struct cli_connect_config *config;
    const struct cli_screen *screen;
    struct dx_loop *loop;
    const struct cli_url *url; /* of a server */
    const struct cli_peer_events *events;
};

/** Each starts; returns 0, or the exit status after it has said what failed. */
int cli_peer_connect(const struct cli_peer_setup *setup, struct cli_peer **peer);
int cli_peer_listen(const struct cli_peer_setup *setup, struct cli_peer **peer);

#endif
