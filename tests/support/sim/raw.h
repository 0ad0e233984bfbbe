/*
 * raw.h - clients that are no endpoints: plain HTTP clients that ask many things at once, and
 * hostile ones.
 */
#ifndef TESTS_SIM_RAW_H
#define TESTS_SIM_RAW_H

#include "support/sim/client.h"

#define SIM_ASKED_MAX 16

struct sim_raw {
    int number;
    struct dx_loop *loop;
    struct sim_weather weather;
    struct dx_stream stream;
    struct dx_loop_timer *timer;
    bool is_hostile;
    bool is_done;
    bool ends_side; /* a hostile one: half-closes when it has said all */
    uint8_t *out;
    size_t out_len, out_sent, out_room;
    uint32_t pause_ms; /* between two pieces of what it says */
    size_t piece_len;
    /* of a plain one */
    struct {
        uint32_t len, at;
    } asked[SIM_ASKED_MAX];
    uint32_t asked_count, got_count;
    uint8_t *in;
    size_t in_len, in_room;
};

void sim_raw_start(struct sim_raw *raw, bool is_hostile, uint32_t delay_ms);
void sim_raw_release(struct sim_raw *raw);

/** At the world's end. `has_to_be_whole`: all answers must have come. */
void sim_raw_check(const struct sim_raw *raw, bool has_to_be_whole);

#endif
