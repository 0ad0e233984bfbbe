/*
 * pool_test.c - blocks come back, and the limit holds.
 */
#include <stdlib.h>

#include "base/pool.h"

#include "support/test.h"

static void blocks_are_used_again(void **state)
{
    struct dx_pool pool;
    struct dx_block *first;
    struct dx_block *second;

    (void)state;
    dx_pool_init(&pool, 1, 10 * DX_BLOCK_SIZE);
    assert_int_equal(dx_pool_take(&pool, &first), DX_OK);
    assert_int_equal(pool.used_len, DX_BLOCK_SIZE);
    first->start = 3;
    first->end = 9;
    dx_pool_give(&pool, first);
    assert_int_equal(pool.used_len, 0);
    assert_int_equal(pool.free_count, 1);
    assert_int_equal(dx_pool_take(&pool, &second), DX_OK);
    assert_ptr_equal(second, first);
    assert_int_equal(second->start, 0);
    assert_int_equal(second->end, 0);
    assert_null(second->next);
    assert_null(second->shared);
    dx_pool_give(&pool, second);
    dx_pool_release(&pool);
    assert_int_equal(pool.free_count, 0);
}

static void no_more_is_kept_than_asked(void **state)
{
    struct dx_pool pool;
    struct dx_block *blocks[5];

    (void)state;
    dx_pool_init(&pool, 2, 10 * DX_BLOCK_SIZE);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(dx_pool_take(&pool, &blocks[i]), DX_OK);
    for (size_t i = 0; i < 5; i++)
        dx_pool_give(&pool, blocks[i]);
    assert_int_equal(pool.free_count, 2);
    dx_pool_release(&pool);
}

static void the_limit_counts_blocks_and_charges(void **state)
{
    struct dx_pool pool;
    struct dx_block *block;
    struct dx_block *other = NULL;

    (void)state;
    dx_pool_init(&pool, 0, DX_BLOCK_SIZE + 100);
    assert_int_equal(dx_pool_charge(&pool, 100), DX_OK);
    assert_int_equal(dx_pool_take(&pool, &block), DX_OK);
    assert_int_equal(dx_pool_charge(&pool, 1), DX_ERR_TOO_MANY);
    assert_int_equal(dx_pool_charge(&pool, SIZE_MAX), DX_ERR_TOO_MANY);
    assert_int_equal(dx_pool_charge(&pool, 0), DX_OK);
    dx_pool_uncharge(&pool, 100);
    assert_int_equal(dx_pool_take(&pool, &other), DX_ERR_TOO_MANY);
    assert_null(other);
    dx_pool_give(&pool, block);
    assert_int_equal(pool.used_len, 0);
    dx_pool_release(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_used_again),
        cmocka_unit_test(no_more_is_kept_than_asked),
        cmocka_unit_test(the_limit_counts_blocks_and_charges),
    };

    return run_group(tests, NULL, NULL);
}
