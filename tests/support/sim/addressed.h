/*
 * addressed.h - connections by their ids: sending, closing, calling and walking over all of them.
 */
#ifndef TESTS_SIM_ADDRESSED_H
#define TESTS_SIM_ADDRESSED_H

#include "support/sim/link.h"

/** By chance, on a server's side. */
void sim_addressed_act(struct sim_side *side);

void sim_addressed_begin(void);

/** At the world's end: every call that was promised has come, once. */
void sim_addressed_check(void);

#endif
