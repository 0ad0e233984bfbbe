/*
 * duplex/metrics.h - what a server has done, as numbers and as text for Prometheus.
 */
#ifndef DUPLEX_METRICS_H
#define DUPLEX_METRICS_H

#include <duplex/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Since the server was made, over all its loops. What open connections have sent and received is in it. */
struct dx_server_metrics {
    size_t size;
    size_t streams;        /* accepted and not closed now, HTTP and WebSockets */
    size_t websockets;     /* of them, open WebSockets */
    size_t half_open;      /* of them, those that have not sent a whole request yet */
    size_t buffered_bytes; /* held now by all buffers of the server's loops */
    uint64_t streams_accepted;
    uint64_t streams_refused; /* of them: for want of a place, a descriptor or memory */
    uint64_t websockets_opened;
    uint64_t websockets_closed_clean;  /* both Close frames were exchanged */
    uint64_t websockets_closed_broken; /* ended in any other way */
    uint64_t requests;                 /* complete heads, upgrades included */
    uint64_t responses[5];             /* by class: 1xx (the 101) to 5xx */
    uint64_t messages_in, bytes_in;    /* of WebSockets, payload */
    uint64_t messages_out, bytes_out;
};

/** Room for what a library of this version fills in. */
static inline struct dx_server_metrics dx_server_metrics_init(void)
{
    struct dx_server_metrics metrics = DX_ZEROED;

    metrics.size = sizeof(metrics);
    return metrics;
}

/** Fills in what the server has done so far. Any thread. The numbers are each right, but not of one moment. */
DX_API void dx_server_metrics(struct dx_server *server, struct dx_server_metrics *metrics);

#define DX_METRICS_TEXT_MAX 8192

/**
 * Writes them in Prometheus' text format (version 0.0.4), NUL-terminated. The names are those above behind `duplex_`, those that count
 * with `_total` behind; labelled are duplex_websockets_closed_total{how="clean|broken"}, duplex_responses_total{class="1xx…5xx"},
 * duplex_messages_total and duplex_payload_bytes_total{direction="in|out"}.
 *
 * Returns DX_OK and the length; DX_ERR_TOO_BIG (`room` is below DX_METRICS_TEXT_MAX).
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_metrics_text(struct dx_server *server, char *text,
                                                        size_t room, size_t *len);

/** Answers GET on `path` with that text, of this same server; for another's, see dx_server_metrics_text. Errors as dx_server_route. */
DX_API DX_MUST_CHECK enum dx_err dx_server_route_metrics(struct dx_server *server,
                                                         const char *path);

#ifdef __cplusplus
}
#endif
#endif
