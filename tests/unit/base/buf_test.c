/*
 * buf_test.c - growth, the maximum, taking.
 */
#include <stdlib.h>

#include "base/buf.h"

#include "support/test.h"

static void bytes_are_added_and_taken(void **state)
{
    struct dx_buf buf;
    uint8_t *data;
    size_t len;

    (void)state;
    dx_buf_init(&buf, 1000);
    assert_null(buf.data);
    assert_int_equal(dx_buf_append(&buf, "hello ", 6), DX_OK);
    assert_int_equal(dx_buf_append(&buf, "world", 5), DX_OK);
    assert_int_equal(dx_buf_append(&buf, NULL, 0), DX_OK);
    assert_true(dx_slice_is(dx_buf_slice(&buf), "hello world"));
    dx_buf_consume(&buf, 6);
    assert_true(dx_slice_is(dx_buf_slice(&buf), "world"));
    data = dx_buf_take(&buf, &len);
    assert_int_equal(len, 5);
    assert_memory_equal(data, "world", 5);
    free(data);
    assert_null(buf.data);
    assert_null(dx_buf_take(&buf, &len));
    assert_int_equal(len, 0);
    assert_int_equal(dx_buf_append(&buf, "x", 1), DX_OK);
    dx_buf_clear(&buf);
    assert_null(dx_buf_take(&buf, &len));
    dx_buf_release(&buf);
}

static void the_maximum_holds_to_the_byte(void **state)
{
    static const size_t maxima[] = {0, 1, 63, 64, 65, 100, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof(maxima) / sizeof(maxima[0]); i++) {
        struct dx_buf buf;

        dx_buf_init(&buf, maxima[i]);
        for (size_t len = 0; len < maxima[i]; len++)
            assert_int_equal(dx_buf_append(&buf, "a", 1), DX_OK);
        assert_int_equal(dx_buf_append(&buf, "a", 1), DX_ERR_TOO_BIG);
        assert_int_equal(dx_buf_reserve(&buf, SIZE_MAX), DX_ERR_TOO_BIG);
        assert_int_equal(buf.len, maxima[i]);
        assert_true(buf.room <= (maxima[i] > 64 ? maxima[i] : 64));
        dx_buf_release(&buf);
        assert_int_equal(buf.max_len, maxima[i]);
    }
}

static void reserved_room_is_contiguous(void **state)
{
    struct dx_buf buf;

    (void)state;
    dx_buf_init(&buf, 5000);
    assert_int_equal(dx_buf_append(&buf, "abc", 3), DX_OK);
    assert_int_equal(dx_buf_reserve(&buf, 4997), DX_OK);
    memset(buf.data + buf.len, 'x', 4997);
    buf.len += 4997;
    assert_int_equal(buf.room, 5000);
    assert_memory_equal(buf.data, "abcxx", 5);
    assert_int_equal(dx_buf_reserve(&buf, 0), DX_OK);
    assert_int_equal(dx_buf_reserve(&buf, 1), DX_ERR_TOO_BIG);
    dx_buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_added_and_taken),
        cmocka_unit_test(the_maximum_holds_to_the_byte),
        cmocka_unit_test(reserved_room_is_contiguous),
    };

    return run_group(tests, NULL, NULL);
}
