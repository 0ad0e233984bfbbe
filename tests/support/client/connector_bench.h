/*
 * connector_bench.h - a connector beside scripted servers in one thread, and what became of it as
 * texts.
 */
#ifndef TESTS_CONNECTOR_BENCH_H
#define TESTS_CONNECTOR_BENCH_H

#include "client/connector/connector.h"

#include <duplex/tls.h>

#include "support/clock.h"
#include "support/client/scripted_server.h"

/* Copied when it was told. */
struct seen {
    unsigned calls;
    bool is_open;
    enum dx_failure_step step;
    enum dx_err err;
    int system_error;
    uint16_t http_status;
    char detail[512];
    size_t header_count;
    char headers[4096]; /* "name: value\n" each */
    uint8_t body[8192];
    size_t body_len;
    char subprotocol[64]; /* "" without one */
    uint8_t early[65536];
    size_t early_len;
    struct dx_tls_facts facts; /* of its stream, when it is open and has TLS */
    bool has_tls;
    int fd;
};

struct connector_bench {
    struct dx_loop *loop;
    struct scripted_server server;
    struct dx_connector_options options;
    struct seen seen;
    bool fails_allocations; /* in turn: those of the server do not count */
    bool fails_calls;
    bool keeps_stream; /* else it is closed when it was told */
    struct dx_stream stream;
    size_t cancel_at; /* the connector is cancelled before this turn (1: the first); 0: it is not */
    size_t failed_turns;
    size_t turns; /* of the last run */
};

/** A server on 127.0.0.1, the options for ws://127.0.0.1:PORT/ with a deadline of five seconds. */
void bench_begin(struct connector_bench *bench);
void bench_end(struct connector_bench *bench);

/** "ws://127.0.0.1:PORT" and `rest`, in a place that lasts until the eighth call after. */
const char *bench_url(const struct connector_bench *bench, const char *scheme, const char *host,
                      const char *rest);
uint16_t bench_port(const struct connector_bench *bench);

/** Runs a connector to its end; the server says these. Returns what dx_connector_start did. */
enum dx_err bench_run(struct connector_bench *bench, const struct scripted_talk *talks,
                      size_t talk_count);

/** With one talk that waits for a request and says this text, of `len` bytes (0: its length). */
enum dx_err bench_run_answer(struct connector_bench *bench, const char *answer, size_t len,
                             enum scripted_end end);

/** What a good answer begins with, up to the last line end. */
#define BENCH_101                                                                                  \
 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"               \
 "Sec-WebSocket-Accept: {accept}\r\n"

int bench_open_descriptors(void);

#endif
