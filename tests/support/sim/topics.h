/*
 * topics.h - publishing and subscribing in a simulated world, and what subscribers may get.
 */
#ifndef TESTS_SIM_TOPICS_H
#define TESTS_SIM_TOPICS_H

#include "support/sim/link.h"

#define SIM_ADDRESSED_ROOM 4096

/** By chance: subscribes, unsubscribes, publishes; on a server's side only. */
void sim_topics_act(struct sim_side *side);

/** Whether the message was published; it is judged then. */
bool sim_topics_take(struct sim_side *side, enum dx_opcode opcode, const uint8_t *data, size_t len);

/**
 * A message to one connection by its id is about to be sent: fills in what it says. Returns its
 * length, 0: no more of them.
 */
size_t sim_topics_address(const struct sim_side *side, uint8_t bytes[SIM_ADDRESSED_ROOM]);

void sim_topics_begin(void);

#endif
