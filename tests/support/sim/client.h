/*
 * client.h - a WebSocket client over a simulated wire: connects, does the opening handshake, and
 * hands its connection to a talker. It stands where the library's own client will.
 */
#ifndef TESTS_SIM_CLIENT_H
#define TESTS_SIM_CLIENT_H

#include "support/sim/link.h"
#include "support/sim/sockets.h"

#include <duplex/handshake.h>

#include "connection/connection.h"

struct sim_client {
    struct sim_link *link;
    struct dx_loop *loop;
    const struct dx_connection_kind *kind;
    struct dx_stream stream;
    struct dx_loop_timer *timer; /* begins; then the handshake's deadline */
    struct dx_handshake_request request;
    struct sim_weather weather;
    enum sim_cut cut;
    uint64_t cut_after_us, cut_byte_count;
    uint64_t stall_us; /* 0: none */
    bool is_ipv6;
    bool is_done; /* it became a connection, or came to nothing */
    char target[64];
    char key[32];
    char out[512];
    size_t out_len, out_sent;
    uint8_t in[4096];
    size_t in_len;
};

#define SIM_PORT 8080
#define SIM_HOST "127.0.0.1:8080"

/** Begins `delay_ms` from now. `mode` is what the server's route makes of it (service.h). */
void sim_client_start(struct sim_client *client, const char *mode, uint32_t delay_ms);

#endif
