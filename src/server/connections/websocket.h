/*
 * websocket.h - what the server remembers of an open WebSocket: for its ending and its line in the log. It lies
 * in the owner's bytes of the connection, which it ends with.
 */
#ifndef DX_SERVER_WEBSOCKET_H
#define DX_SERVER_WEBSOCKET_H

#include "server/core/shard.h"

/* Its shard is the one whose traffic the connection counts. */
struct dx_server_websocket {
    /* One word, because there may be very many of these. */
    uint64_t opened_ms : 46;
    uint64_t peer_len : 8;
    uint64_t path_len : 9;
    uint64_t is_told : 1; /* the ending has begun for it */
    char text[];          /* peer, then path: not terminated */
};

/** How many of the owner's bytes it takes. */
size_t dx_server_websocket_len(const char *peer, struct dx_slice path);

/** Fills them, for a connection that was made with dx_server_websocket_len of the same, made with the shard's traffic and an id of its registry. */
void dx_server_websocket_open(struct dx_connection *connection, const char *peer,
                              struct dx_slice path);

/** Begins the ending: the route's way, else Close 1001. Once. */
void dx_server_websocket_shut_down(struct dx_server_websocket *websocket);

/** As dx_connection_kind's on_gone: logs and forgets. */
void dx_server_websocket_on_gone(struct dx_connection *connection,
                                 const struct dx_close_info *info);

#endif
