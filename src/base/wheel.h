/*
 * wheel.h - many deadlines, O(1) each: a hierarchical timing wheel. Time is passed in, in
 * milliseconds.
 *
 * One deadline per object is the rule (an object with several computes the nearest). A timer is
 * embedded in its owner; an unset one costs nothing. Fires never early, at most one slot (its
 * granularity) late. Not thread-safe.
 */
#ifndef DX_BASE_WHEEL_H
#define DX_BASE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/container.h"

struct dx_timer {
    struct dx_timer *next;
    struct dx_timer **previous_next; /* NULL: not set */
    uint64_t due_ms;
    void (*on_due)(struct dx_timer *timer);
};

#define DX_WHEEL_LEVELS 5
#define DX_WHEEL_SLOTS 64

struct dx_wheel {
    struct dx_timer *slots[DX_WHEEL_LEVELS][DX_WHEEL_SLOTS];
    uint64_t occupied[DX_WHEEL_LEVELS]; /* one bit a slot */
    uint64_t now_ms;
    size_t count;
};

void dx_wheel_init(struct dx_wheel *wheel, uint64_t now_ms);

/** Prepares a timer that is not set. */
void dx_timer_init(struct dx_timer *timer, void (*on_due)(struct dx_timer *timer));

/** Sets or moves the timer to fire at `due_ms` (a time in the past fires at the next advance). */
void dx_wheel_set(struct dx_wheel *wheel, struct dx_timer *timer, uint64_t due_ms);

/** Unsets the timer; fine when it is not set. */
void dx_wheel_unset(struct dx_wheel *wheel, struct dx_timer *timer);

static inline bool dx_timer_is_set(const struct dx_timer *timer)
{
    return timer->previous_next != 0;
}

/**
 * Moves time on (never back) and fires what is due, earliest first; callbacks may set and unset any
 * timer, this one included. A timer that a callback sets for a time already past fires at the next
 * advance. Not from inside a callback.
 */
void dx_wheel_advance(struct dx_wheel *wheel, uint64_t now_ms);

/**
 * Milliseconds from wheel->now_ms until something may be due (a lower bound is allowed); UINT64_MAX
 * when nothing is set.
 */
uint64_t dx_wheel_next(const struct dx_wheel *wheel);

#endif
