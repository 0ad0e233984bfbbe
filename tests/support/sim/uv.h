/*
 * uv.h - as much of libuv as the library uses, on the simulated clock. The definitions in uv.c
 * stand before those of the shared library; loops run one turn at a time, when the simulator says
 * so.
 */
#ifndef TESTS_SIM_UV_H
#define TESTS_SIM_UV_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

void sim_uv_reset(void);

/** Whether a turn of the loop would do something now. */
bool sim_uv_is_ready(const uv_loop_t *loop);

/** The loops there are, in the order they were made; NULL beyond the last. */
uv_loop_t *sim_uv_loop(int index);

#endif
