/*
 * pipe.c - one direction of a wire.
 */
#include "support/sim/pipe.h"

#include "support/sim/memory.h"

#include <stdlib.h>
#include <string.h>

void sim_pipe_init(struct sim_pipe *pipe, const struct sim_weather *weather)
{
    *pipe = (struct sim_pipe){.end_us = SIM_NEVER};
    sim_memory_hold();
    pipe->bytes = malloc(weather->capacity);
    sim_memory_let_go();
    if (pipe->bytes == NULL)
        sim_fail("the machine itself has no memory");
}

void sim_pipe_release(struct sim_pipe *pipe)
{
    free(pipe->bytes);
    pipe->bytes = NULL;
}

void sim_pipe_settle(struct sim_pipe *pipe)
{
    while (pipe->count > 0 && pipe->segments[pipe->first].us <= sim_now_us()) {
        pipe->arrived = pipe->segments[pipe->first].end;
        pipe->first = (pipe->first + 1) % SIM_SEGMENTS;
        pipe->count--;
    }
}

size_t sim_pipe_readable(const struct sim_pipe *pipe, const struct sim_weather *weather)
{
    uint64_t len = pipe->arrived - pipe->read;

    return len < weather->window ? (size_t)len : weather->window;
}

bool sim_pipe_is_at_end(const struct sim_pipe *pipe, const struct sim_weather *weather)
{
    return pipe->end_us <= sim_now_us() && pipe->arrived == pipe->written &&
           pipe->written - pipe->read < weather->window;
}

size_t sim_pipe_room(const struct sim_pipe *pipe, const struct sim_weather *weather)
{
    return weather->capacity - (size_t)(pipe->written - pipe->acknowledged);
}

uint64_t sim_arrival_us(const struct sim_weather *weather)
{
    return sim_now_us() + weather->latency_us + sim_below(SIM_NET, weather->jitter_us + 1);
}

static uint64_t arrival_in(const struct sim_pipe *pipe, const struct sim_weather *weather)
{
    uint64_t us = sim_arrival_us(weather);

    if (us >= pipe->stall_from_us && us < pipe->stall_until_us)
        us = pipe->stall_until_us;
    return us > pipe->last_us ? us : pipe->last_us;
}

static void add_segment(struct sim_pipe *pipe, uint64_t end, uint64_t us)
{
    unsigned last = (pipe->first + pipe->count + SIM_SEGMENTS - 1) % SIM_SEGMENTS;

    if (pipe->count < SIM_SEGMENTS) {
        last = (last + 1) % SIM_SEGMENTS;
        pipe->count++;
    }
    pipe->segments[last] = (struct sim_segment){end, us};
    pipe->last_us = us;
}

static void copy_in(struct sim_pipe *pipe, size_t capacity, const uint8_t *bytes, size_t len)
{
    size_t at = (size_t)(pipe->written % capacity);
    size_t run = len < capacity - at ? len : capacity - at;

    memcpy(pipe->bytes + at, bytes, run);
    memcpy(pipe->bytes, bytes + run, len - run);
}

void sim_pipe_write(struct sim_pipe *pipe, const struct sim_weather *weather, const uint8_t *bytes,
                    size_t len)
{
    /*
     * A few segments a write suffice, or large messages in small segments would cost all the time.
     */
    size_t least = len / 8;

    copy_in(pipe, weather->capacity, bytes, len);
    while (len > 0) {
        size_t part = least + 1 + sim_below(SIM_NET, weather->segment_len);

        part = part < len ? part : len;
        pipe->written += part;
        len -= part;
        add_segment(pipe, pipe->written, arrival_in(pipe, weather));
    }
}

void sim_pipe_read(struct sim_pipe *pipe, const struct sim_weather *weather, uint8_t *bytes,
                   size_t len, bool is_acknowledged)
{
    size_t at = (size_t)(pipe->read % weather->capacity);
    size_t run = len < weather->capacity - at ? len : weather->capacity - at;

    memcpy(bytes, pipe->bytes + at, run);
    memcpy(bytes + run, pipe->bytes, len - run);
    pipe->read += len;
    if (is_acknowledged)
        pipe->acknowledged = pipe->read;
}

void sim_pipe_end(struct sim_pipe *pipe, const struct sim_weather *weather)
{
    if (pipe->end_us == SIM_NEVER)
        pipe->end_us = arrival_in(pipe, weather);
}

void sim_pipe_lose(struct sim_pipe *pipe)
{
    if (pipe->end_us > sim_now_us())
        pipe->end_us = SIM_NEVER;
    if (pipe->count > 0)
        pipe->end_us = SIM_NEVER;
    pipe->count = 0;
}

uint64_t sim_pipe_next_us(const struct sim_pipe *pipe)
{
    if (pipe->count > 0)
        return pipe->segments[pipe->first].us;
    return pipe->end_us > sim_now_us() ? pipe->end_us : SIM_NEVER;
}
