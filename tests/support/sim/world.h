/*
 * world.h - one whole simulated world: a server, its clients, the weather, and the end of it all.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

/** Lives through the world of that seed. An invariant that is broken ends in sim_fail. */
void sim_world_run(uint64_t seed, bool traces);

#endif
