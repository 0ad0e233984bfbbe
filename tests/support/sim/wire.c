/*
 * wire.c - what a connected socket does, and what is done to it.
 */
#include "support/sim/wire.h"

#include "support/sim/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#define GIVE_UP_US                                                                                 \
 900000000 /* what a sender retransmits so long in vain ends its socket: ETIMEDOUT */

static uint64_t silent_us[SIM_WIRES_MAX];

void sim_wires_reset(void)
{
    for (int i = 0; i < SIM_WIRES_MAX; i++)
        silent_us[i] = SIM_NEVER;
}

uint64_t sim_silent_since(int wire_number)
{
    return wire_number < 0 ? SIM_NEVER : silent_us[wire_number];
}

struct sim_wire *sim_wire_new(const struct sim_weather *weather, const struct sim_address *server,
                              uint16_t client_port, int number)
{
    struct sim_wire *wire;

    sim_memory_hold();
    wire = calloc(1, sizeof(*wire));
    sim_memory_let_go();
    if (wire == NULL)
        sim_fail("the machine itself has no memory");
    wire->weather = *weather;
    wire->cut_us = SIM_NEVER;
    wire->cut_byte_count = SIM_NEVER;
    wire->number = number;
    wire->server = *server;
    wire->client = (struct sim_address){server->is_ipv6, weather->is_remote, client_port};
    for (int i = 0; i < 2; i++) {
        struct sim_end *end = &wire->ends[i];

        end->wire = wire;
        end->peer = &wire->ends[1 - i];
        end->is_open = true;
        end->reset_us = SIM_NEVER;
        end->give_up_us = SIM_NEVER;
        sim_pipe_init(&end->in, weather);
    }
    return wire;
}

static void release_wire(struct sim_wire *wire)
{
    if (wire->ends[0].is_open || wire->ends[1].is_open)
        return;
    sim_pipe_release(&wire->ends[0].in);
    sim_pipe_release(&wire->ends[1].in);
    free(wire);
}

static const char *name_of(const struct sim_end *end)
{
    return end == &end->wire->ends[0] ? "client" : "server";
}

/* ---- what befalls a wire ---- */

static void send_reset(struct sim_end *to, uint64_t us)
{
    if (us < to->reset_us)
        to->reset_us = us;
}

static void reset_end(struct sim_end *end, int error)
{
    if (end->is_reset)
        return;
    sim_counts.resets++;
    /* The end of the stream was read: the system calls it a broken pipe then. */
    end->error = end->in.end_us <= sim_now_us() && error == ECONNRESET ? EPIPE : error;
    end->is_reset = true;
    sim_pipe_lose(&end->in);
}

static void silence(struct sim_wire *wire)
{
    wire->is_silent = true;
    silent_us[wire->number] = sim_now_us();
    for (int i = 0; i < 2; i++) {
        sim_pipe_lose(&wire->ends[i].in);
        if (wire->ends[i].in.written > wire->ends[i].in.acknowledged)
            wire->ends[i].peer->give_up_us = sim_now_us() + GIVE_UP_US;
    }
}

static void cut(struct sim_wire *wire)
{
    wire->is_cut = true;
    wire->cut_us = SIM_NEVER;
    sim_counts.cuts++;
    sim_trace("wire %d is cut: %s", wire->number,
              wire->cut == SIM_CUT_RESET ? "reset"
              : wire->cut == SIM_CUT_ONE ? "one end is reset"
                                         : "silence");
    if (wire->cut != SIM_CUT_RESET)
        silence(wire);
    if (wire->cut == SIM_CUT_RESET)
        reset_end(&wire->ends[0], ECONNRESET);
    if (wire->cut != SIM_CUT_SILENCE)
        reset_end(&wire->ends[1], ECONNRESET);
}

void sim_end_settle(struct sim_end *end)
{
    if (end->wire->cut_us <= sim_now_us())
        cut(end->wire);
    sim_pipe_settle(&end->in);
    if (end->reset_us <= sim_now_us()) {
        end->reset_us = SIM_NEVER;
        if (!end->wire->is_silent)
            reset_end(end, ECONNRESET);
    }
    if (end->give_up_us <= sim_now_us()) {
        end->give_up_us = SIM_NEVER;
        reset_end(end, ETIMEDOUT);
    }
}

uint64_t sim_end_next_us(struct sim_end *end)
{
    sim_end_settle(end);
    if (end->wire->is_silent)
        return end->give_up_us;
    return sim_earlier(end->wire->cut_us, sim_earlier(end->reset_us, sim_pipe_next_us(&end->in)));
}

/* ---- what the calls do ---- */

static int fail_with(int code)
{
    errno = code;
    return -1;
}

static bool tells_error(struct sim_end *end)
{
    if (end->error == 0)
        return false;
    errno = end->error;
    end->error = 0;
    return true;
}

/* The passing troubles of a call. */
static bool stumbles(const struct sim_end *end)
{
    if (sim_happens(SIM_SYSTEM, end->wire->weather.interrupts))
        errno = EINTR;
    else if (sim_happens(SIM_SYSTEM, end->wire->weather.failures))
        errno = ENOBUFS;
    else
        return false;
    return true;
}

static size_t cut_short(uint16_t in_thousand, size_t len)
{
    if (len > 1 && sim_happens(SIM_SYSTEM, in_thousand))
        return 1 + sim_below(SIM_SYSTEM, (uint32_t)len);
    return len;
}

long sim_end_recv(struct sim_end *end, void *bytes, size_t len)
{
    size_t readable;

    sim_end_settle(end);
    if (stumbles(end))
        return -1;
    readable = sim_pipe_readable(&end->in, &end->wire->weather);
    if (readable > 0) {
        len = cut_short(end->wire->weather.short_reads, len < readable ? len : readable);
        sim_pipe_read(&end->in, &end->wire->weather, bytes, len, !end->wire->is_silent);
        sim_trace("wire %d: %s reads %zu", end->wire->number, name_of(end), len);
        return (long)len;
    }
    if (tells_error(end))
        return -1;
    if (end->is_reset || sim_pipe_is_at_end(&end->in, &end->wire->weather))
        return 0;
    return fail_with(EAGAIN);
}

long sim_end_send(struct sim_end *end, const void *bytes, size_t len)
{
    struct sim_wire *wire = end->wire;
    struct sim_pipe *pipe = &end->peer->in;
    size_t room;

    sim_end_settle(end);
    if (stumbles(end) || tells_error(end))
        return -1;
    if (end->is_reset || end->is_shut)
        return fail_with(EPIPE);
    room = sim_pipe_room(pipe, &wire->weather);
    if (room == 0)
        return fail_with(EAGAIN);
    len = cut_short(wire->weather.short_writes, len < room ? len : room);
    sim_trace("wire %d: %s writes %zu", wire->number, name_of(end), len);
    if (!end->peer->is_open && !wire->is_silent) {
        /* Gone with its reader: the answer is a reset. */
        send_reset(end, sim_arrival_us(&wire->weather) + wire->weather.latency_us);
        return (long)len;
    }
    sim_pipe_write(pipe, &wire->weather, bytes, len);
    if (wire->is_silent) {
        sim_pipe_lose(pipe);
        end->give_up_us = sim_earlier(end->give_up_us, sim_now_us() + GIVE_UP_US);
    }
    if (pipe->written >= wire->cut_byte_count) {
        wire->cut_byte_count = SIM_NEVER;
        wire->cut_us = sim_arrival_us(&wire->weather);
    }
    return (long)len;
}

int sim_end_shut(struct sim_end *end)
{
    sim_end_settle(end);
    if (end->is_reset)
        return fail_with(ENOTCONN);
    if (!end->is_shut) {
        sim_trace("wire %d: %s ends its side", end->wire->number, name_of(end));
        sim_counts.half_closes++;
        end->is_shut = true;
        if (!end->wire->is_silent)
            sim_pipe_end(&end->peer->in, &end->wire->weather);
    }
    return 0;
}

void sim_end_close(struct sim_end *end)
{
    const struct sim_weather *weather = &end->wire->weather;

    sim_end_settle(end);
    sim_trace("wire %d: %s closes%s", end->wire->number, name_of(end),
              end->lingers_not ? " with a reset" : "");
    end->is_open = false;
    if (!end->is_reset && !end->wire->is_silent) {
        if (end->lingers_not || end->in.arrived > end->in.read)
            send_reset(end->peer, sim_arrival_us(weather));
        else if (end->in.count > 0)
            send_reset(end->peer, end->in.segments[end->in.first].us + weather->latency_us);
        if (!end->lingers_not && !end->is_shut)
            sim_pipe_end(&end->peer->in, weather);
    }
    release_wire(end->wire);
}

void sim_end_drop(struct sim_end *end)
{
    end->is_open = false;
    send_reset(end->peer, sim_arrival_us(&end->wire->weather));
    release_wire(end->wire);
}

uint64_t sim_end_acknowledged_len(struct sim_end *end)
{
    sim_end_settle(end->peer);
    return end->peer->in.arrived;
}

size_t sim_end_unsent_len(struct sim_end *end)
{
    const struct sim_pipe *pipe = &end->peer->in;

    sim_end_settle(end->peer);
    return (size_t)(pipe->written - pipe->arrived) +
           (end->is_shut && pipe->end_us > sim_now_us() ? 1 : 0);
}

uint32_t sim_end_ready(struct sim_end *end)
{
    const struct sim_weather *weather = &end->wire->weather;
    uint32_t ready = 0;
    bool is_at_end;

    sim_end_settle(end);
    is_at_end = end->is_reset || sim_pipe_is_at_end(&end->in, weather);
    if (is_at_end || sim_pipe_readable(&end->in, weather) > 0)
        ready |= EPOLLIN;
    if (is_at_end)
        ready |= EPOLLRDHUP;
    if (end->is_reset || (is_at_end && end->is_shut))
        ready |= EPOLLHUP;
    if (end->error != 0)
        ready |= EPOLLERR;
    if (end->is_reset || end->is_shut ||
        sim_pipe_room(&end->peer->in, weather) * 3 >= weather->capacity)
        ready |= EPOLLOUT;
    return ready;
}
