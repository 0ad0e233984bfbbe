/*
 * request_accept.c - a request that becomes a WebSocket: what the server adds to the connection.
 * The handshake's bytes are the transport's.
 */
#include "server/exchange/request.h"

#include "base/sized.h"
#include "server/admission/peer.h"
#include "server/connections/websocket.h"

#include <string.h>

/*
 * The server's own text of that subprotocol, which outlives the connection; NULL when it is not one
 * of the server's.
 */
static const char *find_own(const struct dx_request *request, const char *subprotocol)
{
    const struct dx_server_options *options =
        &dx_exchange_shard(request->exchange)->server->settings.options;

    for (size_t i = 0; subprotocol != NULL && i < options->subprotocol_count; i++)
        if (strcmp(options->subprotocols[i], subprotocol) == 0)
            return options->subprotocols[i];
    return NULL;
}

/* On success the exchange is over, and the request still to be freed. */
static enum dx_err open_websocket(struct dx_request *request,
                                  const struct dx_connection_handlers *handlers, void *user,
                                  struct dx_connection **connection)
{
    static const struct dx_connection_handlers none = {.size = sizeof(none)};
    struct dx_exchange *exchange = request->exchange;
    struct dx_shard *shard = dx_exchange_shard(exchange);
    const char *agreed = dx_request_subprotocol(request);
    const char *own = find_own(request, agreed);
    char peer[DX_PEER_TEXT_ROOM];
    struct dx_connection_start start = {.kind = &request->route->kind,
                                        .handlers = handlers != NULL ? handlers : &none,
                                        .user = user,
                                        .traffic = &shard->traffic,
                                        .subprotocol = own};
    enum dx_err err = dx_registry_reserve(&shard->registry, &start.id);
    size_t own_len;

    if (err != DX_OK)
        return err;
    dx_peer_text(&exchange->transport->peer, peer);
    own_len = dx_server_websocket_len(peer, request->target.path);
    /*
     * A subprotocol that only the application knows is copied after it; other connections are not
     * larger for it.
     */
    start.owner_len = own_len + (agreed != own ? strlen(agreed) + 1 : 0);
    err = exchange->transport->operations->upgrade(exchange, &start, agreed, connection);
    if (err != DX_OK) {
        dx_registry_remove(&shard->registry, start.id);
        return err;
    }
    dx_server_websocket_open(*connection, peer, request->target.path);
    dx_shard_count_response(shard, 101);
    if (agreed != own)
        dx_connection_set_subprotocol(
            *connection, strcpy((char *)dx_connection_owner(*connection) + own_len, agreed));
    return DX_OK;
}

enum dx_err dx_request_accept(struct dx_request *request,
                              const struct dx_connection_handlers *handlers, void *user,
                              struct dx_connection **connection)
{
    static const struct dx_refusal short_of_memory = {503, "the server is short of memory"};
    struct dx_exchange *exchange = request->exchange;
    enum dx_err err;

    if (exchange->request != request)
        return DX_ERR_CLOSED;
    if (!request->is_upgrade) {
        dx_request_refuse(request, 500, "a plain request was accepted as a WebSocket", NULL, 0);
        return DX_ERR_STATE;
    }
    if (DX_SIZED_CHECK(struct dx_connection_handlers, on_ping, handlers) != DX_OK) {
        dx_request_refuse(request, 500, "handlers without a size", NULL, 0);
        return DX_ERR_USAGE;
    }
    err = open_websocket(request, handlers, user, connection);
    if (err == DX_OK)
        dx_request_free(request);
    else if (exchange->request == request) /* else the connection was closed */
        dx_request_refuse_with(request, &short_of_memory, &dx_reply_retry, false);
    return err;
}

void dx_request_accept_all(struct dx_request *request, void *handlers)
{
    struct dx_connection *connection;

    if (dx_request_accept(request, handlers, NULL, &connection) != DX_OK)
        return; /* the request is answered all the same */
}
