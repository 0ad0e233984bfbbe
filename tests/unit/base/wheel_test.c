/*
 * wheel_test.c - the timing wheel beside a naive list of times, under random operations.
 */
#include "base/wheel.h"

#include <stdlib.h>

#include "support/test.h"

#define TIMERS 200

struct model_timer {
    struct dx_timer timer;
    bool is_set;
    uint64_t due_ms;
    uint64_t placed_ms; /* due_ms, or the time at which it was set when that was later */
    bool is_chained;    /* sets itself again, `again_ms` after its due time */
    uint64_t again_ms;
};

static struct dx_wheel wheel;
static struct model_timer timers[TIMERS];
static uint64_t random_state = 88172645463325252u;
static uint64_t last_due_ms;
static unsigned fired_count;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void set(struct model_timer *model)
{
    model->is_set = true;
    model->placed_ms = model->due_ms < wheel.now_ms ? wheel.now_ms : model->due_ms;
    dx_wheel_set(&wheel, &model->timer, model->due_ms);
}

static void on_due(struct dx_timer *timer)
{
    struct model_timer *model = (struct model_timer *)timer;

    assert_true(model->is_set);
    assert_true(model->due_ms <= wheel.now_ms);
    assert_true(last_due_ms <= model->placed_ms);
    assert_false(dx_timer_is_set(timer));
    last_due_ms = model->placed_ms;
    model->is_set = false;
    fired_count++;
    if (model->is_chained) {
        model->due_ms += model->again_ms;
        set(model);
    }
}

/* Times of every size, past ones included. */
static uint64_t random_due(void)
{
    uint64_t span = next_random() & ((UINT64_C(1) << next_random() % 40) - 1);

    return next_random() % 16 == 0 ? wheel.now_ms - wheel.now_ms % 7 : wheel.now_ms + span;
}

static size_t count_set(uint64_t *earliest_ms)
{
    size_t count = 0;

    *earliest_ms = UINT64_MAX;
    for (size_t i = 0; i < TIMERS; i++) {
        if (!timers[i].is_set)
            continue;
        count++;
        if (timers[i].due_ms < *earliest_ms)
            *earliest_ms = timers[i].due_ms;
    }
    return count;
}

static void advance(uint64_t now_ms)
{
    last_due_ms = 0;
    dx_wheel_advance(&wheel, now_ms);
    assert_int_equal(wheel.now_ms, now_ms);
}

static void step(void)
{
    struct model_timer *model = &timers[next_random() % TIMERS];
    uint64_t earliest_ms;

    switch (next_random() % 4) {
    case 0:
    case 1:
        model->due_ms = random_due();
        model->is_chained = next_random() % 8 == 0;
        model->again_ms = next_random() % 100000;
        set(model);
        break;
    case 2:
        model->is_set = false;
        dx_wheel_unset(&wheel, &model->timer);
        break;
    default:
        advance(wheel.now_ms + (next_random() & ((UINT64_C(1) << next_random() % 36) - 1)));
        count_set(&earliest_ms);
        for (size_t i = 0; i < TIMERS; i++)
            if (timers[i].is_set && !timers[i].is_chained)
                assert_true(timers[i].due_ms > wheel.now_ms);
    }
    assert_int_equal(wheel.count, count_set(&earliest_ms));
    if (earliest_ms == UINT64_MAX)
        assert_true(dx_wheel_next(&wheel) == UINT64_MAX);
    else if (earliest_ms <= wheel.now_ms)
        assert_int_equal(dx_wheel_next(&wheel), 0);
    else
        assert_true(dx_wheel_next(&wheel) <= earliest_ms - wheel.now_ms);
}

static void random_operations_agree_with_the_naive_model(void **state)
{
    (void)state;
    dx_wheel_init(&wheel, 1234567);
    for (size_t i = 0; i < TIMERS; i++)
        dx_timer_init(&timers[i].timer, on_due);
    for (unsigned i = 0; i < 200000; i++)
        step();
    assert_true(fired_count > 1000);
    print_message("fired %u timers\n", fired_count);
}

static struct model_timer one;

/*
 * Walking from one dx_wheel_next to the following one reaches the exact millisecond in few steps.
 */
static void next_leads_to_the_exact_time(void **state)
{
    static const uint64_t spans[] = {0, 1, 63, 64, 65, 4095, 4096, 300000, 86400000, 5000000000};

    (void)state;
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        unsigned steps = 0;

        dx_wheel_init(&wheel, 999999937);
        one = (struct model_timer){.is_set = true, .due_ms = wheel.now_ms + spans[i]};
        dx_timer_init(&one.timer, on_due);
        dx_wheel_set(&wheel, &one.timer, one.due_ms);
        while (one.is_set) {
            advance(wheel.now_ms + dx_wheel_next(&wheel));
            steps++;
        }
        assert_int_equal(wheel.now_ms, one.due_ms);
        assert_true(steps <= 12);
        assert_int_equal(wheel.count, 0);
    }
}

static void a_time_already_past_set_in_a_callback_waits_for_the_next_advance(void **state)
{
    (void)state;
    dx_wheel_init(&wheel, 100);
    one = (struct model_timer){.is_set = true, .due_ms = 110, .is_chained = true};
    dx_timer_init(&one.timer, on_due);
    dx_wheel_set(&wheel, &one.timer, 110);
    fired_count = 0;
    advance(200);
    assert_int_equal(fired_count, 1);
    assert_int_equal(dx_wheel_next(&wheel), 0);
    advance(200);
    assert_int_equal(fired_count, 2);
}

static struct dx_timer pair[2];

static void on_due_unset_the_other(struct dx_timer *timer)
{
    dx_wheel_unset(&wheel, timer == &pair[0] ? &pair[1] : &pair[0]);
    fired_count++;
}

static void a_callback_may_unset_what_is_due_with_it(void **state)
{
    (void)state;
    dx_wheel_init(&wheel, 0);
    fired_count = 0;
    for (size_t i = 0; i < 2; i++) {
        dx_timer_init(&pair[i], on_due_unset_the_other);
        dx_wheel_set(&wheel, &pair[i], 10 + i);
    }
    dx_wheel_advance(&wheel, 50);
    assert_int_equal(fired_count, 1);
    assert_int_equal(wheel.count, 0);
    assert_true(dx_wheel_next(&wheel) == UINT64_MAX);
}

static void time_never_goes_back_and_far_ends_are_safe(void **state)
{
    (void)state;
    dx_wheel_init(&wheel, 5000);
    one = (struct model_timer){.is_set = true, .due_ms = UINT64_MAX};
    dx_timer_init(&one.timer, on_due);
    dx_wheel_set(&wheel, &one.timer, UINT64_MAX);
    dx_wheel_advance(&wheel, 10);
    assert_int_equal(wheel.now_ms, 5000);
    dx_wheel_advance(&wheel, UINT64_C(1) << 41);
    assert_true(dx_timer_is_set(&one.timer));
    dx_wheel_unset(&wheel, &one.timer);
    dx_wheel_unset(&wheel, &one.timer);
    assert_int_equal(wheel.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_agree_with_the_naive_model),
        cmocka_unit_test(next_leads_to_the_exact_time),
        cmocka_unit_test(a_time_already_past_set_in_a_callback_waits_for_the_next_advance),
        cmocka_unit_test(a_callback_may_unset_what_is_due_with_it),
        cmocka_unit_test(time_never_goes_back_and_far_ends_are_safe),
    };

    return run_group(tests, NULL, NULL);
}
