/*
 * allocator.h - malloc, calloc and realloc (and strdup, where it is wrapped) that fail on demand,
 * and count what is alive.
 *
 * A test program that wants it is linked with -Wl,--wrap for the four functions
 * (`failing_allocator` in meson.build), not with link-time optimisation. Only what runs while it is
 * on is counted and can fail, so that a test's own memory does not matter. One thread.
 */
#ifndef TESTS_FAILING_ALLOCATOR_H
#define TESTS_FAILING_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

/** Allocations count from now on; the `nth` one (1 is the next) fails, none for 0. */
void failing_allocator_start(size_t nth);

/** Stops counting; returns whether an allocation was failed since the start. */
bool failing_allocator_stop(void);

/** Switches counting off and on in between, for a test's own calls. */
void failing_allocator_pause(bool paused);

/** Blocks that were allocated while it was on and are not freed, wherever they are freed. */
long failing_allocator_live(void);

#endif
