/*
 * websocket.h - what the server remembers of an open WebSocket: for its list, its ending and its line in the log.
 */
#ifndef DX_SERVER_WEBSOCKET_H
#define DX_SERVER_WEBSOCKET_H

#include "server/shard.h"

struct dx_websocket {
    struct dx_websocket *next;
    struct dx_websocket **previous_next;
    struct dx_shard *shard;
    const struct dx_route_entry *route;
    struct dx_connection *connection;
    /* One word, because there may be very many of these. */
    uint64_t opened_ms : 46;
    uint64_t peer_len : 8;
    uint64_t path_len : 9;
    uint64_t is_told : 1; /* the ending has begun for it */
    char text[];          /* peer, then path: not terminated */
};

/** Makes the memory for one, in no list yet. Returns DX_OK, DX_ERR_NOMEM. */
DX_MUST_CHECK enum dx_err dx_websocket_new(struct dx_shard *shard,
                                           const struct dx_route_entry *route, const char *peer,
                                           struct dx_slice path, struct dx_websocket **websocket);

/** Puts it into the shard's list, once it has its connection. */
void dx_websocket_open(struct dx_websocket *websocket, struct dx_connection *connection);

/** Begins the ending: the route's way, else Close 1001. Once. */
void dx_websocket_shut_down(struct dx_websocket *websocket);

/** As dx_connection_kind's on_gone: logs, forgets, frees. `owner` is the dx_websocket. */
void dx_websocket_on_gone(struct dx_connection *connection, void *owner,
                          const struct dx_close_info *info);

#endif
