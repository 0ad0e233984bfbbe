/*
 * clock.h - time in tests: what has passed, and how long to wait for what must come.
 */
#ifndef TESTS_CLOCK_H
#define TESTS_CLOCK_H

#include <stdint.h>
#include <time.h>

/*
 * Not a measurement: a program that takes so long, on however busy a machine, hangs. It is less
 * than the 30 s after which the library's own deadlines would end what should have ended before.
 */
#define PATIENCE_MS 25000

/** Milliseconds of the monotonic clock. */
static inline uint64_t clock_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif
