/*
 * machine.c - clock, chances, trace and verdict of the simulated machine.
 */
#include "support/sim/machine.h"

#include "support/sim/sockets.h"
#include "support/sim/uv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct sim_counts sim_counts;

static uint64_t streams[SIM_STREAMS];
static uint64_t now_us;
static uint64_t begin_us;
static bool is_traced;
static void (*on_failure)(const char *what);

/* splitmix64: each state gives one good number, so that streams may begin anywhere. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void sim_begin(uint64_t seed, bool traces)
{
    uint64_t state = seed;

    is_traced = traces;
    for (int i = 0; i < SIM_STREAMS; i++)
        streams[i] = next(&state);
    /*
     * Moments are kept in 32 bits of milliseconds here and there: some worlds begin shortly before
     * these wrap.
     */
    begin_us = next(&state) % UINT64_C(1000000000000);
    if (next(&state) % 4 == 0)
        begin_us = ((UINT64_C(1) << 32) - next(&state) % 10000) * 1000;
    now_us = begin_us;
    sim_sockets_reset();
    sim_uv_reset();
    sim_counts.worlds++;
}

uint64_t sim_random(enum sim_stream stream)
{
    return next(&streams[stream]);
}

uint32_t sim_below(enum sim_stream stream, uint32_t below)
{
    return (uint32_t)(((sim_random(stream) >> 32) * below) >> 32);
}

uint32_t sim_between(enum sim_stream stream, uint32_t first, uint32_t last)
{
    return first + sim_below(stream, last - first + 1);
}

bool sim_happens(enum sim_stream stream, uint32_t in_thousand)
{
    return sim_below(stream, 1000) < in_thousand;
}

uint32_t sim_magnitude(enum sim_stream stream, uint32_t first, uint32_t last)
{
    uint32_t bits = 0;
    uint32_t top;

    while (((last - first) >> bits) > 0)
        bits++;
    top = sim_below(stream, bits + 1);
    top = top >= 32 ? UINT32_MAX : (UINT32_C(1) << top) - 1;
    return first + sim_below(stream, (top < last - first ? top : last - first) + 1);
}

uint64_t sim_now_us(void)
{
    return now_us;
}

void sim_advance_to(uint64_t us)
{
    if (us > now_us)
        now_us = us;
}

void sim_trace(const char *format, ...)
{
    va_list args;

    if (!is_traced)
        return;
    printf("%10.3f ms  ", (double)(now_us - begin_us) / 1000);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    printf("\n");
}

void sim_on_failure(void (*report)(const char *what))
{
    on_failure = report;
}

void sim_fail(const char *format, ...)
{
    char what[400];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    sim_trace("FAILED: %s", what);
    on_failure(what);
    abort();
}
