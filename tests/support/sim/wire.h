/*
 * wire.h - a connection of the simulated network: two ends, a pipe to each, and what befalls them.
 */
#ifndef TESTS_SIM_WIRE_H
#define TESTS_SIM_WIRE_H

#include "support/sim/pipe.h"

struct sim_wire;

struct sim_end {
    struct sim_pipe in;
    struct sim_wire *wire;
    struct sim_end *peer;
    int error; /* is told once */
    bool is_open;
    bool is_shut;
    bool is_reset;
    bool lingers_not;
    uint64_t reset_us;   /* when a reset from the peer arrives */
    uint64_t give_up_us; /* when it finds that nobody acknowledges */
};

struct sim_wire {
    struct sim_end ends[2]; /* the client's, the server's */
    struct sim_weather weather;
    struct sim_address client, server;
    enum sim_cut cut;
    uint64_t cut_us;
    uint64_t cut_byte_count;
    bool is_cut;
    bool is_silent;
    int number;
};

/** Makes a connected wire; the server's end waits to be accepted. */
struct sim_wire *sim_wire_new(const struct sim_weather *weather, const struct sim_address *server,
                              uint16_t client_port, int number);

void sim_wires_reset(void);

/** Brings an end up to the present. */
void sim_end_settle(struct sim_end *end);

/** When something happens to it by itself. */
uint64_t sim_end_next_us(struct sim_end *end);

/** As the system calls: -1 and errno. */
long sim_end_recv(struct sim_end *end, void *bytes, size_t len);
long sim_end_send(struct sim_end *end, const void *bytes, size_t len);
int sim_end_shut(struct sim_end *end);
uint32_t sim_end_ready(struct sim_end *end);

/**
 * Closes it, as close does, or without it having been accepted. Frees the wire when both ends are
 * closed.
 */
void sim_end_close(struct sim_end *end);
void sim_end_drop(struct sim_end *end);

/** Bytes that were written and have not arrived, an end of the stream counted as one. */
size_t sim_end_unsent_len(struct sim_end *end);

/** Bytes that have arrived at the peer's system. */
uint64_t sim_end_acknowledged_len(struct sim_end *end);

static inline uint64_t sim_earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

#endif
