/*
 * duplex/metrics.h - what a server has done, as numbers and as text for Prometheus.
 *
 * The numbers count since the server was made, over all its loops. A route for Prometheus:
 *
 *     err = dx_server_route_metrics(server, "/metrics");
 */
#ifndef DUPLEX_METRICS_H
#define DUPLEX_METRICS_H

#include <duplex/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Numbers
 */

/* What a server has done since it was made, open connections included. */
struct dx_server_metrics {
    size_t size;

    /* Connections that are open now, HTTP and WebSocket. */
    size_t streams;

    /* Of the streams, open WebSockets. */
    size_t websockets;

    /* Of the streams, those that have not sent a whole request yet. */
    size_t half_open;

    /* Bytes that all buffers of the server's loops hold now. */
    size_t buffered_bytes;

    /* Connections that were accepted. */
    uint64_t streams_accepted;

    /* Of those, refused because a limit was reached, or a descriptor or memory was missing. */
    uint64_t streams_refused;

    /* WebSockets that were opened. */
    uint64_t websockets_opened;

    /* WebSockets that ended after both Close frames were exchanged. */
    uint64_t websockets_closed_clean;

    /* WebSockets that ended in any other way. */
    uint64_t websockets_closed_broken;

    /* Requests whose head came whole, upgrades included. */
    uint64_t requests;

    /* Responses by class: 1xx (status 101, the upgrades) to 5xx. */
    uint64_t responses[5];

    /* WebSocket messages, and bytes of their payload. */
    uint64_t messages_in, bytes_in;
    uint64_t messages_out, bytes_out;
};

/** All 0, for dx_server_metrics. */
static inline struct dx_server_metrics dx_server_metrics_init(void)
{
    struct dx_server_metrics metrics = DX_ZEROED;

    metrics.size = sizeof(metrics);
    return metrics;
}

/**
 * Fills in what a server has done. `metrics` starts from dx_server_metrics_init.
 *
 * Each number is right, but they are not read at the same moment. Any thread.
 */
DX_API void dx_server_metrics(struct dx_server *server, struct dx_server_metrics *metrics);

/*
 * Prometheus
 */

/* Room for the text of dx_server_metrics_text. */
#define DX_METRICS_TEXT_MAX 8192

/**
 * Writes the numbers in Prometheus' text format (version 0.0.4), with a NUL at the end.
 *
 * The names are those of struct dx_server_metrics with `duplex_` in front; counters end in
 * `_total`. Four of them have a label: duplex_websockets_closed_total{how="clean|broken"},
 * duplex_responses_total{class="1xx|2xx|3xx|4xx|5xx"}, duplex_messages_total{direction="in|out"}
 * and duplex_payload_bytes_total{direction="in|out"}.
 *
 * Any thread.
 *
 * text, room   where to write, and its size: at least DX_METRICS_TEXT_MAX
 * len          gets the length of the text, without the NUL
 *
 * Returns DX_OK, or:
 *   DX_ERR_TOO_BIG   room is below DX_METRICS_TEXT_MAX
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_metrics_text(struct dx_server *server, char *text,
                                                        size_t room, size_t *len);

/**
 * Adds a route that answers GET with the text of this same server.
 *
 * To show the numbers of another server, write a route with dx_server_metrics_text.
 *
 * path   exactly this path, none below it
 *
 * Returns as dx_server_route.
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_route_metrics(struct dx_server *server,
                                                         const char *path);

#ifdef __cplusplus
}
#endif
#endif
