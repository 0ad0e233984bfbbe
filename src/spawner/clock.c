/*
 * clock.c - the spawner's clock.
 */
#include <time.h>

#include "spawner/supervisor.h"

int64_t dx_monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}
