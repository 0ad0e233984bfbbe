/*
 * machine.h - a simulated machine in one thread: its clock, its chances, its trace and its verdict.
 *
 * All rooms of the library are linked as they are, net/ included; what is simulated is what lies
 * under them: libuv (uv.c), the system calls on sockets and epoll (calls.c, sockets.c, poll.c), the
 * clock, randomness and the allocator (memory.c). Everything that happens follows from one seed.
 * One world at a time, which sim_begin makes anew.
 */
#ifndef TESTS_SIM_MACHINE_H
#define TESTS_SIM_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Chances are drawn from several streams, so that a change in one part leaves the others as they
 * were.
 */
enum sim_stream { SIM_NET, SIM_SYSTEM, SIM_SERVER, SIM_CLIENT, SIM_MEMORY, SIM_STREAMS };

/**
 * Starts a new world: the clock, the streams, no descriptor open. `traces`: events are printed as
 * they happen.
 */
void sim_begin(uint64_t seed, bool traces);

/* ---- chance ---- */

uint64_t sim_random(enum sim_stream stream);
/** 0 .. below - 1. */
uint32_t sim_below(enum sim_stream stream, uint32_t below);
/** first .. last. */
uint32_t sim_between(enum sim_stream stream, uint32_t first, uint32_t last);
/** True `in_thousand` times of a thousand. */
bool sim_happens(enum sim_stream stream, uint32_t in_thousand);
/** first .. last, each order of magnitude as likely as any other. */
uint32_t sim_magnitude(enum sim_stream stream, uint32_t first, uint32_t last);

/* ---- time ---- */

/** Microseconds of the simulated monotonic clock. */
uint64_t sim_now_us(void);
/** Moves the clock on; a moment that is past is none. */
void sim_advance_to(uint64_t us);

/* ---- what is told ---- */

/** Prints one line of the trace, if there is one. */
__attribute__((format(printf, 1, 2))) void sim_trace(const char *format, ...);

/**
 * An invariant is broken: the function given to sim_on_failure gets the sentence, and must not
 * return.
 */
__attribute__((format(printf, 1, 2), noreturn)) void sim_fail(const char *format, ...);
void sim_on_failure(void (*report)(const char *what));

/* What has happened, over all worlds of this process. */
struct sim_counts {
    uint64_t worlds;
    uint64_t connections; /* WebSockets that were opened */
    uint64_t messages;    /* delivered to one end */
    uint64_t bytes;       /* of them */
    uint64_t requests;    /* plain ones, answered */
    uint64_t cuts;        /* of a wire: a reset from outside, or silence */
    uint64_t resets;      /* of a socket, whatever the cause */
    uint64_t half_closes;
    uint64_t refusals;    /* of a connect or an accept */
    uint64_t hostile;     /* clients that misbehave */
    uint64_t allocations; /* that were made to fail */
    uint64_t clean;       /* closing handshakes, counted at each end */
    uint64_t turns;       /* of loops */
    uint64_t most_turns;  /* of one world */
};
extern struct sim_counts sim_counts;

#endif
