/*
 * websocket.c - an open WebSocket in the server's books. Not responsible for its bytes: that is connection/.
 */
#include "server/websocket.h"

#include "server/log.h"

#include <stdlib.h>
#include <string.h>

/* What of a path is kept for the log. */
#define PATH_KEPT_LEN 256
#define OPENED_MASK ((UINT64_C(1) << 46) - 1) /* two thousand years */

enum dx_err dx_websocket_new(struct dx_shard *shard, const struct dx_route_entry *route,
                             const char *peer, struct dx_slice path,
                             struct dx_websocket **websocket)
{
    size_t peer_len = strlen(peer);
    size_t path_len = path.len < PATH_KEPT_LEN ? path.len : PATH_KEPT_LEN;
    struct dx_websocket *made = malloc(sizeof(*made) + peer_len + path_len);

    if (made == NULL)
        return DX_ERR_NOMEM;
    *made = (struct dx_websocket){.shard = shard,
                                  .route = route,
                                  .opened_ms = dx_loop_now_ms(shard->loop) & OPENED_MASK,
                                  .peer_len = peer_len & 0xff,
                                  .path_len = path_len & 0x1ff};
    memcpy(made->text, peer, peer_len);
    memcpy(made->text + peer_len, path.data, path_len);
    *websocket = made;
    return DX_OK;
}

void dx_websocket_open(struct dx_websocket *websocket, struct dx_connection *connection)
{
    struct dx_shard *shard = websocket->shard;

    websocket->connection = connection;
    websocket->next = shard->websockets;
    websocket->previous_next = &shard->websockets;
    if (websocket->next != NULL)
        websocket->next->previous_next = &websocket->next;
    shard->websockets = websocket;
    atomic_fetch_add(&shard->server->websocket_count, 1);
}

void dx_websocket_shut_down(struct dx_websocket *websocket)
{
    if (websocket->is_told)
        return;
    websocket->is_told = true;
    if (websocket->route->route.on_shutdown != NULL)
        websocket->route->route.on_shutdown(websocket->connection);
    else
        (void)dx_connection_close(websocket->connection, DX_CLOSE_GOING_AWAY, NULL, 0);
}

static void log_close(const struct dx_websocket *websocket, struct dx_connection *connection,
                      const struct dx_close_info *info)
{
    struct dx_connection_counts counts;
    struct dx_log_line line;

    dx_connection_counts(connection, &counts);
    dx_log_line_init(&line);
    dx_log_line_bytes(&line, "peer", websocket->text, websocket->peer_len);
    dx_log_line_bytes(&line, "path", websocket->text + websocket->peer_len, websocket->path_len);
    dx_log_line_number(&line, "code", info->code);
    dx_log_line_number(&line, "sent_code", info->sent_code);
    dx_log_line_bytes(&line, "reason", info->reason, info->reason_len);
    dx_log_line_number(&line, "duration_ms",
                       dx_loop_now_ms(websocket->shard->loop) - websocket->opened_ms);
    dx_log_line_number(&line, "messages_in", counts.messages_in);
    dx_log_line_number(&line, "bytes_in", counts.bytes_in);
    dx_log_line_number(&line, "messages_out", counts.messages_out);
    dx_log_line_number(&line, "bytes_out", counts.bytes_out);
    if (info->err != DX_OK) {
        dx_log_line_text(&line, "err", dx_err_name(info->err));
        dx_log_line_text(&line, "detail",
                         info->detail != NULL ? info->detail : dx_err_text(info->err));
    }
    dx_server_log(websocket->shard->server, DX_LOG_INFO, "closed", &line);
}

void dx_websocket_on_gone(struct dx_connection *connection, void *owner,
                          const struct dx_close_info *info)
{
    struct dx_websocket *websocket = owner;
    struct dx_shard *shard = websocket->shard;

    log_close(websocket, connection, info);
    *websocket->previous_next = websocket->next;
    if (websocket->next != NULL)
        websocket->next->previous_next = websocket->previous_next;
    atomic_fetch_sub(&shard->server->websocket_count, 1);
    free(websocket);
    dx_shard_forget_stream(shard);
}
