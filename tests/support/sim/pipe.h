/*
 * pipe.h - bytes on their way from one end of a wire to the other: written, in flight, arrived,
 * read.
 */
#ifndef TESTS_SIM_PIPE_H
#define TESTS_SIM_PIPE_H

#include "support/sim/sockets.h"

#define SIM_SEGMENTS 64

struct sim_segment {
    uint64_t end; /* offset of the byte behind it */
    uint64_t us;  /* when it arrives */
};

struct sim_pipe {
    uint8_t *bytes; /* a ring of `capacity` bytes */
    uint64_t written, arrived, read, acknowledged;
    struct sim_segment segments[SIM_SEGMENTS];
    unsigned first, count;
    uint64_t last_us; /* when the last byte arrives: order is kept */
    uint64_t end_us;  /* when the end of the stream arrives */
    uint64_t stall_from_us, stall_until_us;
};

void sim_pipe_init(struct sim_pipe *pipe, const struct sim_weather *weather);
void sim_pipe_release(struct sim_pipe *pipe);

/** Lets arrive what is due. */
void sim_pipe_settle(struct sim_pipe *pipe);

/** How many bytes may be read, and whether the end of the stream stands behind them. */
size_t sim_pipe_readable(const struct sim_pipe *pipe, const struct sim_weather *weather);
bool sim_pipe_is_at_end(const struct sim_pipe *pipe, const struct sim_weather *weather);
size_t sim_pipe_room(const struct sim_pipe *pipe, const struct sim_weather *weather);

void sim_pipe_write(struct sim_pipe *pipe, const struct sim_weather *weather, const uint8_t *bytes,
                    size_t len);
void sim_pipe_read(struct sim_pipe *pipe, const struct sim_weather *weather, uint8_t *bytes,
                   size_t len, bool is_acknowledged);
void sim_pipe_end(struct sim_pipe *pipe, const struct sim_weather *weather);
/** What has not arrived never will. */
void sim_pipe_lose(struct sim_pipe *pipe);
/** When the next segment or the end arrives. */
uint64_t sim_pipe_next_us(const struct sim_pipe *pipe);

/** Now and the latency of one segment. */
uint64_t sim_arrival_us(const struct sim_weather *weather);

#endif
