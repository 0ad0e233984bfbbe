/*
 * shared_test.c - references of a shared run, from several threads too.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/shared.h"

#include "support/test.h"

static void the_last_reference_frees(void **state)
{
    struct dx_shared *shared;
    uint8_t *bytes;

    (void)state;
    assert_int_equal(dx_shared_new(3, &shared, &bytes), DX_OK);
    memcpy(bytes, "abc", 3);
    dx_shared_keep(shared);
    dx_shared_drop(shared);
    assert_true(dx_slice_is(dx_shared_slice(shared), "abc"));
    dx_shared_drop(shared);
    dx_shared_drop(NULL);
    assert_int_equal(dx_shared_new((size_t)UINT32_MAX + 1, &shared, &bytes), DX_ERR_TOO_BIG);
}

static void *keep_and_drop(void *shared)
{
    for (unsigned i = 0; i < 100000; i++) {
        dx_shared_keep(shared);
        dx_shared_drop(shared);
    }
    dx_shared_drop(shared);
    return NULL;
}

/* A lost count would free it early, or leak it: the sanitizers tell. */
static void threads_may_keep_and_drop(void **state)
{
    struct dx_shared *shared;
    uint8_t *bytes;
    pthread_t threads[4];

    (void)state;
    assert_int_equal(dx_shared_new(64, &shared, &bytes), DX_OK);
    memset(bytes, 7, 64);
    for (size_t i = 0; i < 4; i++) {
        dx_shared_keep(shared);
        assert_int_equal(pthread_create(&threads[i], NULL, keep_and_drop, shared), 0);
    }
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(dx_shared_slice(shared).data[63], 7);
    dx_shared_drop(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_reference_frees),
        cmocka_unit_test(threads_may_keep_and_drop),
    };

    return run_group(tests, NULL, NULL);
}
