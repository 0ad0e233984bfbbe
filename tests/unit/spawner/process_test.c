/*
 * process_test.c - the table of programs: found by id and by pid, bounded, and right after any
 * order of changes.
 */
#include <string.h>

#include "support/test.h"

#include "spawner/process.h"

static struct dx_process_table table;

static int clear(void **state)
{
    (void)state;
    memset(&table, 0, sizeof(table));
    return 0;
}

static void found_by_id_of_its_channel(void **state)
{
    struct dx_process *first = dx_process_new(&table, 0, 5);
    struct dx_process *second = dx_process_new(&table, 1, 5);

    (void)state;
    assert_ptr_equal(dx_process_find_id(&table, 0, 5), first);
    assert_ptr_equal(dx_process_find_id(&table, 1, 5), second);
    assert_null(dx_process_find_id(&table, 2, 5));
    assert_null(dx_process_find_id(&table, 0, 6));
    dx_process_run(&table, first, 100);
    assert_ptr_equal(dx_process_find_id(&table, 0, 5), first);
    first->state = DX_PROCESS_ENDED;
    assert_null(dx_process_find_id(&table, 0, 5));
}

/* A number that was given again: who runs comes before who has ended. */
static void found_by_pid(void **state)
{
    struct dx_process *old = dx_process_new(&table, 0, 1);
    struct dx_process *young = dx_process_new(&table, 0, 2);
    struct dx_process *neighbour = dx_process_new(&table, 0, 3);

    (void)state;
    assert_null(dx_process_find_pid(&table, 100));
    dx_process_run(&table, young, 100);
    dx_process_run(&table, old, 100);
    dx_process_run(&table, neighbour, 100 + DX_PROCESS_BUCKETS);
    old->state = DX_PROCESS_ENDED;
    assert_ptr_equal(dx_process_find_pid(&table, 100), young);
    assert_ptr_equal(dx_process_find_pid(&table, 100 + DX_PROCESS_BUCKETS), neighbour);
    dx_process_free(&table, young);
    assert_ptr_equal(dx_process_find_pid(&table, 100), old);
    dx_process_free(&table, old);
    assert_null(dx_process_find_pid(&table, 100));
    assert_ptr_equal(dx_process_find_pid(&table, 100 + DX_PROCESS_BUCKETS), neighbour);
}

static void full_is_full(void **state)
{
    (void)state;
    for (uint64_t id = 0; id < DX_PROCESSES_MAX; id++)
        assert_non_null(dx_process_new(&table, 0, id));
    assert_null(dx_process_new(&table, 0, DX_PROCESSES_MAX));
    for (uint64_t id = 0; id < DX_PROCESSES_MAX; id += 2)
        dx_process_free(&table, dx_process_find_id(&table, 0, id));
    for (uint64_t id = 0; id < DX_PROCESSES_MAX; id++)
        assert_int_equal(dx_process_find_id(&table, 0, id) != NULL, id % 2 == 1);
    for (uint64_t id = 0; id < DX_PROCESSES_MAX; id += 2)
        assert_non_null(dx_process_new(&table, 0, id));
    assert_null(dx_process_new(&table, 0, DX_PROCESSES_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(found_by_id_of_its_channel, clear),
        cmocka_unit_test_setup(found_by_pid, clear),
        cmocka_unit_test_setup(full_is_full, clear),
    };

    return run_group(tests, NULL, NULL);
}
