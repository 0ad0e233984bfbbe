/*
 * nomem_test.c - each allocation of buffers, queue, ids and answers failing in turn: an error,
 * nothing changed, nothing lost.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/ids.h"
#include "base/output.h"
#include "base/shared.h"
#include "support/failing/allocator.h"
#include "support/test.h"

static unsigned failure_count;

/* `run` is one scenario from its beginning to its end, whatever fails: true when nothing did. */
static void fail_each_allocation(bool (*run)(void))
{
    for (size_t nth = 1;; nth++) {
        bool is_fine;

        failing_allocator_start(nth);
        is_fine = run();
        if (!failing_allocator_stop()) {
            assert_true(is_fine);
            assert_int_equal(failing_allocator_live(), 0);
            return;
        }
        assert_false(is_fine);
        assert_int_equal(failing_allocator_live(), 0);
        failure_count++;
    }
}

static bool fill_output(void)
{
    static uint8_t bytes[5 * DX_BLOCK_SIZE];
    struct dx_pool pool;
    struct dx_output output;
    struct dx_shared *shared = NULL;
    uint8_t *at;
    size_t len = 0;
    bool is_fine = true;

    dx_pool_init(&pool, 1, 1 << 20);
    dx_output_init(&output, &pool);
    for (size_t part = 1; part <= sizeof(bytes) && is_fine; part *= 3) {
        enum dx_err err = dx_output_append(&output, bytes, part);

        assert_true(err == DX_OK || err == DX_ERR_NOMEM);
        is_fine = err == DX_OK;
        len += is_fine ? part : 0;
        assert_int_equal(output.len, len);
    }
    is_fine = is_fine && dx_shared_new(1000, &shared, &at) == DX_OK;
    is_fine = is_fine && dx_output_append_shared(&output, shared) == DX_OK;
    is_fine = is_fine && dx_output_reserve(&output, DX_BLOCK_ROOM, &at) == DX_OK;
    assert_int_equal(output.len, is_fine ? len + 1000 : output.len);
    dx_shared_drop(shared);
    dx_output_clear(&output);
    assert_int_equal(pool.used_len, 0);
    dx_pool_release(&pool);
    return is_fine;
}

static bool fill_buf(void)
{
    struct dx_buf buf;
    bool is_fine = true;

    dx_buf_init(&buf, 5000);
    for (size_t len = 0; len < 5000 && is_fine; len += 100) {
        static const uint8_t bytes[100];
        enum dx_err err = dx_buf_append(&buf, bytes, sizeof(bytes));

        assert_true(err == DX_OK || err == DX_ERR_NOMEM);
        is_fine = err == DX_OK;
        assert_int_equal(buf.len, is_fine ? len + 100 : len);
    }
    dx_buf_release(&buf);
    return is_fine;
}

static bool fill_ids(void)
{
    static int object;
    struct dx_ids ids;
    bool is_fine = true;

    dx_ids_init(&ids, 100);
    for (uint32_t count = 0; count < 100 && is_fine; count++) {
        uint64_t id = 0;
        enum dx_err err = dx_ids_add(&ids, &object, &id);

        assert_true(err == DX_OK || err == DX_ERR_NOMEM);
        is_fine = err == DX_OK;
        assert_int_equal(ids.count, is_fine ? count + 1 : count);
        assert_ptr_equal(dx_ids_find(&ids, id), is_fine ? &object : NULL);
    }
    dx_ids_release(&ids);
    return is_fine;
}

static void output_queue(void **state)
{
    (void)state;
    fail_each_allocation(fill_output);
}

static void buffers(void **state)
{
    (void)state;
    fail_each_allocation(fill_buf);
}

static void id_tables(void **state)
{
    (void)state;
    fail_each_allocation(fill_ids);
}

static int print_count(void **state)
{
    (void)state;
    assert_true(failure_count >= 15);
    print_message("allocations failed: %u\n", failure_count);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_queue),
        cmocka_unit_test(buffers),
        cmocka_unit_test(id_tables),
    };

    return run_group(tests, NULL, print_count);
}
