/*
 * wheel.c - five levels of 64 slots: level 0 counts milliseconds, each further level 64 times as
 * much.
 *
 * A timer is on the level of the highest 6-bit digit in which its time differs from now. So a lower
 * level is always due before a higher one, one bit scan finds the next occupied slot, and time can
 * jump there in one step. When now enters a slot of a higher level, its timers move down, at most
 * four times in the life of a timer. A timer beyond the last level (12 days) waits in its last slot
 * and is placed again from there.
 */
#include "base/wheel.h"

#define DIGIT_BITS 6
#define TOP (DX_WHEEL_LEVELS - 1)
#define TOP_SHIFT (DIGIT_BITS * TOP)
#define HORIZON_MS ((uint64_t)(DX_WHEEL_SLOTS - 1) << TOP_SHIFT)

static void link_first(struct dx_timer **head, struct dx_timer *timer)
{
    timer->next = *head;
    timer->previous_next = head;
    if (timer->next)
        timer->next->previous_next = &timer->next;
    *head = timer;
}

static void unlink_timer(struct dx_timer *timer)
{
    *timer->previous_next = timer->next;
    if (timer->next)
        timer->next->previous_next = timer->previous_next;
    timer->next = NULL;
    timer->previous_next = NULL;
}

static void place(struct dx_wheel *wheel, struct dx_timer *timer)
{
    uint64_t at = timer->due_ms;
    uint64_t difference;
    unsigned level = 0;
    unsigned slot;

    if (at < wheel->now_ms)
        at = wheel->now_ms;
    if (at - wheel->now_ms > HORIZON_MS)
        at = wheel->now_ms + HORIZON_MS;
    difference = at ^ wheel->now_ms;
    if (difference)
        level = (unsigned)(63 - __builtin_clzll(difference)) / DIGIT_BITS;
    if (level > TOP)
        level = TOP;
    slot = (unsigned)(at >> (DIGIT_BITS * level)) % DX_WHEEL_SLOTS;
    link_first(&wheel->slots[level][slot], timer);
    wheel->occupied[level] |= UINT64_C(1) << slot;
}

/* When the earliest occupied slot begins. False: no timer is set. */
static bool find_next(const struct dx_wheel *wheel, unsigned *level, unsigned *slot,
                      uint64_t *begin_ms)
{
    for (unsigned i = 0; i < DX_WHEEL_LEVELS; i++) {
        unsigned shift = DIGIT_BITS * i;
        unsigned here = (unsigned)(wheel->now_ms >> shift) % DX_WHEEL_SLOTS;
        uint64_t bits = wheel->occupied[i];
        unsigned ahead;

        if (!bits)
            continue;
        /* Only the top level wraps around; on other levels no slot follows `here`. */
        bits = here ? bits >> here | bits << (DX_WHEEL_SLOTS - here) : bits;
        ahead = (unsigned)__builtin_ctzll(bits);
        *level = i;
        *slot = (here + ahead) % DX_WHEEL_SLOTS;
        *begin_ms = ((wheel->now_ms >> shift) + ahead) << shift;
        return true;
    }
    return false;
}

void dx_wheel_init(struct dx_wheel *wheel, uint64_t now_ms)
{
    *wheel = (struct dx_wheel){.now_ms = now_ms};
}

void dx_timer_init(struct dx_timer *timer, void (*on_due)(struct dx_timer *timer))
{
    *timer = (struct dx_timer){.on_due = on_due};
}

void dx_wheel_set(struct dx_wheel *wheel, struct dx_timer *timer, uint64_t due_ms)
{
    dx_wheel_unset(wheel, timer);
    timer->due_ms = due_ms;
    place(wheel, timer);
    wheel->count++;
}

void dx_wheel_unset(struct dx_wheel *wheel, struct dx_timer *timer)
{
    struct dx_timer **head = timer->previous_next;
    uintptr_t offset;

    if (!head)
        return;
    unlink_timer(timer);
    wheel->count--;
    /*
     * The last timer that leaves a slot clears its bit. A timer that follows another one, or is
     * about to fire, is not the head of a slot.
     */
    offset = (uintptr_t)head - (uintptr_t)wheel->slots;
    if (offset < sizeof(wheel->slots) && !*head) {
        size_t index = offset / sizeof(*head);

        wheel->occupied[index / DX_WHEEL_SLOTS] &= ~(UINT64_C(1) << (index % DX_WHEEL_SLOTS));
    }
}

/* Empties a slot: its timers are due (level 0), or move down to a lower level. */
static struct dx_timer **empty_slot(struct dx_wheel *wheel, unsigned level, unsigned slot,
                                    struct dx_timer **due_tail)
{
    struct dx_timer *timer = wheel->slots[level][slot];

    wheel->slots[level][slot] = NULL;
    wheel->occupied[level] &= ~(UINT64_C(1) << slot);
    while (timer) {
        struct dx_timer *next = timer->next;

        if (level > 0) {
            place(wheel, timer);
        } else {
            link_first(due_tail, timer);
            due_tail = &timer->next;
        }
        timer = next;
    }
    return due_tail;
}

void dx_wheel_advance(struct dx_wheel *wheel, uint64_t now_ms)
{
    struct dx_timer *due = NULL;
    struct dx_timer **due_tail = &due;
    unsigned level;
    unsigned slot;
    uint64_t begin_ms;

    while (find_next(wheel, &level, &slot, &begin_ms) && begin_ms <= now_ms) {
        if (begin_ms > wheel->now_ms)
            wheel->now_ms = begin_ms;
        due_tail = empty_slot(wheel, level, slot, due_tail);
    }
    if (now_ms > wheel->now_ms)
        wheel->now_ms = now_ms;
    /*
     * Timers fire only now. If a callback sets a timer to a time that is past, it waits for the
     * next advance, so that this loop ends.
     */
    while (due) {
        struct dx_timer *timer = due;

        unlink_timer(timer);
        wheel->count--;
        timer->on_due(timer);
    }
}

uint64_t dx_wheel_next(const struct dx_wheel *wheel)
{
    unsigned level;
    unsigned slot;
    uint64_t begin_ms;

    if (!find_next(wheel, &level, &slot, &begin_ms))
        return UINT64_MAX;
    return begin_ms > wheel->now_ms ? begin_ms - wheel->now_ms : 0;
}
