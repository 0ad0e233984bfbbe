/*
 * output_test.c - the queue of bytes beside a plain array, under random operations; limits; shared
 * frames.
 */
#include <stdlib.h>

#include "base/output.h"
#include "base/shared.h"

#include "support/test.h"

#define MODEL_MAX (1 << 18)

static struct dx_pool pool;
static struct dx_output output;
static uint8_t model[MODEL_MAX];
static size_t model_len;
static uint8_t next_byte;
static uint64_t random_state = 2463534242u;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* The next `len` bytes of the stream, also at the model's end. */
static const uint8_t *grow_model(size_t len)
{
    uint8_t *begin = model + model_len;

    for (size_t i = 0; i < len; i++)
        begin[i] = next_byte++;
    model_len += len;
    return begin;
}

static size_t random_len(void)
{
    static const size_t spans[] = {4, 200, DX_BLOCK_ROOM + 2, 3 * DX_BLOCK_ROOM};

    return next_random() % spans[next_random() % 4];
}

static void check_against_model(void)
{
    struct dx_slice slices[8];
    size_t count = dx_output_peek(&output, slices, 8);
    size_t at = 0;

    assert_int_equal(output.len, model_len);
    for (size_t i = 0; i < count; i++) {
        assert_true(slices[i].len > 0 && at + slices[i].len <= model_len);
        assert_memory_equal(slices[i].data, model + at, slices[i].len);
        at += slices[i].len;
    }
    if (count < 8)
        assert_int_equal(at, model_len);
}

static void queue_shared(size_t len)
{
    struct dx_shared *shared;
    uint8_t *bytes;

    assert_int_equal(dx_shared_new(len, &shared, &bytes), DX_OK);
    if (len > 0)
        memcpy(bytes, grow_model(len), len);
    assert_int_equal(dx_output_append_shared(&output, shared), DX_OK);
    dx_shared_drop(shared);
}

static void queue_reserved(size_t len)
{
    size_t reserved = len >= DX_BLOCK_ROOM ? DX_BLOCK_ROOM : len + 1;
    size_t used = reserved - next_random() % reserved;
    uint8_t *at;

    assert_int_equal(dx_output_reserve(&output, reserved, &at), DX_OK);
    assert_true(dx_output_tail_room(&output) >= reserved);
    if (next_random() % 8 == 0) {
        dx_output_commit(&output, 0);
        return;
    }
    memcpy(at, grow_model(used), used);
    dx_output_commit(&output, used);
}

static void consume(size_t len)
{
    dx_output_consume(&output, len);
    model_len -= len;
    memmove(model, model + len, model_len);
}

static void step(void)
{
    size_t len = random_len();
    uint8_t *at;

    switch (next_random() % 8) {
    case 0:
    case 1:
        assert_int_equal(dx_output_append(&output, grow_model(len), len), DX_OK);
        break;
    case 2:
        queue_shared(len);
        break;
    case 3:
        queue_reserved(len);
        break;
    case 4: /* forgotten */
        assert_int_equal(dx_output_reserve(&output, 100, &at), DX_OK);
        break;
    case 5:
        model_len -= model_len > len ? len : 0;
        next_byte = model_len > 0 ? (uint8_t)(model[model_len - 1] + 1) : next_byte;
        dx_output_truncate(&output, model_len);
        break;
    default:
        consume(len * 2 > model_len ? model_len : len * 2);
    }
}

static void random_operations_agree_with_a_plain_array(void **state)
{
    (void)state;
    dx_pool_init(&pool, 4, 64 << 20);
    dx_output_init(&output, &pool);
    for (unsigned i = 0; i < 20000; i++) {
        step();
        check_against_model();
        if (model_len > MODEL_MAX / 2)
            consume(model_len);
        if (model_len == 0 && output.first == NULL)
            assert_int_equal(pool.used_len, 0);
    }
    dx_output_clear(&output);
    assert_int_equal(output.len, 0);
    assert_int_equal(pool.used_len, 0);
    dx_pool_release(&pool);
}

static void empty_it_owns_nothing(void **state)
{
    uint8_t *at;

    (void)state;
    dx_pool_init(&pool, 0, 1 << 20);
    dx_output_init(&output, &pool);
    assert_int_equal(dx_output_tail_room(&output), 0);
    assert_int_equal(dx_output_append(&output, "abc", 3), DX_OK);
    assert_int_equal(dx_output_tail_room(&output), DX_BLOCK_ROOM - 3);
    dx_output_consume(&output, 2);
    assert_int_equal(pool.used_len, DX_BLOCK_SIZE);
    dx_output_consume(&output, 1);
    assert_int_equal(pool.used_len, 0);
    assert_int_equal(dx_output_reserve(&output, DX_BLOCK_ROOM, &at), DX_OK);
    dx_output_commit(&output, 0);
    assert_int_equal(pool.used_len, 0);
    assert_int_equal(dx_output_append(&output, NULL, 0), DX_OK);
    assert_null(output.first);
}

static void all_or_nothing_at_the_limit(void **state)
{
    static uint8_t bytes[3 * DX_BLOCK_SIZE];
    struct dx_shared *shared;
    uint8_t *at;

    (void)state;
    dx_pool_init(&pool, 2, 2 * DX_BLOCK_SIZE);
    dx_output_init(&output, &pool);
    assert_int_equal(dx_output_append(&output, bytes, sizeof(bytes)), DX_ERR_TOO_MANY);
    assert_int_equal(output.len, 0);
    assert_int_equal(pool.used_len, 0);
    assert_int_equal(dx_output_append(&output, bytes, 2 * DX_BLOCK_ROOM), DX_OK);
    assert_int_equal(dx_output_append(&output, bytes, 1), DX_ERR_TOO_MANY);
    assert_int_equal(dx_output_reserve(&output, 1, &at), DX_ERR_TOO_MANY);
    assert_int_equal(dx_shared_new(1, &shared, &at), DX_OK);
    assert_int_equal(dx_output_append_shared(&output, shared), DX_ERR_TOO_MANY);
    dx_shared_drop(shared);
    assert_int_equal(output.len, 2 * DX_BLOCK_ROOM);
    dx_output_clear(&output);
    assert_int_equal(pool.used_len, 0);
    dx_pool_release(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_agree_with_a_plain_array),
        cmocka_unit_test(empty_it_owns_nothing),
        cmocka_unit_test(all_or_nothing_at_the_limit),
    };

    return run_group(tests, NULL, NULL);
}
