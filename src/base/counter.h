/*
 * counter.h - numbers that one thread changes and any thread reads, without a locked instruction.
 *
 * A reader gets a value that the number has had. Nothing else is ordered by it.
 */
#ifndef DX_BASE_COUNTER_H
#define DX_BASE_COUNTER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct dx_counter {
    _Atomic uint64_t value;
};

/** Only on the thread that changes the number. */
static inline void dx_counter_add(struct dx_counter *counter, uint64_t count)
{
    atomic_store_explicit(&counter->value,
                          atomic_load_explicit(&counter->value, memory_order_relaxed) + count,
                          memory_order_relaxed);
}

/** Any thread. */
static inline uint64_t dx_counter_read(const struct dx_counter *counter)
{
    return atomic_load_explicit(&counter->value, memory_order_relaxed);
}

#endif
