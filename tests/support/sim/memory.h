/*
 * memory.h - malloc, calloc, realloc, strdup and strndup that are counted, and fail by chance.
 *
 * A program that wants it is linked with -Wl,--wrap for them and for free, not with link-time
 * optimisation.
 */
#ifndef TESTS_SIM_MEMORY_H
#define TESTS_SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/** From now on one allocation in `one_in` fails; 0: none. */
void sim_memory_fail(unsigned one_in);

/** For what the test itself allocates: nothing fails in between. Nested calls are fine. */
void sim_memory_hold(void);
void sim_memory_let_go(void);

/** Blocks alive. */
long sim_memory_live(void);

/** Whether an allocation has failed since sim_memory_fail. */
bool sim_memory_has_failed(void);

#endif
