/*
 * ids_test.c - ids find their own object and never another one.
 */
#include <stdlib.h>

#include "base/ids.h"

#include "support/test.h"

#define COUNT 1000

static int objects[COUNT];
static uint64_t ids_of[COUNT]; /* 0: not in the table */
static uint64_t dead[4 * COUNT];

static uint64_t next_random(void)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void ids_find_their_own_object_or_nothing(void **state)
{
    struct dx_ids ids;
    size_t dead_count = 0;
    uint32_t live_count = 0;

    (void)state;
    dx_ids_init(&ids, COUNT);
    for (unsigned step = 0; step < 100000; step++) {
        size_t i = next_random() % COUNT;

        if (ids_of[i] == 0) {
            assert_int_equal(dx_ids_add(&ids, &objects[i], &ids_of[i]), DX_OK);
            assert_true(ids_of[i] != 0);
            live_count++;
        } else {
            assert_ptr_equal(dx_ids_remove(&ids, ids_of[i]), &objects[i]);
            assert_null(dx_ids_remove(&ids, ids_of[i]));
            dead[dead_count++ % (4 * COUNT)] = ids_of[i];
            ids_of[i] = 0;
            live_count--;
        }
        assert_int_equal(ids.count, live_count);
        assert_null(dx_ids_find(&ids, dead[next_random() % (4 * COUNT)]));
        i = next_random() % COUNT;
        assert_ptr_equal(dx_ids_find(&ids, ids_of[i]), ids_of[i] ? &objects[i] : NULL);
    }
    dx_ids_release(&ids);
    assert_null(dx_ids_find(&ids, dead[0]));
}

static void ids_that_were_never_given(void **state)
{
    struct dx_ids ids;
    uint64_t id;

    (void)state;
    dx_ids_init(&ids, 10);
    assert_null(dx_ids_find(&ids, 0));
    assert_int_equal(dx_ids_add(&ids, &objects[0], &id), DX_OK);
    assert_null(dx_ids_find(&ids, 0));
    assert_null(dx_ids_find(&ids, UINT64_MAX));
    assert_null(dx_ids_find(&ids, id + 1));
    assert_null(dx_ids_find(&ids, id + (UINT64_C(1) << 32)));
    assert_null(dx_ids_remove(&ids, id + 5));
    assert_ptr_equal(dx_ids_find(&ids, id), &objects[0]);
    dx_ids_release(&ids);
}

static void the_limit(void **state)
{
    struct dx_ids ids;
    uint64_t given[20];
    uint64_t id = 4711;

    (void)state;
    dx_ids_init(&ids, 20);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(dx_ids_add(&ids, &objects[i], &given[i]), DX_OK);
    assert_int_equal(dx_ids_add(&ids, &objects[20], &id), DX_ERR_TOO_MANY);
    assert_int_equal(id, 4711);
    assert_ptr_equal(dx_ids_remove(&ids, given[7]), &objects[7]);
    assert_int_equal(dx_ids_add(&ids, &objects[20], &id), DX_OK);
    /* The same place, another generation. */
    assert_int_equal((uint32_t)id, (uint32_t)given[7]);
    assert_int_equal(id >> 32, (given[7] >> 32) + 1);
    dx_ids_release(&ids);
}

/* After the last generation a place is used no more: the next object gets another one. */
static void a_place_whose_generations_are_used_up(void **state)
{
    struct dx_ids ids;
    uint64_t first;
    uint64_t last;
    uint64_t other;

    (void)state;
    dx_ids_init(&ids, 20);
    assert_int_equal(dx_ids_add(&ids, &objects[0], &first), DX_OK);
    assert_ptr_equal(dx_ids_remove(&ids, first), &objects[0]);
    /* The first chunk: 64 places, then their generations. */
    ((uint32_t *)(void *)(ids.chunks[0] + 64))[0] = UINT32_MAX;
    assert_int_equal(dx_ids_add(&ids, &objects[1], &last), DX_OK);
    assert_true(last == UINT64_C(0xffffffff00000000));
    assert_ptr_equal(dx_ids_remove(&ids, last), &objects[1]);
    assert_int_equal(dx_ids_add(&ids, &objects[2], &other), DX_OK);
    assert_int_equal((uint32_t)other, 1);
    assert_null(dx_ids_find(&ids, first));
    assert_null(dx_ids_find(&ids, last));
    assert_ptr_equal(dx_ids_find(&ids, other), &objects[2]);
    dx_ids_release(&ids);
}

/* An id of the generation that a free place will have next names nothing yet. */
static void a_generation_ahead(void **state)
{
    struct dx_ids ids;
    uint64_t id, next;

    (void)state;
    dx_ids_init(&ids, 20);
    assert_int_equal(dx_ids_add(&ids, &objects[0], &id), DX_OK);
    assert_ptr_equal(dx_ids_remove(&ids, id), &objects[0]);
    next = id + (UINT64_C(1) << 32);
    assert_null(dx_ids_find(&ids, next));
    assert_null(dx_ids_remove(&ids, next));
    dx_ids_set(&ids, id, &objects[1]);
    dx_ids_set(&ids, next, &objects[1]);
    assert_int_equal(dx_ids_add(&ids, &objects[2], &id), DX_OK);
    assert_true(id == next);
    assert_ptr_equal(dx_ids_find(&ids, id), &objects[2]);
    dx_ids_set(&ids, id, &objects[3]);
    assert_ptr_equal(dx_ids_find(&ids, id), &objects[3]);
    dx_ids_release(&ids);
}

/*
 * Over several chunks: the place of each, and that the bits between place and generation stay free.
 */
static void many_places(void **state)
{
    static uint64_t given[100000];
    static int many[100000];
    struct dx_ids ids;
    uint32_t place = 0, found = 0;

    (void)state;
    dx_ids_init(&ids, UINT32_MAX);
    for (uint32_t i = 0; i < 100000; i++) {
        assert_int_equal(dx_ids_add(&ids, &many[i], &given[i]), DX_OK);
        assert_true(given[i] == (UINT64_C(1) << 32 | i));
    }
    for (uint32_t i = 0; i < 100000; i += 3)
        assert_ptr_equal(dx_ids_remove(&ids, given[i]), &many[i]);
    for (uint32_t i = 0; i < 100000; i++)
        assert_ptr_equal(dx_ids_find(&ids, given[i]), i % 3 == 0 ? NULL : &many[i]);
    for (int *object; (object = dx_ids_next(&ids, &place)) != NULL; found++)
        assert_int_equal((object - many) % 3 == 0, 0);
    assert_int_equal(found, ids.count);
    assert_int_equal(found, 66666);
    for (uint32_t i = 0; i < 100000; i += 3)
        assert_int_equal(dx_ids_add(&ids, &many[i], &given[i]), DX_OK);
    assert_int_equal(ids.place_count, 100000);
    dx_ids_release(&ids);
}

/* Every place that an id has bits for can be had, and not one more. */
static void the_last_place(void **state)
{
    struct dx_ids ids;
    uint64_t id = 4711;

    (void)state;
    dx_ids_init(&ids, UINT32_MAX);
    ids.place_count = (UINT32_C(1) << DX_IDS_PLACE_BITS) - 64;
    assert_int_equal(dx_ids_add(&ids, &objects[0], &id), DX_ERR_TOO_MANY);
    assert_int_equal(id, 4711);
    dx_ids_release(&ids);
}

/* What comes and goes on the way is found at most once; what stays is found. */
static void a_walk(void **state)
{
    struct dx_ids ids;
    uint64_t given[40];
    bool was_found[COUNT] = {false};
    uint32_t place = 0;

    (void)state;
    dx_ids_init(&ids, COUNT);
    assert_null(dx_ids_next(&ids, &place));
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(dx_ids_add(&ids, &objects[i], &given[i]), DX_OK);
    for (int *object; (object = dx_ids_next(&ids, &place)) != NULL;) {
        size_t i = (size_t)(object - objects);

        assert_false(was_found[i]);
        was_found[i] = true;
        if (i == 5) {
            assert_non_null(dx_ids_remove(&ids, given[3]));
            assert_non_null(dx_ids_remove(&ids, given[5]));
            assert_non_null(dx_ids_remove(&ids, given[9]));
            assert_int_equal(dx_ids_add(&ids, &objects[20], &given[20]), DX_OK);
        }
    }
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(was_found[i], i != 9);
    dx_ids_release(&ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_find_their_own_object_or_nothing),
        cmocka_unit_test(ids_that_were_never_given),
        cmocka_unit_test(the_limit),
        cmocka_unit_test(a_place_whose_generations_are_used_up),
        cmocka_unit_test(a_generation_ahead),
        cmocka_unit_test(many_places),
        cmocka_unit_test(the_last_place),
        cmocka_unit_test(a_walk),
    };

    return run_group(tests, NULL, NULL);
}
