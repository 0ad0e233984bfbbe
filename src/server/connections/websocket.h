/*
 * websocket.h - what the server keeps of an open WebSocket, to shut it down and to log it. It is in
 * the owner's bytes of the connection and ends with it.
 */
#ifndef DX_SERVER_WEBSOCKET_H
#define DX_SERVER_WEBSOCKET_H

#include "server/core/shard.h"

/* Its shard is the one whose dx_traffic the connection counts in. */
struct dx_server_websocket {
    /* One word: there may be very many of these. */
    uint64_t opened_ms : 46;
    uint64_t peer_len : 8;
    uint64_t path_len : 9;
    uint64_t is_shut_down : 1;
    char text[]; /* peer, then path; without NULs */
};

/** How many of the owner's bytes it needs. */
size_t dx_server_websocket_len(const char *peer, struct dx_slice path);

/**
 * Fills in the owner's bytes, of which the connection has dx_server_websocket_len of the same peer
 * and path, and counts the connection. It was made with the shard's traffic and an id of its
 * registry.
 */
void dx_server_websocket_open(struct dx_connection *connection, const char *peer,
                              struct dx_slice path);

/** Shuts it down as the server ends: by the route's on_shutdown, else with Close 1001. Once. */
void dx_server_websocket_shut_down(struct dx_server_websocket *websocket);

/** The on_gone of its connection: logs it and counts it less. */
void dx_server_websocket_on_gone(struct dx_connection *connection,
                                 const struct dx_close_info *info);

#endif
