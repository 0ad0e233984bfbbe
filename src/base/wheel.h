/*
 * wheel.h - many deadlines, each O(1): a hierarchical timing wheel. Time is passed in, in
 * milliseconds.
 *
 * An object with several deadlines sets one timer for the nearest. A timer is embedded in its
 * owner; an unset one costs nothing. It never fires early, and at most one slot (its granularity)
 * late. Not thread-safe.
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
    uint64_t occupied[DX_WHEEL_LEVELS]; /* one bit for each slot */
    uint64_t now_ms;
    size_t count;
};

void dx_wheel_init(struct dx_wheel *wheel, uint64_t now_ms);

/** Prepares a timer that is not set. */
void dx_timer_init(struct dx_timer *timer, void (*on_due)(struct dx_timer *timer));

/** Sets or moves the timer to fire at `due_ms`. If that is past, it fires at the next advance. */
void dx_wheel_set(struct dx_wheel *wheel, struct dx_timer *timer, uint64_t due_ms);

/** Unsets the timer. Does nothing if it is not set. */
void dx_wheel_unset(struct dx_wheel *wheel, struct dx_timer *timer);

static inline bool dx_timer_is_set(const struct dx_timer *timer)
{
    return timer->previous_next != 0;
}

/**
 * Advances the time, never back, and fires timers that are due, earliest first. Callbacks may set
 * and unset any timer, also their own. If one is set to a time that is past, it fires at the next
 * advance. Not from inside a callback.
 */
void dx_wheel_advance(struct dx_wheel *wheel, uint64_t now_ms);

/**
 * Milliseconds from wheel->now_ms until a timer may be due, as a lower bound; UINT64_MAX: none is
 * set.
 */
uint64_t dx_wheel_next(const struct dx_wheel *wheel);

#endif
