/*
 * sized_test.c - structs of an older, the same and a newer version than the library's, and sizes
 * that no version has.
 */
#include "base/sized.h"

#include <string.h>

#include "support/test.h"

/* What the first version had, what this library knows, and what a later one has. */
struct first {
    size_t size;
    uint64_t limit;
};

struct known {
    size_t size;
    uint64_t limit;
    uint64_t added;
};

struct later {
    size_t size;
    uint64_t limit;
    uint64_t added;
    uint64_t unheard_of[2];
};

static enum dx_err copy(struct known *copy, const void *given)
{
    *copy = (struct known){sizeof(*copy), 10, 20};
    return DX_SIZED_COPY(struct known, limit, copy, given);
}

static void nothing_given_leaves_the_defaults(void **state)
{
    struct known own;

    (void)state;
    assert_int_equal(DX_SIZED_CHECK(struct known, limit, NULL), DX_OK);
    assert_int_equal(copy(&own, NULL), DX_OK);
    assert_int_equal(own.size, sizeof(own));
    assert_int_equal(own.limit, 10);
    assert_int_equal(own.added, 20);
}

static void an_older_one_leaves_the_default_of_what_it_lacks(void **state)
{
    struct first given = {sizeof(given), 1};
    struct known own;

    (void)state;
    assert_int_equal(copy(&own, &given), DX_OK);
    assert_int_equal(own.size, sizeof(own));
    assert_int_equal(own.limit, 1);
    assert_int_equal(own.added, 20);
}

static void the_same_is_taken_whole(void **state)
{
    struct known given = {sizeof(given), 1, 2};
    struct known own;

    (void)state;
    assert_int_equal(copy(&own, &given), DX_OK);
    assert_memory_equal(&own, &given, sizeof(own));
}

static void a_newer_one_is_taken_while_it_asks_for_nothing_new(void **state)
{
    struct later given = {sizeof(given), 1, 2, {0, 0}};
    struct known own;

    (void)state;
    assert_int_equal(copy(&own, &given), DX_OK);
    assert_int_equal(own.size, sizeof(own));
    assert_int_equal(own.added, 2);
    for (size_t i = 0; i < 2; i++) {
        given.unheard_of[i] = (uint64_t)1 << 63;
        assert_int_equal(copy(&own, &given), DX_ERR_USAGE);
        assert_int_equal(own.limit, 10);
        given.unheard_of[i] = 0;
    }
}

/* What follows the struct is 0, so that only its size is wrong. */
static void a_size_that_no_version_has_is_refused(void **state)
{
    static const size_t sizes[] = {0,
                                   1,
                                   sizeof(struct first) - 1,
                                   sizeof(struct known) + 1,
                                   sizeof(struct known) + 4096 + sizeof(size_t),
                                   SIZE_MAX};
    static struct {
        struct known known;
        unsigned char rest[8192];
    } given = {.known = {0, 1, 2}};
    struct known own;

    (void)state;
    given.known.size = sizeof(given.known) + 4096;
    assert_int_equal(copy(&own, &given), DX_OK);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        given.known.size = sizes[i];
        assert_int_equal(DX_SIZED_CHECK(struct known, limit, &given), DX_ERR_USAGE);
        assert_int_equal(copy(&own, &given), DX_ERR_USAGE);
        assert_int_equal(own.limit, 10);
    }
}

static void facts_are_written_as_far_as_the_struct_goes(void **state)
{
    static const struct known facts = {sizeof(facts), 1, 2};
    struct later longer = {sizeof(longer), 0, 0, {0, 0}};
    struct known cut = {sizeof(struct first), 0, 99};

    (void)state;
    dx_sized_fill(&longer, &facts, sizeof(facts));
    assert_int_equal(longer.size, sizeof(longer));
    assert_int_equal(longer.added, 2);
    assert_int_equal(longer.unheard_of[0], 0);
    dx_sized_fill(&cut, &facts, sizeof(facts));
    assert_int_equal(cut.size, sizeof(struct first));
    assert_int_equal(cut.limit, 1);
    assert_int_equal(cut.added, 99);
    cut = (struct known){0, 98, 99};
    dx_sized_fill(&cut, &facts, sizeof(facts));
    assert_int_equal(cut.limit, 98);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_given_leaves_the_defaults),
        cmocka_unit_test(an_older_one_leaves_the_default_of_what_it_lacks),
        cmocka_unit_test(the_same_is_taken_whole),
        cmocka_unit_test(a_newer_one_is_taken_while_it_asks_for_nothing_new),
        cmocka_unit_test(a_size_that_no_version_has_is_refused),
        cmocka_unit_test(facts_are_written_as_far_as_the_struct_goes),
    };

    return run_group(tests, NULL, NULL);
}
