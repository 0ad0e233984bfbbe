/*
 * metrics.c - sums of what the shards of a server have counted, and their text for Prometheus
 * (exposition format 0.0.4). Not responsible for counting.
 */
#include "server/metrics.h"

#include "base/sized.h"
#include "server/core/shard.h"

#include <duplex/request.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- sums ---- */

static void add_shard(const struct dx_shard *shard, struct dx_server_metrics *metrics)
{
    const struct dx_shard_counters *counters = &shard->counters;

    if (shard->loop != NULL)
        metrics->buffered_bytes += dx_pool_used(dx_loop_pool(shard->loop));
    metrics->streams_accepted += dx_counter_read(&counters->streams_accepted);
    metrics->streams_refused += dx_counter_read(&counters->streams_refused);
    metrics->websockets_opened += dx_counter_read(&counters->websockets_opened);
    metrics->websockets_closed_clean += dx_counter_read(&counters->websockets_closed_clean);
    metrics->websockets_closed_broken += dx_counter_read(&counters->websockets_closed_broken);
    metrics->requests += dx_counter_read(&counters->requests);
    for (size_t index = 0; index < 5; index++)
        metrics->responses[index] += dx_counter_read(&counters->responses[index]);
    metrics->messages_in += dx_counter_read(&shard->traffic.messages_in);
    metrics->bytes_in += dx_counter_read(&shard->traffic.bytes_in);
    metrics->messages_out += dx_counter_read(&shard->traffic.messages_out);
    metrics->bytes_out += dx_counter_read(&shard->traffic.bytes_out);
}

void dx_server_metrics(struct dx_server *server, struct dx_server_metrics *metrics)
{
    struct dx_server_metrics own = {
        .streams = atomic_load(&server->stream_count),
        .websockets = atomic_load(&server->websocket_count),
        .half_open = atomic_load(&server->half_open.count),
    };

    for (size_t index = 0; index < server->shard_count; index++)
        add_shard(server->shards[index], &own);
    dx_sized_fill(metrics, &own, sizeof(own));
}

/* ---- text ---- */

/* A line of the text. Lines of one family are together; the first of them has the help. */
struct row {
    const char *name;
    const char *help;
    const char *labels; /* "" or {…} */
    uint64_t value;
};

static const char *const classes[5] = {"{class=\"1xx\"}", "{class=\"2xx\"}", "{class=\"3xx\"}",
                                       "{class=\"4xx\"}", "{class=\"5xx\"}"};

static size_t write_row(const struct row *row, char *text, size_t room)
{
    size_t len = 0;
    int put;

    if (row->help != NULL) {
        bool is_counter = strstr(row->name, "_total") != NULL;

        put = snprintf(text, room, "# HELP duplex_%s %s\n# TYPE duplex_%s %s\n", row->name,
                       row->help, row->name, is_counter ? "counter" : "gauge");
        len = (size_t)put;
    }
    put = snprintf(text + len, room - len, "duplex_%s%s %" PRIu64 "\n", row->name, row->labels,
                   row->value);
    return len + (size_t)put;
}

size_t dx_metrics_write(const struct dx_server_metrics *metrics, char text[DX_METRICS_TEXT_MAX])
{
    const char *const none = "";
    const struct row rows[] = {
        {"streams", "Connections that are open now, HTTP and WebSocket.", none, metrics->streams},
        {"websockets", "WebSockets that are open now.", none, metrics->websockets},
        {"half_open", "Connections that have not sent a whole request yet.", none,
         metrics->half_open},
        {"buffered_bytes", "Bytes that all buffers hold now.", none, metrics->buffered_bytes},
        {"streams_accepted_total", "Connections that were accepted.", none,
         metrics->streams_accepted},
        {"streams_refused_total",
         "Connections that were refused for want of a place, a descriptor or memory.", none,
         metrics->streams_refused},
        {"websockets_opened_total", "WebSockets that were opened.", none,
         metrics->websockets_opened},
        {"websockets_closed_total",
         "WebSockets that have ended, with a closing handshake (clean) or without.",
         "{how=\"clean\"}", metrics->websockets_closed_clean},
        {"websockets_closed_total", NULL, "{how=\"broken\"}", metrics->websockets_closed_broken},
        {"requests_total", "HTTP requests whose head came whole, upgrades included.", none,
         metrics->requests},
        {"responses_total", "HTTP responses by class; 1xx are upgrades.", classes[0],
         metrics->responses[0]},
        {"responses_total", NULL, classes[1], metrics->responses[1]},
        {"responses_total", NULL, classes[2], metrics->responses[2]},
        {"responses_total", NULL, classes[3], metrics->responses[3]},
        {"responses_total", NULL, classes[4], metrics->responses[4]},
        {"messages_total", "WebSocket messages.", "{direction=\"in\"}", metrics->messages_in},
        {"messages_total", NULL, "{direction=\"out\"}", metrics->messages_out},
        {"payload_bytes_total", "Payload bytes of WebSocket messages.", "{direction=\"in\"}",
         metrics->bytes_in},
        {"payload_bytes_total", NULL, "{direction=\"out\"}", metrics->bytes_out},
    };
    size_t len = 0;

    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++)
        len += write_row(&rows[index], text + len, DX_METRICS_TEXT_MAX - len);
    return len;
}

enum dx_err dx_server_metrics_text(struct dx_server *server, char *text, size_t room, size_t *len)
{
    struct dx_server_metrics metrics = dx_server_metrics_init();

    if (room < DX_METRICS_TEXT_MAX)
        return DX_ERR_TOO_BIG;
    dx_server_metrics(server, &metrics);
    *len = dx_metrics_write(&metrics, text);
    return DX_OK;
}

/* ---- the route ---- */

static void on_request(struct dx_request *request, void *user)
{
    static const struct dx_header not_stored = {"Cache-Control", "no-store"};
    struct dx_server_metrics metrics = dx_server_metrics_init();
    char text[DX_METRICS_TEXT_MAX];

    dx_server_metrics(user, &metrics);
    dx_request_respond(request, 200, "text/plain; version=0.0.4; charset=utf-8", &not_stored, 1,
                       text, dx_metrics_write(&metrics, text));
}

enum dx_err dx_server_route_metrics(struct dx_server *server, const char *path)
{
    struct dx_route route = dx_route_init();

    route.on_request = on_request;
    route.user = server;
    route.wants_plain = true;
    route.is_exact = true;
    route.methods = "GET";
    return dx_server_route(server, path, &route);
}
