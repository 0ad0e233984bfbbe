/*
 * websocket.c - counts, finds, logs and shuts down open WebSockets. Not responsible for their
 * bytes: that is connection/.
 */
#include "server/connections/websocket.h"

#include "base/container.h"
#include "server/core/log.h"

#include <string.h>

/* How much of a path is kept for the log. */
#define PATH_KEPT_LEN 256
#define OPENED_MASK ((UINT64_C(1) << 46) - 1) /* enough for two thousand years */

static size_t kept_len_of(struct dx_slice path)
{
    return path.len < PATH_KEPT_LEN ? path.len : PATH_KEPT_LEN;
}

size_t dx_server_websocket_len(const char *peer, struct dx_slice path)
{
    return sizeof(struct dx_server_websocket) + strlen(peer) + kept_len_of(path);
}

static struct dx_shard *shard_of(const struct dx_connection *connection)
{
    return dx_container_of(dx_connection_traffic(connection), struct dx_shard, traffic);
}

void dx_server_websocket_open(struct dx_connection *connection, const char *peer,
                              struct dx_slice path)
{
    struct dx_server_websocket *websocket = dx_connection_owner(connection);
    struct dx_shard *shard = shard_of(connection);
    size_t peer_len = strlen(peer);
    size_t path_len = kept_len_of(path);

    *websocket =
        (struct dx_server_websocket){.opened_ms = dx_loop_now_ms(shard->loop) & OPENED_MASK,
                                     .peer_len = peer_len & 0xff,
                                     .path_len = path_len & 0x1ff};
    memcpy(websocket->text, peer, peer_len);
    memcpy(websocket->text + peer_len, path.data, path_len);
    dx_registry_put(&shard->registry, dx_connection_id(connection), connection);
    dx_counter_add(&shard->counters.websockets_opened, 1);
    atomic_fetch_add(&shard->server->websocket_count, 1);
}

/* The kind with which the connection was made is embedded in the route's entry. */
static const struct dx_route *route_of(const struct dx_connection *connection)
{
    return &dx_container_of(dx_connection_kind(connection), const struct dx_route_entry, kind)
                ->route;
}

void dx_server_websocket_shut_down(struct dx_server_websocket *websocket)
{
    struct dx_connection *connection = dx_connection_of_owner(websocket);
    const struct dx_route *route = route_of(connection);

    if (websocket->is_shut_down)
        return;
    websocket->is_shut_down = true;
    if (route->on_shutdown != NULL)
        route->on_shutdown(connection, route->user);
    else
        (void)dx_connection_close(connection, DX_CLOSE_GOING_AWAY, NULL, 0);
}

static void log_close(const struct dx_server_websocket *websocket, struct dx_connection *connection,
                      const struct dx_close_info *info)
{
    struct dx_connection_metrics counts = dx_connection_metrics_init();
    struct dx_log_line line;

    dx_connection_metrics(connection, &counts);
    dx_log_line_init(&line);
    dx_log_line_bytes(&line, "peer", websocket->text, websocket->peer_len);
    dx_log_line_bytes(&line, "path", websocket->text + websocket->peer_len, websocket->path_len);
    dx_log_line_number(&line, "code", info->code);
    dx_log_line_number(&line, "sent_code", info->sent_code);
    dx_log_line_bytes(&line, "reason", info->reason, info->reason_len);
    dx_log_line_number(&line, "duration_ms",
                       dx_loop_now_ms(dx_connection_loop(connection)) - websocket->opened_ms);
    dx_log_line_number(&line, "messages_in", counts.messages_in);
    dx_log_line_number(&line, "bytes_in", counts.bytes_in);
    dx_log_line_number(&line, "messages_out", counts.messages_out);
    dx_log_line_number(&line, "bytes_out", counts.bytes_out);
    if (info->err != DX_OK) {
        dx_log_line_text(&line, "err", dx_err_name(info->err));
        dx_log_line_text(&line, "detail",
                         info->detail != NULL ? info->detail : dx_err_text(info->err));
    }
    dx_server_log(shard_of(connection)->server, DX_LOG_INFO, "closed", &line);
}

void dx_server_websocket_on_gone(struct dx_connection *connection, const struct dx_close_info *info)
{
    struct dx_server_websocket *websocket = dx_connection_owner(connection);
    struct dx_shard *shard = shard_of(connection);

    log_close(websocket, connection, info);
    dx_registry_remove(&shard->registry, dx_connection_id(connection));
    dx_counter_add(info->was_clean ? &shard->counters.websockets_closed_clean
                                   : &shard->counters.websockets_closed_broken,
                   1);
    atomic_fetch_sub(&shard->server->websocket_count, 1);
    dx_shard_forget_stream(shard);
}
